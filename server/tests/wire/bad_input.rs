//! What nobody should send (wire.md, the table of part D): each gets its answer, nothing reaches
//! the bus, and no other connection notices.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::{Gateway, now, signed, token};
use crate::socket::refused;

/// S7: a frame that cannot be read is answered with the reason, on `phoenix`.
#[tokio::test]
async fn malformed_frames_are_answered_and_go_nowhere() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut socket = gateway.connect().await;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for frame in [
        "",
        "nonsense",
        "{}",
        "[]",
        r#"["1","1","room","event"]"#,
        r#"["1","1","room","event",{}"#,
        r#"["1","1",5,"event",{}]"#,
        r#"["1","1","room",null,{}]"#,
        r#"["1","1","room","event",{}] trailing"#,
        r#"["1","1","room","event",tru]"#,
        deep.as_str(),
    ] {
        socket.send_text(frame).await;
        let answer = socket.next().await;
        assert_eq!(
            (
                &answer[0],
                &answer[1],
                &answer[2],
                &answer[3],
                &answer[4]["reason"]
            ),
            (
                &json!(null),
                &json!(null),
                &json!("phoenix"),
                &json!("error"),
                &json!("malformed frame")
            ),
            "{frame:?}"
        );
        assert!(answer[4]["detail"].is_string());
    }
    for frame in [
        &b""[..],
        b"\x00",
        b"\x00\x01\x01\x04\x04",
        b"\x09\x00\x00\x00\x00",
        b"\x00\x01\x00\x00\x00\xff",
    ] {
        socket.send_message(Message::binary(frame.to_vec())).await;
        assert_eq!(
            socket.next().await[4]["reason"],
            "malformed frame",
            "{frame:?}"
        );
    }
    let long_ref = "9".repeat(65);
    socket
        .send(json!([null, long_ref, "phoenix", "heartbeat", {}]))
        .await;
    assert_eq!(socket.next().await[4]["reason"], "malformed frame");
    tap.expect_silence().await;
    socket.expect_silence().await;
}

/// S7: after 20 errors the socket is closed; a neighbour notices nothing.
#[tokio::test]
async fn twenty_errors_close_the_socket_and_no_other() {
    let gateway = Gateway::start().await;
    let mut neighbour = gateway.joined("room", "alice").await;
    let mut socket = gateway.connect().await;
    for _ in 0..20 {
        socket.send_text("nonsense").await;
    }
    assert_eq!(socket.closed().await, (1008, "too many errors".to_owned()));
    neighbour.expect_silence().await;
}

/// What a client meets in its ordinary life does not close its socket.
#[tokio::test]
async fn ordinary_refusals_do_not_count_as_errors() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    for n in 0..40 {
        let answer = socket.ask(json!(["1", n, "room", "phx_join", {}])).await;
        assert_eq!(
            answer,
            refused(json!("1"), json!(n), "room", "unauthorized")
        );
    }
    socket.expect_silence().await;
}

/// Forged tokens: each with its reason.
#[tokio::test]
async fn forged_tokens_open_nothing() {
    use base64::Engine;
    use jsonwebtoken::Algorithm;
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut socket = gateway.connect().await;
    let claims = json!({"id": "mallory", "channel": "room", "exp": now() + 60});
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let none = format!(
        "{}.{}.",
        encode(r#"{"alg":"none"}"#),
        encode(&claims.to_string())
    );
    let expired = json!({"id": "mallory", "channel": "room", "exp": now() - 60});
    for (forged, reason) in [
        (none, "invalid token"),
        (
            signed(&claims, "another secret", Algorithm::HS256),
            "invalid token",
        ),
        (
            signed(&claims, crate::gateway::SECRET, Algorithm::HS512),
            "invalid token",
        ),
        (
            signed(
                &json!({"channel": "room"}),
                crate::gateway::SECRET,
                Algorithm::HS256,
            ),
            "invalid token",
        ),
        (
            signed(&expired, crate::gateway::SECRET, Algorithm::HS256),
            "token expired",
        ),
        (token("mallory", "other"), "token is for another channel"),
        (token("mallory", "*"), "token is for another channel"),
        (token(&"x".repeat(300), "room"), "invalid token"),
    ] {
        let answer = socket
            .ask(json!(["1", "1", "room", "phx_join", {"token": forged}]))
            .await;
        assert_eq!(
            answer,
            refused(json!("1"), json!("1"), "room", reason),
            "{forged}"
        );
    }
    tap.expect_silence().await;
}

/// S8: whatever a client writes, it arrives under `from:` and its own topic and nowhere else.
#[tokio::test]
async fn a_client_cannot_pass_for_a_plugin() {
    let gateway = Gateway::start().await;
    let mut victim = gateway.joined("room", "alice").await;
    let topic = "to:room";
    let mut mallory = gateway.joined(topic, "mallory").await;
    let mut tap = gateway.tap().await;
    let payload = json!({"sender": "plugin", "from": "to:room:update", "kind": "service"});
    mallory
        .send(json!(["1", "2", topic, "update", payload]))
        .await;
    let (name, body) = tap.next().await;
    assert_eq!(name, "from:to:room:update");
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
        payload
    );
    let answer = mallory.ask(json!(["1", "3", "room", "update", {}])).await;
    assert_eq!(answer[3], "phx_reply");
    victim.expect_silence().await;
}
