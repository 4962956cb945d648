//! The bus of a plugin against a real redis-server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use redis::AsyncCommands as _;
use tidegate_plugin::testing::{PATIENCE, RedisServer, free_port};
use tidegate_plugin::{Bus, HEARD_BOUND, PublishError};
use tokio::time::{sleep, timeout};

async fn publisher(server: &RedisServer) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(server.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Publishes until somebody hears it: the subscription is made on the bus's own time.
async fn publish_until_heard(server: &RedisServer, name: &str, body: &[u8]) {
    let mut publisher = publisher(server).await;
    timeout(PATIENCE, async {
        while publisher.publish::<_, _, u64>(name, body).await.unwrap() == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("a subscriber");
}

/// A message comes as it was sent, whatever its bytes.
#[tokio::test]
async fn hears_bytes_as_they_are() {
    let server = RedisServer::start().await;
    let mut bus = Bus::start("test", &server.url(), &["from:a:b"]).unwrap();
    publish_until_heard(&server, "from:a:b", &[0, 255, b'{', 10]).await;
    let message = timeout(PATIENCE, bus.heard()).await.unwrap();
    assert_eq!(message.name, "from:a:b");
    assert_eq!(message.body, [0, 255, b'{', 10]);
}

/// A flood fills the bounded queue, the rest is dropped and counted, and the bus works on.
#[tokio::test]
async fn a_flood_is_bounded_and_counted() {
    let server = RedisServer::start().await;
    let mut bus = Bus::start("test", &server.url(), &["from:a:b"]).unwrap();
    publish_until_heard(&server, "from:a:b", b"first").await;
    let mut publisher = publisher(&server).await;
    let flood = HEARD_BOUND as u64 * 3;
    for _ in 0..flood {
        let _: u64 = publisher.publish("from:a:b", "flood").await.unwrap();
    }
    timeout(PATIENCE, async {
        while bus.dropped() < flood + 1 - HEARD_BOUND as u64 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("dropped messages are counted");
    for _ in 0..HEARD_BOUND {
        timeout(PATIENCE, bus.heard()).await.unwrap();
    }
    publish_until_heard(&server, "from:a:b", b"after").await;
    assert_eq!(timeout(PATIENCE, bus.heard()).await.unwrap().body, b"after");
}

/// A16, from the plugin's side: away is an error and not a queue; back means subscribed again.
#[tokio::test]
async fn comes_back_after_the_bus_was_away() {
    let port = free_port();
    let mut bus = Bus::start("test", &format!("redis://127.0.0.1:{port}"), &["from:a:b"]).unwrap();
    assert_eq!(bus.publish("to:a:b", b"1").await, Err(PublishError::Away));

    let server = RedisServer::start_on(port).await;
    timeout(PATIENCE, bus.connected()).await.expect("connected");
    assert_eq!(bus.publish("to:a:b", b"2").await, Ok(()));
    server.kill().await;
    timeout(PATIENCE, async {
        while bus.publish("to:a:b", b"3").await != Err(PublishError::Away) {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the loss is noticed");

    let server = RedisServer::start_on(port).await;
    publish_until_heard(&server, "from:a:b", b"again").await;
    assert_eq!(timeout(PATIENCE, bus.heard()).await.unwrap().body, b"again");
    assert_eq!(bus.publish("to:a:b", b"4").await, Ok(()));
}

/// A bus that says no is no bus that is away: the connection stays, and so does what is heard.
#[tokio::test]
async fn a_refusal_is_told_apart() {
    let server = RedisServer::start().await;
    let mut bus = Bus::start("test", &server.url(), &["from:a:b"]).unwrap();
    publish_until_heard(&server, "from:a:b", b"1").await;
    let mut admin = publisher(&server).await;
    for (right, allowed) in [("-publish", false), ("+publish", true)] {
        let acl = ["SETUSER", "default", right];
        redis::cmd("ACL")
            .arg(&acl)
            .query_async::<()>(&mut admin)
            .await
            .unwrap();
        let result = bus.publish("to:a:b", b"2").await;
        match result {
            Ok(()) => assert!(allowed),
            Err(PublishError::Refused(reason)) => {
                assert!(!allowed && reason.contains("permissions"), "{reason}");
            }
            Err(PublishError::Away) => unreachable!("the bus is there"),
        }
    }
    publish_until_heard(&server, "from:a:b", b"3").await;
    assert_eq!(timeout(PATIENCE, bus.heard()).await.unwrap().body, b"1");
    assert_eq!(timeout(PATIENCE, bus.heard()).await.unwrap().body, b"3");
}

/// A wrong address is an error at once, and its message shows the right form.
#[tokio::test]
async fn a_wrong_address_is_refused() {
    let error = Bus::start("test", "http://127.0.0.1", &[]).err().unwrap();
    assert!(
        error.to_string().contains("redis://127.0.0.1:2026"),
        "{error}"
    );
}
