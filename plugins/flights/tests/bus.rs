//! The flights plugin against a real redis-server, as a page and an operator meet it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use futures::StreamExt as _;
use redis::AsyncCommands as _;
use redis::aio::PubSub;
use serde_json::Value;
use tidegate_plugin::testing::{PATIENCE, RedisServer};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

fn flights(url: &str, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tidegate-flights"))
        .args(["--redis-url", url])
        .args(arguments)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn listen(server: &RedisServer, names: &[&str]) -> PubSub {
    let client = redis::Client::open(server.url()).unwrap();
    let mut pubsub = client.get_async_pubsub().await.unwrap();
    pubsub.subscribe(names).await.unwrap();
    pubsub
}

async fn next(pubsub: &mut PubSub) -> Value {
    let message = timeout(PATIENCE, pubsub.on_message().next())
        .await
        .unwrap()
        .unwrap();
    serde_json::from_slice(message.get_payload_bytes()).unwrap()
}

fn addresses(message: &Value) -> BTreeSet<&str> {
    let aircraft = message["aircraft"].as_array().unwrap();
    aircraft
        .iter()
        .map(|a| a["icao24"].as_str().unwrap())
        .collect()
}

/// All aircraft come first, with the word to forget what was before; then only what changed.
#[tokio::test]
async fn positions_arrive() {
    let server = RedisServer::start().await;
    let mut pubsub = listen(&server, &["to:flights:positions"]).await;
    let _plugin = flights(&server.url(), &["--speed", "4"]);
    let first = next(&mut pubsub).await;
    assert_eq!(first["restart"], true);
    assert!(addresses(&first).len() >= 30, "{first}");
    let aircraft = &first["aircraft"][0];
    for field in [
        "icao24",
        "callsign",
        "latitude",
        "longitude",
        "altitude",
        "groundspeed",
        "track",
        "vertical_rate",
        "onground",
        "squawk",
        "seen",
    ] {
        assert!(
            aircraft.get(field).is_some(),
            "{field} is missing in {aircraft}"
        );
    }
    let second = next(&mut pubsub).await;
    assert_eq!(second.get("restart"), None);
    let (before, now) = (
        first["time"].as_u64().unwrap(),
        second["time"].as_u64().unwrap(),
    );
    assert!(now > before);
    for aircraft in second["aircraft"].as_array().unwrap() {
        assert!(aircraft["seen"].as_u64().unwrap() > before, "{aircraft}");
    }
}

/// The end of the recording is its beginning, and the pages are told.
#[tokio::test]
async fn the_recording_loops() {
    let server = RedisServer::start().await;
    let mut pubsub = listen(&server, &["to:flights:positions"]).await;
    let _plugin = flights(&server.url(), &["--start-at", "1198"]);
    let first = next(&mut pubsub).await;
    let second = timeout(PATIENCE, async {
        loop {
            let message = next(&mut pubsub).await;
            if message["restart"] == true {
                return message;
            }
        }
    })
    .await
    .unwrap();
    assert!(second["time"].as_u64() < first["time"].as_u64());
    assert!(addresses(&second).len() >= 30);
}

/// Whoever asks is told everything; who asks much is answered four times a second at most; and
/// a request with nonsense in it is a request.
#[tokio::test]
async fn snapshots_are_answered() {
    let server = RedisServer::start().await;
    let mut pubsub = listen(&server, &["to:flights:snapshot"]).await;
    let mut plugin = flights(&server.url(), &["--replicate", "3", "--start-at", "60"]);
    let client = redis::Client::open(server.url()).unwrap();
    let mut publisher = client.get_multiplexed_async_connection().await.unwrap();
    timeout(PATIENCE, async {
        while publisher
            .publish::<_, _, u64>("from:flights:snapshot", "{}")
            .await
            .unwrap()
            == 0
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the plugin listens");
    let snapshot = next(&mut pubsub).await;
    assert!(
        addresses(&snapshot).len() >= 90,
        "{}",
        addresses(&snapshot).len()
    );
    assert_eq!(snapshot.get("restart"), None);

    let begin = Instant::now();
    let mut answers = 0;
    while begin.elapsed() < Duration::from_secs(1) {
        let _: u64 = publisher
            .publish("from:flights:snapshot", &[0xFF_u8, 0, b'['][..])
            .await
            .unwrap();
        if timeout(Duration::from_millis(5), pubsub.on_message().next())
            .await
            .is_ok()
        {
            answers += 1;
        }
    }
    assert!((2..=5).contains(&answers), "{answers}");
    assert_eq!(plugin.try_wait().unwrap(), None, "the plugin still runs");
}

/// A16: Redis killed and started again: the plugin says so, and the positions go on.
#[tokio::test]
async fn it_survives_the_bus() {
    let server = RedisServer::start().await;
    let port = server.port();
    let mut pubsub = listen(&server, &["to:flights:positions"]).await;
    let mut plugin = flights(&server.url(), &[]);
    let mut said = BufReader::new(plugin.stderr.take().unwrap()).lines();
    let before = next(&mut pubsub).await;
    server.kill().await;
    timeout(PATIENCE, async {
        while !said.next_line().await.unwrap().unwrap().contains("is away") {}
    })
    .await
    .expect("it says that the bus is away");
    // Away for longer than the second between two messages, so that one is certainly missed.
    tokio::time::sleep(Duration::from_millis(1500)).await;

    let server = RedisServer::start_on(port).await;
    let mut pubsub = listen(&server, &["to:flights:positions", "to:flights:snapshot"]).await;
    let line = timeout(PATIENCE, said.next_line())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(line.contains("is back"), "{line}");
    let after = next(&mut pubsub).await;
    assert!(after["time"].as_u64() > before["time"].as_u64());
    assert!(
        addresses(&after).len() >= 30,
        "what was missed is made up for"
    );
    let client = redis::Client::open(server.url()).unwrap();
    let mut publisher = client.get_multiplexed_async_connection().await.unwrap();
    let heard: u64 = publisher
        .publish("from:flights:snapshot", "{}")
        .await
        .unwrap();
    assert_eq!(heard, 1, "it listens again");
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
        let mut plugin = flights(url, &[]);
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
    for (arguments, sentence) in [
        (vec!["--file", "/nowhere.csv"], "cannot open /nowhere.csv"),
        (
            vec!["--file", env!("CARGO_MANIFEST_PATH")],
            "cannot be read",
        ),
        (vec!["--start-at", "1200"], "less than the 1200 s"),
        (vec!["--speed", "0"], "between 0.1 and 600"),
        (vec!["--replicate", "0"], "--replicate"),
    ] {
        let plugin = flights("redis://127.0.0.1:1", &arguments);
        let output = timeout(PATIENCE, plugin.wait_with_output())
            .await
            .unwrap()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && said.contains(sentence),
            "{said}"
        );
    }
}
