//! A18: every limit has its answer.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::gateway::{Gateway, PATIENCE, SECRET, token};
use crate::socket::refused;

async fn with(flag: &str, value: &str) -> Gateway {
    Gateway::with(
        &[
            "--jwt-secret",
            SECRET,
            "--admin-password",
            "open sesame",
            flag,
            value,
        ],
        "",
    )
    .await
}

#[tokio::test]
async fn channels_per_connection() {
    let gateway = with("--max-channels-per-connection", "2").await;
    let mut socket = gateway.joined("room", "alice").await;
    assert_eq!(
        socket.ask(json!(["2", "2", "host", "phx_join", {}])).await[4]["status"],
        "ok"
    );
    let answer = socket
        .ask(json!(["3", "3", "flights", "phx_join", {}]))
        .await;
    assert_eq!(
        answer,
        refused(
            json!("3"),
            json!("3"),
            "flights",
            "too many channels joined"
        )
    );
    let again = socket.ask(json!(["4", "4", "host", "phx_join", {}])).await;
    assert_eq!(again[4]["status"], "ok", "joining again is not one more");
}

#[tokio::test]
async fn channels_in_all() {
    let gateway = with("--max-channels", "1").await;
    let _first = gateway.joined("room", "alice").await;
    let mut second = gateway.connect().await;
    let answer = second.ask(json!(["1", "1", "host", "phx_join", {}])).await;
    assert_eq!(
        answer,
        refused(json!("1"), json!("1"), "host", "too many topics")
    );
    let again = second
        .ask(json!(["1", "1", "room", "phx_join", {"token": token("b", "room")}]))
        .await;
    assert_eq!(again[4]["status"], "ok");
}

#[tokio::test]
async fn pushes_per_second() {
    let gateway = with("--pushes-per-second", "5").await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut refusals = 0;
    for n in 0..50 {
        let answer = socket.ask(json!(["1", n, "room", "event", {}])).await;
        if answer[4]["status"] == "error" {
            assert_eq!(
                answer,
                refused(json!("1"), json!(n), "room", "too many pushes")
            );
            refusals += 1;
        }
    }
    assert!(refusals > 0);
    socket.expect_silence().await;
}

#[tokio::test]
async fn joins_per_second() {
    let gateway = with("--joins-per-second", "5").await;
    let mut socket = gateway.connect().await;
    let mut reasons = Vec::new();
    for n in 0..20 {
        let answer = socket.ask(json!(["1", n, "room", "phx_join", {}])).await;
        reasons.push(answer[4]["response"]["reason"].as_str().unwrap().to_owned());
    }
    assert_eq!(reasons[0], "unauthorized");
    assert!(
        reasons.contains(&"too many joins".to_owned()),
        "{reasons:?}"
    );
}

/// Large channels are written to by so many threads, and by none of their own where that is one.
#[tokio::test]
async fn threads_that_write_to_large_channels() {
    for (given, expected) in [("3", 3), ("1", 0)] {
        let gateway = with("--fan-out-threads", given).await;
        let tasks = format!("/proc/{}/task", gateway.pid());
        let count = || {
            let tasks = std::fs::read_dir(&tasks).unwrap();
            let names = tasks.map(|task| {
                // A thread may end while its name is read.
                std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default()
            });
            names.filter(|name| name.starts_with("fan-out-")).count()
        };
        // A thread names itself once it runs.
        let there = async {
            while count() < expected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, there).await.expect("the threads");
        assert_eq!(count(), expected);
    }
}

#[tokio::test]
async fn connections_in_all_and_from_one_address() {
    for flag in ["--max-connections", "--max-connections-per-address"] {
        let gateway = with(flag, "1").await;
        let mut first = gateway.connect().await;
        first.expect_silence().await;
        let mut second = gateway.connect().await;
        assert_eq!(
            second.closed().await,
            (1013, "too many connections".to_owned()),
            "{flag}"
        );
        drop(first);
        // The place is free again as soon as the first is gone.
        loop {
            let mut third = gateway.connect().await;
            third
                .send(json!([null, "1", "phoenix", "heartbeat", {}]))
                .await;
            if third.next_message().await.is_text() {
                break;
            }
        }
    }
}

/// RFC 6455, section 7.1.1: who is turned away and speaks at once is told why, and sees no reset.
#[tokio::test]
async fn who_is_turned_away_hears_why_whatever_it_says() {
    let gateway = with("--max-connections", "1").await;
    let mut first = gateway.connect().await;
    first.expect_silence().await;
    let mut second = gateway.connect().await;
    second
        .send_raw(&b"\x81\x80\x00\x00\x00\x00".repeat(100_000))
        .await;
    let said = (1013, "too many connections".to_owned());
    assert_eq!(second.closed().await, said);
}

/// A18: half a request holds a place for so long and no longer; who waits for it is served then,
/// and open sockets notice nothing of it.
#[tokio::test]
async fn half_open_handshakes_are_cut() {
    let flags = [
        "--http-head-seconds",
        "1",
        "--max-http-connections",
        "2",
        "--jwt-secret",
        crate::gateway::SECRET,
        "--admin-password",
        crate::gateway::PASSWORD,
    ];
    let gateway = Gateway::with(&flags, "").await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut half_open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(("127.0.0.1", gateway.port))
            .await
            .unwrap();
        stream
            .write_all(b"GET /websocket HTTP/1.1\r\nhost:")
            .await
            .unwrap();
        half_open.push(stream);
    }
    socket.expect_silence().await;
    // Both places are taken; this one is served once they are given back.
    gateway.joined("room", "ben").await;
    for mut stream in half_open {
        let mut said = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut said));
        read.await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 408"),
            "{said}"
        );
    }
}
