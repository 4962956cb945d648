//! The host plugin against a real redis-server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::process::Stdio;
use std::time::Duration;

use futures::StreamExt as _;
use redis::aio::PubSub;
use serde_json::Value;
use tidegate_plugin::testing::{PATIENCE, RedisServer};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

fn host(url: &str, interval: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tidegate-host"))
        .args(["--redis-url", url, "--interval", interval])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn listen(server: &RedisServer) -> PubSub {
    let client = redis::Client::open(server.url()).unwrap();
    let mut pubsub = client.get_async_pubsub().await.unwrap();
    pubsub.subscribe("to:host:telemetry").await.unwrap();
    pubsub
}

async fn next(pubsub: &mut PubSub) -> Value {
    let message = timeout(PATIENCE, pubsub.on_message().next())
        .await
        .unwrap()
        .unwrap();
    serde_json::from_slice(message.get_payload_bytes()).unwrap()
}

/// Readings arrive in the documented shape, and each is plausible.
#[tokio::test]
async fn telemetry_arrives() {
    let server = RedisServer::start().await;
    let mut pubsub = listen(&server).await;
    let _plugin = host(&server.url(), "0.5");
    let first = next(&mut pubsub).await;
    let second = next(&mut pubsub).await;
    for reading in [&first, &second] {
        let number = |pointer: &str| {
            reading
                .pointer(pointer)
                .and_then(Value::as_f64)
                .unwrap_or_else(|| {
                    panic!("{pointer} is no number in {reading}");
                })
        };
        assert!(
            reading["hostname"]
                .as_str()
                .is_some_and(|name| !name.is_empty())
        );
        assert_eq!(reading["load"].as_array().unwrap().len(), 3);
        assert!((0.0..=100.0).contains(&number("/cpu/percent")));
        for core in reading["cpu"]["cores"].as_array().unwrap() {
            assert!((0.0..=100.0).contains(&core.as_f64().unwrap()));
        }
        assert!(number("/memory/used") > 0.0);
        for part in ["memory", "swap", "disk"] {
            assert!(number(&format!("/{part}/used")) <= number(&format!("/{part}/total")));
        }
        for rate in [
            "/disk/read",
            "/disk/written",
            "/network/received",
            "/network/sent",
        ] {
            assert!(number(rate) >= 0.0);
        }
        assert!(number("/uptime") > 0.0);
    }
    let passed = second["time"].as_u64().unwrap() - first["time"].as_u64().unwrap();
    assert!((200..5000).contains(&passed), "{passed}");
}

/// A16: Redis killed and started again: the plugin says so, and the readings go on.
#[tokio::test]
async fn it_survives_the_bus() {
    let server = RedisServer::start().await;
    let port = server.port();
    let mut plugin = host(&server.url(), "0.25");
    let mut said = BufReader::new(plugin.stderr.take().unwrap()).lines();
    next(&mut listen(&server).await).await;
    server.kill().await;
    timeout(PATIENCE, async {
        while !said.next_line().await.unwrap().unwrap().contains("is away") {}
    })
    .await
    .expect("it says that the bus is away");
    let server = RedisServer::start_on(port).await;
    next(&mut listen(&server).await).await;
    let line = timeout(PATIENCE, said.next_line())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(line.contains("is back"), "{line}");
}

/// SIGTERM and SIGINT end it at once with success, with a bus or without one.
#[cfg(unix)]
#[tokio::test]
async fn it_ends_when_asked() {
    let server = RedisServer::start().await;
    for (url, signal) in [
        (server.url().as_str(), "-TERM"),
        ("redis://127.0.0.1:1", "-INT"),
    ] {
        let mut plugin = host(url, "1");
        let mut said = BufReader::new(plugin.stderr.take().unwrap()).lines();
        timeout(PATIENCE, said.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let pid = plugin.id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .await
                .unwrap()
                .success()
        );
        let asked = Instant::now();
        let status = timeout(PATIENCE, plugin.wait())
            .await
            .expect("it ends")
            .unwrap();
        assert!(status.success(), "{status}");
        assert!(asked.elapsed() < Duration::from_secs(1));
    }
}

/// What cannot be is one sentence and a failure.
#[tokio::test]
async fn wrong_flags_are_refused() {
    for (url, interval, sentence) in [
        ("redis://127.0.0.1:1", "0", "between 0.25 and 3600"),
        ("redis://127.0.0.1:1", "NaN", "between 0.25 and 3600"),
        ("nonsense", "1", "must look like redis://"),
    ] {
        let output = timeout(PATIENCE, host(url, interval).wait_with_output()).await;
        let output = output.unwrap().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && said.contains(sentence),
            "{said}"
        );
    }
}
