//! Events from the bus to clients (A6, A8, A11).

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::{Gateway, token};
use crate::socket::Socket;

/// A6 and A8: refs are null, and any JSON goes through byte for byte.
#[tokio::test]
async fn json_goes_through_byte_for_byte() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    for body in [
        r#"{"z":1,"a":1.0}"#,
        "\"text\"",
        "12",
        "true",
        "null",
        " [1, 2] ",
    ] {
        tap.publish("to:room:update", body).await;
        assert_eq!(
            socket.next_text().await,
            format!(r#"[null,null,"room","update",{body}]"#)
        );
    }
}

/// A8: what is no JSON is a binary frame, and nothing for a V1 client.
#[tokio::test]
async fn what_is_no_json_is_a_binary_frame() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut old = Socket::open(gateway.port, "vsn=1.0.0", &[]).await.unwrap();
    let join = json!({"topic": "room", "event": "phx_join", "ref": "1",
        "payload": {"token": token("old", "room")}});
    assert_eq!(old.ask(join).await["payload"]["status"], "ok");
    socket.until_presence_diff("room").await;
    assert_eq!(old.next().await["event"], "presence_state");
    assert_eq!(old.next().await["event"], "presence_diff");

    let mut tap = gateway.tap().await;
    for body in [&b"\xff\x00"[..], b"{broken", b"", b"01", b"{} {}"] {
        tap.publish("to:room:raw", body).await;
        let mut expected = b"\x02\x04\x03roomraw".to_vec();
        expected.extend(body);
        assert_eq!(socket.next_message().await, Message::binary(expected));
    }
    tap.publish("to:room:text", "1").await;
    let expected = json!({"topic": "room", "event": "text", "ref": null, "payload": 1});
    assert_eq!(old.next().await, expected);
}

/// A7 and A8: a topic is literal; neither a prefix nor a pattern hears of another's events.
#[tokio::test]
async fn topics_are_literal() {
    let gateway = Gateway::start().await;
    let topics = [
        "weather",
        "weather:wind",
        "*",
        "weather:*",
        "w?ather",
        "[w]eather",
        "a b",
    ];
    let mut tap = gateway.tap().await;
    let mut sockets = Vec::new();
    for topic in topics {
        sockets.push(gateway.joined(topic, "alice").await);
    }
    for topic in topics {
        tap.publish(&format!("to:{topic}:update"), "1").await;
    }
    for (socket, topic) in sockets.iter_mut().zip(topics) {
        socket.expect(json!([null, null, topic, "update", 1])).await;
        socket.expect_silence().await;
    }
}

/// S8: nothing on the bus can speak for the protocol or for the gateway.
#[tokio::test]
async fn plugins_cannot_forge_the_protocol() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    for name in [
        "to:room:phx_close",
        "to:room:phx_reply",
        "to:room:presence_diff",
        "to:room",
        "to::x",
        "room",
    ] {
        tap.publish(name, "{}").await;
    }
    tap.publish("to:room:good", "{}").await;
    socket.expect(json!([null, null, "room", "good", {}])).await;
}

/// S2: a burst arrives in order, none lost, at every member.
#[tokio::test]
async fn a_burst_arrives_in_order() {
    let gateway = Gateway::start().await;
    let mut first = gateway.joined("room", "alice").await;
    let mut second = gateway.joined("room", "bob").await;
    first.until_presence_diff("room").await;
    let mut tap = gateway.tap().await;
    for n in 0..5000 {
        tap.publish("to:room:n", n.to_string()).await;
    }
    for socket in [&mut first, &mut second] {
        for n in 0..5000 {
            socket.expect(json!([null, null, "room", "n", n])).await;
        }
    }
}

/// A11: the clock on `system`.
#[tokio::test]
async fn the_clock_ticks_on_system() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("system", "alice").await;
    let mut counters = Vec::new();
    for _ in 0..2 {
        let frame = socket.expect_event("system", "datetime").await;
        assert_eq!((&frame[0], &frame[1]), (&json!(null), &json!(null)));
        assert_eq!(frame[4]["status"], "ok");
        let response = &frame[4]["response"];
        let datetime = response["datetime"].as_str().unwrap();
        let (before, offset) = datetime.split_at(datetime.len() - 6);
        assert_eq!(before.len(), "2026-11-21T09:35:31.677".len(), "{datetime}");
        assert!(
            offset.starts_with(['+', '-']) && offset.as_bytes()[3] == b':',
            "{datetime}"
        );
        counters.push(response["counter"].as_u64().unwrap());
    }
    assert_eq!(counters[1], counters[0] + 1);
}
