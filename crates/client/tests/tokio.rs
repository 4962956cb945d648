//! The tokio transport against a WebSocket server that speaks just enough of the protocol.
#![cfg(feature = "tokio")]
#![allow(missing_docs)]
// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tidegate_client::{
    ChannelEvent, ChannelState, Client, Config, Encoded, Payload, PushError, Status, Update,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

/// A gateway of one idea: joins are taken, `echo` comes back as reply and broadcast, binary
/// pushes come back as binary broadcasts, `die` closes the socket with 1012.
struct Gateway {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Gateway {
    async fn start(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut sockets = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                sockets.spawn(serve(socket));
            }
        });
        Self { address, task }
    }

    fn config(&self) -> Config {
        Config {
            trace: true,
            ..Config::new(format!("ws://{}/websocket", self.address))
        }
    }

    /// Every socket is gone when this returns.
    async fn stop(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

async fn serve(socket: TcpStream) {
    let mut socket = tokio_tungstenite::accept_async(socket).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        let mut send = Vec::new();
        match message {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                let reply = |status, response| {
                    let payload = json!({"status": status, "response": response});
                    let reply = json!([frame[0], frame[1], frame[2], "phx_reply", payload]);
                    Message::text(reply.to_string())
                };
                match frame[3].as_str().unwrap() {
                    "phx_join" if frame[4]["token"] == "bad" => {
                        send.push(reply("error", json!({"reason": "invalid token"})));
                    }
                    "phx_join" => send.push(reply("ok", json!({"payload": frame[4]}))),
                    "echo" => {
                        send.push(reply("ok", frame[4].clone()));
                        let event = json!([null, null, frame[2], "echo", frame[4]]);
                        send.push(Message::text(event.to_string()));
                    }
                    "die" => {
                        let reason = "server restart".into();
                        let close = CloseFrame {
                            code: 1012.into(),
                            reason,
                        };
                        socket.close(Some(close)).await.unwrap();
                        continue;
                    }
                    _ => send.push(reply("ok", json!({}))),
                }
            }
            Message::Binary(bytes) => {
                // 00 jr ref top ev | ...: all of one byte each but the refs.
                let [jr, reference, topic, event] = [1, 2, 3, 4].map(|i| usize::from(bytes[i]));
                let mut frame = vec![2, bytes[3], bytes[4]];
                let names = 5 + jr + reference;
                frame.extend_from_slice(&bytes[names..]);
                assert!(bytes.len() >= names + topic + event);
                send.push(Message::binary(frame));
            }
            Message::Close(_) => break,
            _ => {}
        }
        for message in send {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("it took too long")
}

async fn joined(channel: &mut tidegate_client::Channel) -> Value {
    loop {
        match soon(channel.next()).await {
            Some(ChannelEvent::Joined { response }) => return response,
            Some(ChannelEvent::Closed { reason }) => panic!("closed: {reason}"),
            Some(_) => {}
            None => panic!("the channel ended"),
        }
    }
}

async fn event(channel: &mut tidegate_client::Channel) -> (String, Payload) {
    match soon(channel.next()).await {
        Some(ChannelEvent::Event { event, payload }) => (event.to_string(), payload),
        other => panic!("not an event: {other:?}"),
    }
}

fn assert_handles_are_shareable<T: Send + Sync + 'static>() {}

#[tokio::test]
async fn handles_may_go_anywhere() {
    assert_handles_are_shareable::<Client>();
    assert_handles_are_shareable::<tidegate_client::Channel>();
    assert_handles_are_shareable::<tidegate_client::ChannelHandle>();
    assert_handles_are_shareable::<tidegate_client::Reply>();
}

#[tokio::test]
async fn it_joins_pushes_hears_and_leaves() {
    let gateway = Gateway::start("127.0.0.1:0").await;
    let client = Client::connect(gateway.config());
    let mut room = client.channel("room", json!({"a": 1}));
    // Sent before the join's answer: it waits.
    let reply = room.push("echo", &json!({"n": 1}));
    assert_eq!(joined(&mut room).await, json!({"payload": {"a": 1}}));
    assert_eq!(soon(reply).await, Ok(json!({"n": 1})));
    let (name, payload) = event(&mut room).await;
    assert_eq!(
        (name.as_str(), payload.as_json()),
        ("echo", Some(r#"{"n":1}"#))
    );

    room.cast_payload("bin", Payload::Binary(vec![0, 159, 146].into()))
        .unwrap();
    let (name, payload) = event(&mut room).await;
    assert_eq!(name, "bin");
    assert_eq!(payload, Payload::Binary(vec![0, 159, 146].into()));

    room.leave();
    assert!(matches!(
        soon(room.next()).await,
        Some(ChannelEvent::Closed { .. })
    ));
    assert_eq!(soon(room.next()).await, None);
    assert_eq!(
        soon(room.push("echo", &json!({}))).await,
        Err(PushError::NotJoined)
    );
    assert_eq!(room.state(), ChannelState::Closed);
    gateway.stop().await;
}

#[tokio::test]
async fn parameters_are_asked_for_at_each_join() {
    let gateway = Gateway::start("127.0.0.1:0").await;
    let client = Client::connect(gateway.config());
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let mut room = client.channel_with("room", move || {
        let count = count.fetch_add(1, Ordering::SeqCst);
        async move {
            match count {
                0 => Err("no token: not signed in".to_owned()),
                1 => Ok(json!({"token": "bad"})),
                _ => Ok(json!({"token": "good"})),
            }
        }
    });
    let refused = |event| match event {
        Some(ChannelEvent::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(refused(soon(room.next()).await), "no token: not signed in");
    client.retry_now();
    assert_eq!(refused(soon(room.next()).await), "invalid token");
    client.retry_now();
    assert_eq!(
        joined(&mut room).await,
        json!({"payload": {"token": "good"}})
    );
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    gateway.stop().await;
}

#[tokio::test]
async fn it_comes_back_after_the_gateway_was_away() {
    let address = tidegate_testing::free_address().unwrap().to_string();
    let gateway = Gateway::start(&address).await;
    let client = Client::connect(gateway.config());
    let mut updates = client.updates();
    let mut room = client.channel("room", json!({}));
    joined(&mut room).await;
    gateway.stop().await;
    assert!(matches!(
        soon(room.next()).await,
        Some(ChannelEvent::Interrupted { .. })
    ));
    let reply = room.push("echo", &json!("waited"));
    let gateway = Gateway::start(&address).await;
    joined(&mut room).await;
    assert_eq!(soon(reply).await, Ok(json!("waited")));

    let mut states = Vec::new();
    client.close();
    while let Some(update) = soon(updates.next()).await {
        if let Update::Status(status) = update {
            states.push(status);
        }
    }
    assert!(matches!(
        states.first(),
        Some(Status::Connecting { attempt: 0, .. })
    ));
    assert!(states.iter().any(|s| matches!(
        s,
        Status::Connecting {
            attempt: 1,
            reason: Some(_),
            ..
        }
    )));
    assert_eq!(states.iter().filter(|s| **s == Status::Open).count(), 2);
    assert!(matches!(states.last(), Some(Status::Closed { .. })));
    gateway.stop().await;
}

#[tokio::test]
async fn the_gateways_words_at_the_end_are_told() {
    let gateway = Gateway::start("127.0.0.1:0").await;
    let client = Client::connect(gateway.config());
    let mut room = client.channel("room", json!({}));
    joined(&mut room).await;
    assert_eq!(
        soon(room.push("die", &json!({}))).await,
        Err(PushError::Interrupted)
    );
    let Some(ChannelEvent::Interrupted { reason }) = soon(room.next()).await else {
        panic!("not interrupted");
    };
    assert!(
        reason.contains("server restart") && reason.contains("1012"),
        "{reason}"
    );
    joined(&mut room).await;
    gateway.stop().await;
}

#[tokio::test]
async fn every_frame_is_shown_when_asked_for() {
    let gateway = Gateway::start("127.0.0.1:0").await;
    let client = Client::connect(gateway.config());
    let mut updates = client.updates();
    let mut room = client.channel("room", json!({}));
    joined(&mut room).await;
    let mut frames = Vec::new();
    while frames.len() < 2 {
        if let Some(Update::Frame {
            sent,
            frame: Encoded::Text(text),
            ..
        }) = soon(updates.next()).await
        {
            let frame: Value = serde_json::from_slice(&text).unwrap();
            frames.push((sent, frame[3].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(
        frames,
        [
            (true, "phx_join".to_owned()),
            (false, "phx_reply".to_owned())
        ]
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_reader_that_does_not_read_loses_the_oldest_events_and_is_told_how_many() {
    let gateway = Gateway::start("127.0.0.1:0").await;
    let client = Client::connect(Config {
        mailbox_events: 5,
        ..gateway.config()
    });
    let mut room = client.channel("room", json!({}));
    joined(&mut room).await;
    for n in 0..20 {
        assert_eq!(soon(room.push("echo", &n)).await, Ok(json!(n)));
    }
    // The last broadcast may still be on its way; a further answer comes after it.
    assert!(soon(room.push("ping", &json!({}))).await.is_ok());
    assert_eq!(room.dropped(), 15);
    let (_, payload) = event(&mut room).await;
    assert_eq!(payload.as_json(), Some("15"));
    gateway.stop().await;
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/websocket", listener.local_addr().unwrap());
    let client = Client::connect(Config::new(url));
    let room = client.channel("room", json!({}));
    let handle = room.handle();
    let (socket, _) = soon(listener.accept()).await.unwrap();
    let mut socket = soon(tokio_tungstenite::accept_async(socket)).await.unwrap();
    assert!(
        soon(socket.next()).await.unwrap().unwrap().is_text(),
        "the join"
    );
    drop(client);
    drop(room);
    assert!(
        soon(socket.next()).await.unwrap().unwrap().is_text(),
        "the leave"
    );
    drop(handle);
    assert!(
        soon(socket.next()).await.unwrap().unwrap().is_close(),
        "the close"
    );
}

#[test]
fn without_a_runtime_the_client_says_so() {
    let client = Client::connect(Config::new("ws://127.0.0.1:1/websocket"));
    let Status::Closed { reason } = client.status() else {
        panic!("not closed")
    };
    assert!(reason.contains("tokio runtime"), "{reason}");
}
