//! Stopping: everybody is told, a few at a time, and nothing that was asked stays unanswered.

use std::time::Instant;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, token};
use crate::long_poll::Poller;
use crate::metrics::Scrape;
use crate::redis_bus::{Redis, gateway_on};
use crate::socket::{Socket, ok};

async fn gateway(drain_seconds: &str) -> Gateway {
    let flags = [
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
        "--drain-seconds",
        drain_seconds,
    ];
    Gateway::with(&flags, "").await
}

async fn connect(gateway: &Gateway, sockets: usize) -> Vec<Socket> {
    let mut open = Vec::new();
    for _ in 0..sockets {
        open.push(gateway.connect().await);
    }
    open
}

/// How long after `since` each socket was told to come back.
async fn told(sockets: Vec<Socket>, since: Instant) -> Vec<Duration> {
    let closing: FuturesUnordered<_> = sockets
        .into_iter()
        .map(async |mut socket| {
            assert_eq!(socket.closed().await, (1012, "server restart".to_owned()));
            since.elapsed()
        })
        .collect();
    closing.collect().await
}

async fn ended(mut gateway: Gateway) {
    let status = timeout(PATIENCE, gateway.child.wait()).await;
    assert!(status.unwrap().unwrap().success());
}

/// G7, section 3: two hundred clients do not come back in the same instant.
#[tokio::test]
async fn clients_are_sent_away_a_few_at_a_time() {
    let gateway = gateway("5").await;
    let sockets = connect(&gateway, 200).await;
    let since = Instant::now();
    gateway.terminate().await;
    let times = told(sockets, since).await;
    let drain = Duration::from_secs(5);
    assert!(times.iter().all(|time| *time <= drain), "{times:?}");
    for tenth in 1..8 {
        let soon = times.iter().filter(|time| **time <= drain * tenth / 10);
        // Evenly over four of the five seconds, and a machine that is busy is late, not early.
        let most = 200 * tenth as usize / 8 + 15;
        assert!(soon.count() <= most, "{tenth} tenths: {times:?}");
    }
    ended(gateway).await;
}

/// G7: a second signal sends everybody away at once; so does a drain time of none.
#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let gateway = gateway("60").await;
    let mut sockets = connect(&gateway, 400).await;
    let mut first = gateway.joined("room", "alice").await;
    sockets.push(gateway.connect().await);
    gateway.terminate().await;
    // Eight seconds for four hundred, were it not for the second one.
    let since = Instant::now();
    gateway.signal("INT").await;
    told(sockets, since).await;
    assert_eq!(first.closed().await.0, 1012);
    assert!(since.elapsed() < Duration::from_secs(5));
    ended(gateway).await;
}

#[tokio::test]
async fn no_drain_time_is_at_once() {
    let gateway = gateway("0").await;
    let sockets = connect(&gateway, 200).await;
    let since = Instant::now();
    gateway.terminate().await;
    told(sockets, since).await;
    assert!(since.elapsed() < Duration::from_secs(3));
    ended(gateway).await;
}

/// Section 3: a push that was sent just before the signal is answered before the close.
#[tokio::test]
async fn a_push_in_flight_is_answered() {
    let gateway = gateway("5").await;
    let mut socket = gateway.joined("room", "alice").await;
    for n in 0..50 {
        socket
            .send(json!(["1", n.to_string(), "room", "said", {}]))
            .await;
    }
    gateway.terminate().await;
    for n in 0..50 {
        socket
            .expect(ok(json!("1"), json!(n.to_string()), "room"))
            .await;
    }
    assert_eq!(socket.closed().await.0, 1012);
    ended(gateway).await;
}

/// Section 3: so is one that waits for the bus when the signal comes.
#[tokio::test]
async fn a_push_that_waits_for_the_bus_is_answered() {
    let redis = Redis::start().await;
    let gateway = gateway_on(&redis).await;
    let mut socket = gateway.joined_when_up("room", "alice").await;
    redis.signal("STOP").await;
    socket.send(json!(["1", "7", "room", "said", {}])).await;
    // Read and handed to the bus before the signal: a socket behind it says so.
    gateway.connect().await.expect_silence().await;
    gateway.terminate().await;
    while TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .is_ok()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    redis.signal("CONT").await;
    socket.expect(ok(json!("1"), json!("7"), "room")).await;
    assert_eq!(socket.closed().await.0, 1012);
    ended(gateway).await;
}

/// Section 3: and so is one of a client that polls.
#[tokio::test]
async fn a_poller_s_push_that_waits_for_the_bus_is_answered() {
    let redis = Redis::start().await;
    let gateway = gateway_on(&redis).await;
    let _socket = gateway.joined_when_up("room", "alice").await;
    let poller = Poller::open(&gateway, "vsn=2.0.0", false).await;
    let payload = json!({"token": token("ben", "lounge")});
    poller
        .send(&[json!(["1", "1", "lounge", "phx_join", payload])])
        .await;
    poller.frames(3).await;
    let received = async || {
        let scrape = Scrape::of(&gateway).await;
        scrape.value("tidegate_received_bytes_total", &[])
    };
    let before = received().await;
    redis.signal("STOP").await;
    let push = [json!(["1", "7", "lounge", "said", {}])];
    let stop = async {
        // The push is read and handed to the bus, and the poll waits for its answer.
        while received().await <= before {}
        gateway.terminate().await;
        while TcpStream::connect(("127.0.0.1", gateway.port))
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        redis.signal("CONT").await;
    };
    let (frames, (), ()) = tokio::join!(poller.frames(1), poller.send(&push), stop);
    assert_eq!(frames, [ok(json!("1"), json!("7"), "lounge")]);
    ended(gateway).await;
}

/// One request on a connection that stays open: status and body.
async fn ask(stream: &mut TcpStream, head: &str) -> (u16, String) {
    let request = format!("GET {head}host: 127.0.0.1\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let mut more = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut more)).await;
        let read = read.unwrap().unwrap();
        assert!(read > 0, "the connection stays open");
        answer.extend_from_slice(&more[..read]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        if body.len() >= length {
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            return (status, body.to_owned());
        }
    }
}

/// Section 3: who asks on an open connection is told; nobody new is let in, over no way.
#[tokio::test]
async fn a_stopping_gateway_takes_nobody_new() {
    let gateway = gateway("30").await;
    let sockets = connect(&gateway, 100).await;
    let mut open = TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    assert_eq!(ask(&mut open, "/readyz HTTP/1.1\r\n").await.0, 200);
    let since = Instant::now();
    gateway.terminate().await;
    let told = tokio::spawn(told(sockets, since));
    loop {
        let (status, body) = ask(&mut open, "/readyz HTTP/1.1\r\n").await;
        if status == 503 {
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["not_ready"], json!(["The gateway is stopping."]));
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(ask(&mut open, "/healthz HTTP/1.1\r\n").await.0, 200);
    let handshake = "/websocket?vsn=2.0.0 HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert_eq!(ask(&mut open, handshake).await.0, 503);
    let (_, body) = ask(&mut open, "/longpoll?vsn=2.0.0 HTTP/1.1\r\n").await;
    assert_eq!(body, r#"{"status":503}"#);
    while TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .is_ok()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(told.await.unwrap().len(), 100);
    ended(gateway).await;
}

/// A10, section 3: backends learn who has left, and only then that the bus ends.
#[tokio::test]
async fn the_bus_ends_after_the_last_socket() {
    let gateway = gateway("1").await;
    let mut sockets = Vec::new();
    let mut tap = gateway.tap().await;
    for n in 0..20 {
        let (user, topic) = (format!("user{n}"), format!("room:{n}"));
        let mut socket = gateway.connect().await;
        let token = token(&user, &topic);
        let join = json!(["1", "1", topic, "phx_join", {"token": token}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
        tap.expect_lifecycle(&format!("from:{topic}:phx_join"), &user)
            .await;
        sockets.push(socket);
    }
    gateway.terminate().await;
    told(sockets, Instant::now()).await;
    let mut left = Vec::new();
    while let Some((name, _)) = tap.try_next().await {
        left.push(name);
    }
    left.sort();
    let mut all: Vec<_> = (0..20)
        .map(|n| format!("from:room:{n}:phx_leave"))
        .collect();
    all.sort();
    assert_eq!(left, all);
    ended(gateway).await;
}
