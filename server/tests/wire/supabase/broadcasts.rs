//! Broadcasts: opcodes 3 and 4, and the event `broadcast` (A5, A8, A9).

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{CHAT, config, gateway, join};
use crate::gateway::{Gateway, token};
use crate::socket::{Socket, ok, refused};

/// A frame with opcode 3, as the serializer of realtime-js writes it.
fn broadcast(reference: &str, topic: &str, event: &str, encoding: u8, payload: &[u8]) -> Message {
    let parts = ["1", reference, topic, event, r#"{"persist":true}"#];
    let mut frame = vec![3];
    frame.extend(parts.iter().map(|part| part.len() as u8));
    frame.push(encoding);
    frame.extend(parts.concat().as_bytes());
    frame.extend(payload);
    Message::binary(frame)
}

/// A5, A9: a JSON broadcast reaches the bus and the other members as `{type, event, payload}`
/// with its payload's bytes, whoever they are, and is answered; a text push does the same.
#[tokio::test]
async fn a_json_broadcast_reaches_the_bus_and_the_others() {
    let gateway = Gateway::start().await;
    let mut alice = join(&gateway, CHAT, config("alice", CHAT, json!({}))).await;
    let mut bob = join(&gateway, CHAT, config("bob", CHAT, json!({}))).await;
    let mut plain = join(&gateway, CHAT, json!({"token": token("carol", CHAT)})).await;
    for socket in [&mut alice, &mut bob, &mut plain] {
        socket.settle_presence().await;
    }
    let mut tap = gateway.tap().await;

    let payload = br#"{"z":1.50,"a":[1e3, null]}"#;
    alice
        .send_message(broadcast("7", CHAT, "cursor:\"x\"", 1, payload))
        .await;
    let body =
        r#"{"type":"broadcast","event":"cursor:\"x\"","payload":{"z":1.50,"a":[1e3, null]}}"#;
    tap.expect("from:realtime:chat:broadcast", body).await;
    alice.expect(ok(json!("1"), json!("7"), CHAT)).await;
    let frame = format!(r#"[null,null,"{CHAT}","broadcast",{body}]"#);
    for other in [&mut bob, &mut plain] {
        assert_eq!(other.next_text().await, frame);
    }
    alice.expect_silence().await;

    let text = r#"{"type":"broadcast","event":"say","payload":{}}"#;
    bob.send_text(&format!(r#"["1","8","{CHAT}","broadcast",{text}]"#))
        .await;
    tap.expect("from:realtime:chat:broadcast", text).await;
    bob.expect(ok(json!("1"), json!("8"), CHAT)).await;
    let frame = format!(r#"[null,null,"{CHAT}","broadcast",{text}]"#);
    assert_eq!(alice.next_text().await, frame);

    // Without a ref nobody waits for an answer (A5).
    bob.send_message(broadcast("", CHAT, "say", 1, b"{}")).await;
    assert_eq!(alice.next_text().await, frame);
    bob.expect_silence().await;
}

/// A5, A8, A9: bytes are a push of the broadcast's own event; Supabase's members get opcode 4,
/// plain ones opcode 2, V1 nothing.
#[tokio::test]
async fn a_broadcast_of_bytes_reaches_each_in_its_own_form() {
    let gateway = Gateway::start().await;
    let mut alice = join(&gateway, CHAT, config("alice", CHAT, json!({}))).await;
    let mut bob = join(&gateway, CHAT, config("bob", CHAT, json!({}))).await;
    let mut plain = join(&gateway, CHAT, json!({"token": token("carol", CHAT)})).await;
    let mut v1 = Socket::open(gateway.port, "vsn=1.0.0", &[]).await.unwrap();
    let payload = config("dave", CHAT, json!({}));
    let reply = v1
        .ask(json!({"topic": CHAT, "event": "phx_join", "payload": payload, "ref": "1"}))
        .await;
    assert_eq!(reply["payload"]["status"], "ok");
    for socket in [&mut alice, &mut bob, &mut plain] {
        socket.settle_presence().await;
    }
    let mut tap = gateway.tap().await;

    let bytes = [0xff, 0x00, b'"', 0x03];
    alice
        .send_message(broadcast("7", CHAT, "blob", 0, &bytes))
        .await;
    let (name, body) = tap.next().await;
    assert_eq!(
        (name.as_str(), &body[..]),
        ("from:realtime:chat:blob", &bytes[..])
    );
    alice.expect(ok(json!("1"), json!("7"), CHAT)).await;
    let with =
        |header: &[u8]| Message::binary([header, CHAT.as_bytes(), b"blob", &bytes[..]].concat());
    let (supabase, phoenix) = (with(&[4, 13, 4, 0, 0]), with(&[2, 13, 4]));
    assert_eq!(bob.next_message().await, supabase);
    assert_eq!(plain.next_message().await, phoenix);

    // What a plugin publishes comes in the same forms; the order of each socket shows that V1 got
    // nothing.
    tap.publish("to:realtime:chat:blob", bytes).await;
    for socket in [&mut alice, &mut bob] {
        assert_eq!(socket.next_message().await, supabase);
    }
    assert_eq!(plain.next_message().await, phoenix);
    let wrapped = r#"{"type":"broadcast","event":"news","payload":{"b":1,"a":2}}"#;
    tap.publish("to:realtime:chat:broadcast", wrapped).await;
    let frame = format!(r#"[null,null,"{CHAT}","broadcast",{wrapped}]"#);
    for socket in [&mut alice, &mut bob, &mut plain] {
        assert_eq!(socket.next_text().await, frame);
    }
    let news = loop {
        let text = v1.next_text().await;
        if !text.contains("presence_") {
            break text;
        }
    };
    assert!(news.contains(wrapped), "{news}");
}

/// `config.broadcast.self` asks for one's own broadcasts; only where the channel relays.
#[tokio::test]
async fn a_member_may_ask_for_its_own_broadcasts() {
    let gateway = gateway(
        r#"
        [[channels]]
        pattern = "realtime:mute"
        relay = false
        "#,
    )
    .await;
    let own = json!({"broadcast": {"self": true}});
    for (topic, comes) in [(CHAT, true), ("realtime:mute", false)] {
        let mut alice = join(&gateway, topic, config("alice", topic, own.clone())).await;
        alice
            .send_message(broadcast("7", topic, "say", 1, b"1"))
            .await;
        if comes {
            let body = json!({"type": "broadcast", "event": "say", "payload": 1});
            alice
                .expect(json!([null, null, topic, "broadcast", body]))
                .await;
        }
        alice.expect(ok(json!("1"), json!("7"), topic)).await;
        alice.expect_silence().await;
    }
}

/// A5: opcode 3 opens no way round the rules for pushes, and malformed frames harm nobody.
#[tokio::test]
async fn broadcasts_are_held_to_the_rules_of_pushes() {
    let gateway = Gateway::start().await;
    let mut alice = join(&gateway, CHAT, config("alice", CHAT, json!({}))).await;
    let mut tap = gateway.tap().await;
    for (topic, event, encoding, answer) in [
        (
            "room",
            "say",
            1,
            refused(json!(null), json!("7"), "room", "unmatched topic"),
        ),
        (
            "room",
            "say",
            0,
            refused(json!(null), json!("7"), "room", "unmatched topic"),
        ),
        (
            CHAT,
            "phx_close",
            0,
            refused(json!("1"), json!("7"), CHAT, "reserved event"),
        ),
        (
            CHAT,
            "a:b",
            0,
            refused(json!("1"), json!("7"), CHAT, "invalid event"),
        ),
        (
            CHAT,
            "access_token",
            0,
            refused(json!("1"), json!("7"), CHAT, "unauthorized"),
        ),
    ] {
        alice
            .send_message(broadcast("7", topic, event, encoding, b"{}"))
            .await;
        alice.expect(answer).await;
    }
    for (frame, detail) in [
        (
            broadcast("7", CHAT, "say", 1, b"{"),
            "the broadcast's payload is not JSON",
        ),
        (
            broadcast("7", CHAT, "say", 2, b"{}"),
            "the broadcast's encoding must be 0 for bytes or 1 for JSON",
        ),
        (
            Message::binary(&b"\x03\x01\x01\xff\x01\x00\x011"[..]),
            "the binary frame is shorter than its header says",
        ),
        (
            Message::binary(&b"\x04\x01\x01\x00\x01ab"[..]),
            "the binary frame has an unknown opcode",
        ),
    ] {
        alice.send_message(frame).await;
        let error = alice.expect_event("phoenix", "error").await;
        assert_eq!(
            error[4],
            json!({"reason": "malformed frame", "detail": detail})
        );
    }
    tap.expect_silence().await;
}

/// On other topics a `config` is the application's own and changes nothing.
#[tokio::test]
async fn a_config_on_other_topics_means_nothing() {
    let gateway = gateway("[[channels]]\npattern = \"room\"\nrelay = true").await;
    let own = json!({"broadcast": {"self": true}});
    let mut alice = join(&gateway, "room", config("alice", "room", own)).await;
    let push = json!(["1", "2", "room", "say", {}]);
    assert_eq!(alice.ask(push).await, ok(json!("1"), json!("2"), "room"));
    alice.expect_silence().await;
    let mut tap = gateway.tap().await;
    tap.publish("to:room:blob", b"\xff").await;
    let expected = Message::binary(&b"\x02\x04\x04roomblob\xff"[..]);
    assert_eq!(alice.next_message().await, expected);
}
