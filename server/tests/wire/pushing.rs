//! Pushes from clients to the bus (A5, A7, A9).

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::{Gateway, token};
use crate::socket::{ok, refused};

/// A5 and A9: the body is the client's bytes: no field lost, no key moved, no number rewritten.
#[tokio::test]
async fn a_push_reaches_the_bus_byte_for_byte() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("weather:wind", "alice").await;
    let mut tap = gateway.tap().await;
    for payload in [
        r#"{"z":1,"a":{"y":2,"b":[1.0,1e3,-0]},"message":"hi","extra":1}"#,
        r#"{"token":"kept","id":5}"#,
        "null",
        "[]",
        r#""text \u00e4""#,
        "12345678901234567890",
        "{ \"spaced\" :  true }",
    ] {
        socket
            .send_text(&format!(r#"["1","7","weather:wind","up date",{payload}]"#))
            .await;
        tap.expect("from:weather:wind:up date", payload).await;
        socket
            .expect(ok(json!("1"), json!("7"), "weather:wind"))
            .await;
    }
}

/// A5: no ref, no answer; a null join_ref is accepted.
#[tokio::test]
async fn a_push_without_ref_gets_no_answer() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    socket
        .send(json!([null, null, "room", "quiet", {"n": 1}]))
        .await;
    tap.expect("from:room:quiet", r#"{"n":1}"#).await;
    socket.expect_silence().await;
}

/// A9: a binary push arrives as its raw bytes, UTF-8 or not.
#[tokio::test]
async fn a_binary_push_reaches_the_bus_as_bytes() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    let mut frame = b"\x00\x01\x01\x04\x0319roomraw".to_vec();
    frame.extend([0xff, 0x00, 0xfe]);
    socket.send_message(Message::binary(frame)).await;
    assert_eq!(
        tap.next().await,
        ("from:room:raw".to_owned(), vec![0xff, 0x00, 0xfe])
    );
    socket.expect(ok(json!("1"), json!("9"), "room")).await;
}

/// A5: a topic that was not joined, whatever else is joined.
#[tokio::test]
async fn a_push_to_an_unjoined_topic_is_refused() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    for topic in ["other", "room:1", "*", "phoenix"] {
        let answer = socket.ask(json!(["1", "8", topic, "event", {}])).await;
        assert_eq!(
            answer,
            refused(json!(null), json!("8"), topic, "unmatched topic")
        );
    }
    tap.expect_silence().await;
}

/// A5 and S8: names of the protocol are no names of events.
#[tokio::test]
async fn reserved_and_invalid_events_are_refused() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    for (event, reason) in [
        ("phx_reply", "reserved event"),
        ("phx_close", "reserved event"),
        ("presence_diff", "reserved event"),
        ("presence_state", "reserved event"),
        ("a:b", "invalid event"),
        ("", "invalid event"),
        ("line\nbreak", "invalid event"),
    ] {
        let answer = socket.ask(json!(["1", "8", "room", event, {}])).await;
        assert_eq!(
            answer,
            refused(json!("1"), json!("8"), "room", reason),
            "{event:?}"
        );
    }
    tap.expect_silence().await;
}

/// The definition says who may push.
#[tokio::test]
async fn the_definition_says_who_may_push() {
    let config = r#"
        [[channels]]
        pattern = "news:*"
        join = "public"
        push = "token"
    "#;
    let flags = [
        "--jwt-secret",
        crate::gateway::SECRET,
        "--admin-password",
        "open sesame",
    ];
    let gateway = Gateway::with(&flags, config).await;
    let mut tap = gateway.tap().await;
    let mut anonymous = gateway.connect().await;
    assert_eq!(
        anonymous
            .ask(json!(["1", "1", "news:1", "phx_join", {}]))
            .await[4]["status"],
        "ok"
    );
    anonymous.expect_event("news:1", "presence_state").await;
    anonymous.until_presence_diff("news:1").await;
    assert_eq!(tap.next().await.0, "from:news:1:phx_join");
    let answer = anonymous.ask(json!(["1", "2", "news:1", "post", {}])).await;
    assert_eq!(
        answer,
        refused(json!("1"), json!("2"), "news:1", "push not allowed")
    );
    tap.expect_silence().await;

    let mut editor = gateway.connect().await;
    let join = json!(["1", "1", "news:1", "phx_join", {"token": token("ed", "news:*")}]);
    assert_eq!(editor.ask(join).await[4]["status"], "ok");
    editor.expect_event("news:1", "presence_state").await;
    editor.until_presence_diff("news:1").await;
    let answer = editor.ask(json!(["1", "2", "news:1", "post", {}])).await;
    assert_eq!(answer, ok(json!("1"), json!("2"), "news:1"));
}

/// A channel that relays passes an event to the other members, not back to its sender.
#[tokio::test]
async fn a_relaying_channel_passes_events_to_the_others() {
    let config = "[[channels]]\npattern = \"chat\"\nrelay = true\npresence = \"off\"\n";
    let flags = [
        "--jwt-secret",
        crate::gateway::SECRET,
        "--admin-password",
        "open sesame",
    ];
    let gateway = Gateway::with(&flags, config).await;
    let mut tap = gateway.tap().await;
    let mut members = Vec::new();
    for user in ["alice", "bob"] {
        let mut socket = gateway.connect().await;
        let join = json!(["1", "1", "chat", "phx_join", {"token": token(user, "chat")}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
        tap.expect_lifecycle("from:chat:phx_join", user).await;
        members.push(socket);
    }
    let reply = members[0]
        .ask(json!(["1", "2", "chat", "said", {"text": "hi"}]))
        .await;
    assert_eq!(reply, ok(json!("1"), json!("2"), "chat"));
    members[1]
        .expect(json!([null, null, "chat", "said", {"text": "hi"}]))
        .await;
    members[0].expect_silence().await;
    tap.expect("from:chat:said", r#"{"text":"hi"}"#).await;
}

/// S3: while the bus floods a client, its pushes still go through: neither side starves.
#[tokio::test]
async fn pushes_go_through_a_flood() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    let mut flooder = gateway.tap().await;
    let flooded = Arc::new(AtomicU64::new(0));
    let flood = tokio::spawn({
        let flooded = flooded.clone();
        async move {
            loop {
                flooder.publish("to:room:flood", "{}").await;
                flooded.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let mut pushes = 0;
    while pushes < 10 || flooded.load(Ordering::Relaxed) < 1000 {
        pushes += 1;
        socket
            .send(json!(["1", pushes, "room", "push", pushes]))
            .await;
        tap.expect("from:room:push", &pushes.to_string()).await;
        // The reply has its own lane: it comes although events wait.
        while !socket.next_text().await.contains("phx_reply") {}
    }
    flood.abort();
}
