//! Joining and leaving (A1 to A4, A10).

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::{Gateway, token};
use crate::socket::{Socket, ok, refused};

/// A1: the versions that are known, and those that are not.
#[tokio::test]
async fn the_version_decides_the_serializer() {
    let gateway = Gateway::start().await;
    for query in ["vsn=2.0.0", "vsn=1.0.0", ""] {
        assert!(
            Socket::open(gateway.port, query, &[]).await.is_ok(),
            "{query:?}"
        );
    }
    for query in ["vsn=9.9.9", "vsn=", "vsn=2.0"] {
        assert_eq!(
            Socket::open(gateway.port, query, &[]).await.err(),
            Some(403),
            "{query:?}"
        );
    }
}

/// A1: without `vsn` the first frame decides: an array is V2, an object V1.
#[tokio::test]
async fn without_a_version_the_first_frame_decides() {
    let gateway = Gateway::start().await;
    let mut v2 = Socket::open(gateway.port, "", &[]).await.unwrap();
    v2.expect_silence().await;
    let mut v1 = Socket::open(gateway.port, "", &[]).await.unwrap();
    let beat = json!({"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "1"});
    let reply = json!({"topic": "phoenix", "event": "phx_reply", "ref": "1",
        "payload": {"status": "ok", "response": {}}});
    assert_eq!(v1.ask(beat).await, reply);
}

/// A1: an Origin of another host is refused, none and the own are not.
#[tokio::test]
async fn foreign_origins_are_refused() {
    let gateway = Gateway::with(&["--allowed-origins", "https://app.example.com"], "").await;
    for (origin, status) in [
        ("http://localhost:1234", None),
        ("https://app.example.com", None),
        ("http://evil.example", Some(403)),
        ("null", Some(403)),
    ] {
        let answer = Socket::open(gateway.port, "vsn=2.0.0", &[("origin", origin)]).await;
        assert_eq!(answer.err(), status, "{origin}");
    }
}

/// A1: join payload, then subprotocol, then query; the subprotocol is answered with `phoenix`.
#[tokio::test]
async fn a_token_comes_in_three_ways_and_the_closest_wins() {
    use base64::Engine;
    let gateway = Gateway::start().await;
    let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(token("sub", "room"));
    let offer = format!("phoenix, base64url.bearer.phx.{encoded}");
    let query = format!("vsn=2.0.0&userToken={}", token("query", "room"));

    let user = async |query: &str, headers: &[(&str, &str)], payload: Value| {
        let mut socket = Socket::open(gateway.port, query, headers).await.unwrap();
        let reply = socket
            .ask(json!(["1", "1", "room", "phx_join", payload]))
            .await;
        assert_eq!(reply[4]["status"], "ok", "{reply}");
        let state = socket.expect_event("room", "presence_state").await;
        let users: Vec<_> = state[4].as_object().unwrap().keys().cloned().collect();
        assert_eq!(users.len(), 1, "{state}");
        let protocol = socket.protocol.clone();
        socket
            .send(json!(["1", "2", "room", "phx_leave", {}]))
            .await;
        while socket.next().await[3] != "phx_close" {}
        (users[0].clone(), protocol)
    };
    let offered = [("sec-websocket-protocol", offer.as_str())];
    let phoenix = Some("phoenix".to_owned());
    assert_eq!(user(&query, &[], json!({})).await, ("query".into(), None));
    assert_eq!(
        user(&query, &offered, json!({})).await,
        ("sub".into(), phoenix.clone())
    );
    let own = json!({"token": token("join", "room")});
    assert_eq!(user(&query, &offered, own).await, ("join".into(), phoenix));
}

/// A2: refs are echoed as the JSON value they came as; further elements are ignored.
#[tokio::test]
async fn refs_are_echoed_as_they_came() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    for reference in [
        json!("7"),
        json!(7),
        json!(0),
        json!(1.5),
        json!("ä\""),
        json!(null),
    ] {
        let frame = json!([null, reference, "phoenix", "heartbeat", {}, "more", 6]);
        assert_eq!(
            socket.ask(frame).await,
            ok(json!(null), reference, "phoenix")
        );
    }
    let join = json!([3, 4, "room", "phx_join", {"token": token("alice", "room")}]);
    let reply = socket.ask(join).await;
    assert_eq!((&reply[0], &reply[1]), (&json!(3), &json!(4)));
}

/// A3: the reply holds the id of the member; a missing join_ref is the ref.
#[tokio::test]
async fn a_join_is_answered_with_its_id() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    let join = json!([null, "5", "room:1", "phx_join", {"token": token("alice", "room:1")}]);
    let reply = socket.ask(join).await;
    assert_eq!(reply[4]["status"], "ok");
    let id = reply[4]["response"]["id"].as_str().unwrap();
    let parts: Vec<_> = id.splitn(2, ':').collect();
    assert_eq!(parts[1], "room:1:5");
    assert!(!parts[0].is_empty());
}

/// A3: every refusal is answered with its reason, and nothing reaches the bus.
#[tokio::test]
async fn a_refused_join_is_answered_with_the_reason() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut socket = gateway.connect().await;
    let good = token("alice", "room");
    let large = "x".repeat(1100);
    for (join_ref, reference, topic, payload, reason) in [
        (json!("1"), json!("1"), "room", json!({}), "unauthorized"),
        (json!("1"), json!("1"), "room", json!(null), "unauthorized"),
        (
            json!("1"),
            json!("1"),
            "room",
            json!({"token": "garbage"}),
            "invalid token",
        ),
        (
            json!("1"),
            json!("1"),
            "other",
            json!({"token": good}),
            "token is for another channel",
        ),
        (
            json!("1"),
            json!("1"),
            "admin",
            json!({"token": good}),
            "token is for another channel",
        ),
        (
            json!("1"),
            json!("1"),
            "",
            json!({"token": good}),
            "invalid topic",
        ),
        (
            json!("1"),
            json!("1"),
            "a\u{0}b",
            json!({"token": good}),
            "invalid topic",
        ),
        (json!("1"), json!("1"), "room", json!([]), "invalid join"),
        (
            json!("1"),
            json!("1"),
            "room",
            json!({"token": 5}),
            "invalid join",
        ),
        (
            json!("1"),
            json!("1"),
            "room",
            json!({"token": good, "presence": 5}),
            "invalid join",
        ),
        (
            json!("1"),
            json!("1"),
            "room",
            json!({"presence": {"a": large}}),
            "presence too large",
        ),
        (
            json!(null),
            json!(null),
            "room",
            json!({"token": good}),
            "invalid join",
        ),
    ] {
        let frame = json!([join_ref, reference, topic, "phx_join", payload]);
        let answer = socket.ask(frame).await;
        assert_eq!(answer, refused(join_ref, reference, topic, reason));
    }
    let phoenix = socket
        .ask(json!(["1", "1", "phoenix", "phx_join", {}]))
        .await;
    assert_eq!(
        phoenix,
        refused(json!(null), json!("1"), "phoenix", "unmatched topic")
    );
    tap.expect_silence().await;
}

/// A3: nothing that is published after the reply is missed.
#[tokio::test]
async fn the_subscription_is_live_before_the_reply() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    for n in 0..50 {
        let topic = format!("fresh:{n}");
        let mut socket = gateway.connect().await;
        let join = json!(["1", "1", topic, "phx_join", {"token": token("alice", &topic)}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
        tap.publish(&format!("to:{topic}:first"), "1").await;
        let mut frame = socket.next().await;
        while frame[3].as_str().unwrap().starts_with("presence_") {
            frame = socket.next().await;
        }
        assert_eq!(frame, json!([null, null, topic, "first", 1]));
    }
}

/// A4 and A10: a leave is answered, then the channel is closed with the old join_ref; backends
/// hear of both, without the token.
#[tokio::test]
async fn a_leave_is_answered_and_then_closed() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut socket = gateway.joined("room", "alice").await;
    tap.expect_lifecycle("from:room:phx_join", "alice").await;
    let reply = socket.ask(json!(["1", "9", "room", "phx_leave", {}])).await;
    assert_eq!(reply, ok(json!("1"), json!("9"), "room"));
    socket
        .expect(json!(["1", "1", "room", "phx_close", {}]))
        .await;
    tap.expect_lifecycle("from:room:phx_leave", "alice").await;
    tap.publish("to:room:late", "{}").await;
    socket.expect_silence().await;
}

/// A4: also for a topic that was not joined, which no backend hears of.
#[tokio::test]
async fn leaving_what_was_not_joined_is_answered_ok() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut socket = gateway.connect().await;
    let reply = socket
        .ask(json!(["4", "5", "never", "phx_leave", {}]))
        .await;
    assert_eq!(reply, ok(json!("4"), json!("5"), "never"));
    let reply = socket
        .ask(json!([null, "6", "never", "phx_leave", null]))
        .await;
    assert_eq!(reply, ok(json!(null), json!("6"), "never"));
    // Only a push asks for no answer by having no ref.
    let reply = socket
        .ask(json!(["4", null, "never", "phx_leave", {}]))
        .await;
    assert_eq!(reply, ok(json!("4"), json!(null), "never"));
    socket.expect_silence().await;
    tap.expect_silence().await;
}

/// A4: a duplicate join replaces the old one, which is closed after the new reply; deliveries
/// never stack, and the old join_ref is stale.
#[tokio::test]
async fn a_duplicate_join_replaces_the_old_one() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut socket = gateway.joined("room", "alice").await;
    tap.expect_lifecycle("from:room:phx_join", "alice").await;
    let join = json!(["2", "2", "room", "phx_join", {"token": token("alice", "room")}]);
    assert_eq!(socket.ask(join).await[4]["status"], "ok");
    socket
        .expect(json!(["1", "1", "room", "phx_close", {}]))
        .await;
    socket.expect_event("room", "presence_state").await;
    socket.until_presence_diff("room").await;
    tap.expect_lifecycle("from:room:phx_leave", "alice").await;
    tap.expect_lifecycle("from:room:phx_join", "alice").await;

    tap.publish("to:room:once", "{}").await;
    socket.expect(json!([null, null, "room", "once", {}])).await;
    socket.send(json!(["1", "3", "room", "stale", {}])).await;
    socket
        .send(json!(["1", "4", "room", "phx_leave", {}]))
        .await;
    socket.expect_silence().await;
    tap.expect_silence().await;
    let reply = socket.ask(json!(["2", "5", "room", "fresh", {}])).await;
    assert_eq!(reply, ok(json!("2"), json!("5"), "room"));
}

/// Part F: one join_ref for all topics is as good as one each.
#[tokio::test]
async fn one_join_ref_may_serve_many_topics() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    for topic in ["host", "flights"] {
        let reply = socket.ask(json!(["1", "1", topic, "phx_join", {}])).await;
        assert_eq!(reply[4]["status"], "ok", "{reply}");
    }
}

/// A10: a lost socket is a leave.
#[tokio::test]
async fn a_lost_socket_is_a_leave() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let socket = gateway.joined("room", "alice").await;
    tap.expect_lifecycle("from:room:phx_join", "alice").await;
    drop(socket);
    tap.expect_lifecycle("from:room:phx_leave", "alice").await;
}

/// Part D: a binary `phx_join` is no join.
#[tokio::test]
async fn a_binary_join_is_refused() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut socket = gateway.connect().await;
    let frame = b"\x00\x01\x01\x04\x0811roomphx_join{}".to_vec();
    socket.send_message(Message::binary(frame)).await;
    socket
        .expect(refused(json!("1"), json!("1"), "room", "invalid join"))
        .await;
    tap.expect_silence().await;
}
