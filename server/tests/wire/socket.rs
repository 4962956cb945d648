//! One WebSocket, frame by frame.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

use crate::gateway::PATIENCE;

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub protocol: Option<String>,
    /// What the handshake's answer wants to be kept.
    pub cookie: Option<String>,
    heartbeats: u32,
}

impl Socket {
    /// With so little room in its buffers that it is soon behind when it does not read.
    pub async fn narrow(port: u16) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
        let stream = socket.connect(address).await.unwrap();
        let url = format!("ws://127.0.0.1:{port}/websocket?vsn=2.0.0");
        let handshake = client_async(url, MaybeTlsStream::Plain(stream));
        let (stream, _) = timeout(PATIENCE, handshake).await.unwrap().unwrap();
        Self {
            stream,
            protocol: None,
            cookie: None,
            heartbeats: 0,
        }
    }

    /// `Err` with the HTTP status when the handshake is refused.
    pub async fn open(port: u16, query: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let url = format!("ws://127.0.0.1:{port}/websocket?{query}");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name: axum::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.unwrap() {
            Ok((stream, response)) => {
                let header = |name: &str| {
                    let value = response.headers().get(name);
                    value.map(|value| value.to_str().unwrap().to_owned())
                };
                Ok(Self {
                    protocol: header("sec-websocket-protocol"),
                    cookie: header("set-cookie"),
                    stream,
                    heartbeats: 0,
                })
            }
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    pub async fn send_message(&mut self, message: Message) {
        timeout(PATIENCE, self.stream.send(message))
            .await
            .unwrap()
            .unwrap();
    }

    /// The next data frame or close, whatever it is.
    pub async fn next_message(&mut self) -> Message {
        loop {
            let message = timeout(PATIENCE, self.stream.next())
                .await
                .expect("a frame in time");
            match message.expect("an open socket").expect("a good frame") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// The next text frame, as it stands.
    pub async fn next_text(&mut self) -> String {
        match self.next_message().await {
            Message::Text(text) => text.to_string(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    /// The next text frame, parsed.
    pub async fn next(&mut self) -> Value {
        serde_json::from_str(&self.next_text().await).unwrap()
    }

    pub async fn expect(&mut self, frame: Value) {
        assert_eq!(self.next().await, frame);
    }

    pub async fn ask(&mut self, frame: Value) -> Value {
        self.send(frame).await;
        self.next().await
    }

    pub async fn expect_event(&mut self, topic: &str, event: &str) -> Value {
        let frame = self.next().await;
        assert_eq!(
            (&frame[2], &frame[3]),
            (&json!(topic), &json!(event)),
            "{frame}"
        );
        frame
    }

    /// Reads the diff that every join causes.
    pub async fn until_presence_diff(&mut self, topic: &str) -> Value {
        self.expect_event(topic, "presence_diff").await
    }

    /// Nothing came before the answer to a heartbeat that is sent now.
    pub async fn expect_silence(&mut self) {
        self.heartbeats += 1;
        let reference = format!("hb{}", self.heartbeats);
        self.send(json!([null, reference, "phoenix", "heartbeat", {}]))
            .await;
        self.expect(
            json!([null, reference, "phoenix", "phx_reply", {"status": "ok", "response": {}}]),
        )
        .await;
    }

    /// Reads what comes until the answer to a heartbeat that is sent now.
    pub async fn settle(&mut self) -> Vec<Value> {
        self.heartbeats += 1;
        let reference = json!(format!("hb{}", self.heartbeats));
        self.send(json!([null, reference, "phoenix", "heartbeat", {}]))
            .await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame[2] == "phoenix" && frame[1] == reference {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Waits until presence within the interval of a diff has been told, and reads it.
    pub async fn settle_presence(&mut self) {
        tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        for frame in self.settle().await {
            assert_eq!(frame[3], "presence_diff", "{frame}");
        }
    }

    /// Skips frames until the close; its code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.next_message().await {
                let frame = frame.expect("a close code");
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }

    /// Sends bytes below the WebSocket layer.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt;
        let MaybeTlsStream::Plain(stream) = self.stream.get_mut() else {
            panic!("plain TCP")
        };
        stream.write_all(bytes).await.unwrap();
    }
}

/// `[ref, ok {}]` of a push or a leave.
pub fn ok(join_ref: Value, reference: Value, topic: &str) -> Value {
    json!([join_ref, reference, topic, "phx_reply", {"status": "ok", "response": {}}])
}

pub fn refused(join_ref: Value, reference: Value, topic: &str, reason: &str) -> Value {
    json!([join_ref, reference, topic, "phx_reply", {"status": "error", "response": {"reason": reason}}])
}
