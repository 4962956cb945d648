//! Events go where their name says, whole and in order.

use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use redis::AsyncCommands;
use tidegate_bus::Kind;
use tidegate_protocol::{BusName, NameError};

use crate::stage::{PATIENCE, Stage, soon};

/// A7, A8: `to:weather:wind:update` is for `weather:wind`, and `*`, `?`, `[` are letters.
pub(crate) async fn topics_are_literal_and_end_at_the_last_colon(stage: Stage) {
    let mut plugin = stage.client().await;
    for name in [
        "to:weather:wind:update",
        "to:*:x",
        "to:[ab]c:x",
        "to:a?c:x",
        r"to:a\c:x",
        "to:to:x",
        "to:é:x",
    ] {
        let receivers: u64 = plugin.publish(name, "1").await.unwrap();
        assert_eq!(receivers, 1, "the gateway counts as a receiver of {name}");
    }
    let receivers: u64 = plugin.publish("from:weather:update", "1").await.unwrap();
    assert_eq!(receivers, 0, "from: is not for the gateway");
    assert_eq!(
        stage.sink.take_text(7).await,
        [
            "weather:wind update 1",
            "* x 1",
            "[ab]c x 1",
            "a?c x 1",
            r"a\c x 1",
            "to x 1",
            "é x 1"
        ]
    );
}

/// S12: a request that nobody listens for is known to be one.
pub(crate) async fn the_gateway_knows_whether_anybody_listens(stage: Stage) {
    let ask = async || {
        let name = BusName::parse(b"from:plugin:x:request").unwrap();
        let publishing = stage.bus.publish(name, Bytes::from_static(b"1"));
        soon(publishing.receivers()).await.unwrap()
    };
    assert_eq!(ask().await, 0);
    let mut plugin = stage.subscriber().await;
    plugin.subscribe("from:plugin:x:request").await.unwrap();
    assert_eq!(ask().await, 1);
    let mut watcher = stage.subscriber().await;
    watcher.psubscribe("from:*").await.unwrap();
    assert_eq!(ask().await, 2);
}

/// A9, T2: the name a client's topic gives is a name on the bus, never a pattern.
pub(crate) async fn events_from_clients_reach_literal_subscribers(stage: Stage) {
    let mut plugin = stage.subscriber().await;
    plugin.subscribe("from:[ab]c:x").await.unwrap();
    plugin.psubscribe("from:system:*").await.unwrap();
    for name in [
        "from:ac:x",
        "from:[ab]c:x",
        "to:system:x",
        "from:system:a:b",
    ] {
        stage.publish(name, br#"{"b":1,"a":2}"#).await;
    }
    let mut messages = plugin.on_message();
    for expected in ["from:[ab]c:x", "from:system:a:b"] {
        let message = soon(messages.next()).await.unwrap();
        assert_eq!(message.get_channel_name(), expected);
        assert_eq!(message.get_payload_bytes(), br#"{"b":1,"a":2}"#);
    }
}

/// A8: what is no name is not delivered, is counted, and hurts nobody.
pub(crate) async fn names_that_are_none_are_refused(stage: Stage) {
    let mut plugin = stage.client().await;
    let long = format!("to:{}:x", "a".repeat(256));
    let wrong = [
        &b"to:room"[..],
        b"to::x",
        b"to:room:",
        b"to:\xff:x",
        b"to:a\nb:x",
        long.as_bytes(),
    ];
    for name in wrong {
        let _: u64 = plugin.publish(name, "1").await.unwrap();
    }
    let _: u64 = plugin.publish("to:room:x", "2").await.unwrap();
    assert_eq!(stage.sink.take_text(1).await, ["room x 2"]);
    use NameError::{Control, Empty, NotABusName, NotUtf8, TooLong};
    assert_eq!(
        *stage.sink.refused.lock(),
        [NotABusName, Empty, Empty, NotUtf8, Control, TooLong]
    );
    assert_eq!(stage.bus.counters().refused, 6);
    assert_eq!(stage.bus.counters().delivered, 1);
}

/// A8, A9, S2: both ways, whatever the bytes.
pub(crate) async fn bodies_arrive_byte_for_byte(stage: Stage) {
    let all: Vec<u8> = (0..=255).collect();
    let large = all.repeat(16 * 1024);
    let bodies = [Vec::new(), all, b"\r\n$-1\r\n".to_vec(), large];
    let mut plugin = stage.client().await;
    let mut subscriber = stage.subscriber().await;
    subscriber.subscribe("from:room:x").await.unwrap();
    let mut messages = subscriber.on_message();
    for body in bodies {
        let _: u64 = plugin.publish("to:room:x", &body).await.unwrap();
        assert!(
            stage.sink.take(1).await[0].body == body,
            "to: {} bytes",
            body.len()
        );
        stage.publish("from:room:x", &body).await;
        let message = soon(messages.next()).await.unwrap();
        assert!(
            message.get_payload_bytes() == body,
            "from: {} bytes",
            body.len()
        );
    }
}

/// S2: the order of one publisher is kept, both ways, with all of it under way at once.
pub(crate) async fn order_is_kept(stage: Stage) {
    const COUNT: usize = 10_000;
    let numbers: Vec<String> = (0..COUNT).map(|n| n.to_string()).collect();

    let mut plugin = stage.client().await;
    for thousand in numbers.chunks(1_000) {
        let mut pipeline = redis::pipe();
        for number in thousand {
            pipeline.publish("to:room:x", number).ignore();
        }
        pipeline.exec_async(&mut plugin).await.unwrap();
    }
    let came = stage.sink.take(COUNT).await;
    assert!(
        came.iter()
            .map(|e| &e.body[..])
            .eq(numbers.iter().map(|n| n.as_bytes()))
    );

    let mut subscriber = stage.subscriber().await;
    subscriber.psubscribe("from:room:*").await.unwrap();
    let name = BusName::parse(b"from:room:x").unwrap();
    let publish = |n: &String| stage.bus.publish(name.clone(), Bytes::from(n.clone()));
    // A thousand under way at once: more would only measure the publish time-out.
    for thousand in numbers.chunks(1_000) {
        let answers = soon(join_all(thousand.iter().map(publish))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
    let messages = subscriber
        .on_message()
        .take(COUNT)
        .map(|m| m.get_payload::<String>().unwrap());
    assert_eq!(soon(messages.collect::<Vec<_>>()).await, numbers);
    assert_eq!(stage.bus.counters().published, COUNT as u64);
}

/// What the gateway publishes to clients comes back to it, once, like anybody's.
pub(crate) async fn the_gateway_hears_itself(stage: Stage) {
    stage.publish("to:room:relayed", b"1").await;
    stage.publish("from:room:pushed", b"2").await;
    stage.publish("to:room:relayed", b"3").await;
    assert_eq!(
        stage.sink.take_text(2).await,
        ["room relayed 1", "room relayed 3"]
    );
}

/// A message comes once for its channel and once for each pattern, and not after leaving.
pub(crate) async fn a_subscriber_hears_each_subscription_that_fits(stage: Stage) {
    let mut plugin = stage.client().await;
    let mut subscriber = stage.subscriber().await;
    subscriber.subscribe(&["news", "other"]).await.unwrap();
    subscriber
        .psubscribe(&["n*", "ne?s", "old*"])
        .await
        .unwrap();
    let receivers: u64 = plugin.publish("news", "1").await.unwrap();
    assert_eq!(receivers, 3);
    subscriber.unsubscribe("news").await.unwrap();
    subscriber.punsubscribe("n*").await.unwrap();
    let receivers: u64 = plugin.publish("news", "2").await.unwrap();
    assert_eq!(receivers, 1);
    let mut messages = subscriber.on_message();
    let mut came = Vec::new();
    for _ in 0..4 {
        let message = soon(messages.next()).await.unwrap();
        let pattern: Option<String> = message.get_pattern().unwrap();
        came.push((
            message.get_payload::<String>().unwrap(),
            pattern.unwrap_or_default(),
        ));
    }
    came.sort();
    let expected = [("1", ""), ("1", "n*"), ("1", "ne?s"), ("2", "ne?s")];
    assert_eq!(
        came,
        expected.map(|(body, pattern)| (body.to_owned(), pattern.to_owned()))
    );

    // Who has gone is subscribed to nothing.
    drop(messages);
    drop(subscriber);
    let deadline = Instant::now() + PATIENCE;
    while plugin.publish::<_, _, u64>("news", "3").await.unwrap() > 0 {
        assert!(
            Instant::now() < deadline,
            "somebody who has gone is still subscribed"
        );
    }
    let patterns: u64 = redis::cmd("PUBSUB")
        .arg("NUMPAT")
        .query_async(&mut plugin)
        .await
        .unwrap();
    assert_eq!(patterns, 1, "the gateway's own");
}

/// T6: what a gateway says to its peers reaches every gateway on the same Redis, in order and apart
/// from what plugins see; alone, a gateway talks to nobody.
pub(crate) async fn gateways_talk_apart_from_plugins(stage: Stage) {
    let mut plugin = stage.subscriber().await;
    plugin.psubscribe("to:*").await.unwrap();
    plugin.psubscribe("from:*").await.unwrap();
    let said = ["one", "two"].map(|word| Bytes::from_static(word.as_bytes()));
    for word in &said {
        soon(stage.bus.publish_to_peers(word.clone()))
            .await
            .unwrap();
    }
    stage.publish("to:room:after", b"1").await;
    assert_eq!(stage.sink.take_text(1).await, ["room after 1"]);
    let heard = std::mem::take(&mut *stage.sink.peers.lock());
    match stage.bus.status().borrow().kind {
        Kind::Redis => assert_eq!(heard, said),
        Kind::InProcess => assert!(heard.is_empty()),
    }
    let message = soon(plugin.on_message().next()).await.unwrap();
    assert_eq!(message.get_channel_name(), "to:room:after");
}
