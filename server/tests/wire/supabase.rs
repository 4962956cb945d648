//! What Supabase's clients speak beside Phoenix, and what any client may use of it.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::{Gateway, PASSWORD, SECRET, now, signed, token};
use crate::socket::{Socket, ok, refused};

async fn gateway(config: &str) -> Gateway {
    Gateway::with(
        &["--jwt-secret", SECRET, "--admin-password", PASSWORD],
        config,
    )
    .await
}

/// Joins, and reads everything that comes of it.
async fn join(gateway: &Gateway, topic: &str, payload: Value) -> Socket {
    let mut socket = gateway.connect().await;
    let reply = socket
        .ask(json!(["1", "1", topic, "phx_join", payload]))
        .await;
    assert_eq!(reply[4]["status"], "ok", "{reply}");
    socket.settle().await;
    socket
}

/// A13: the join's `access_token` is its token where there is no `token`.
#[tokio::test]
async fn a_join_may_call_its_token_access_token() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    for (payload, answer) in [
        (json!({"access_token": token("alice", "room")}), Ok("alice")),
        (
            json!({"token": null, "access_token": token("bob", "room")}),
            Ok("bob"),
        ),
        (
            json!({"token": token("carol", "room"), "access_token": "garbage"}),
            Ok("carol"),
        ),
        (json!({"access_token": "garbage"}), Err("invalid token")),
        (json!({"access_token": 5}), Err("invalid join")),
        (json!({"access_token": null}), Err("unauthorized")),
    ] {
        let mut socket = gateway.connect().await;
        let reply = socket
            .ask(json!(["1", "1", "room", "phx_join", payload]))
            .await;
        match answer {
            Ok(user) => {
                assert_eq!(reply[4]["status"], "ok", "{payload}");
                tap.expect_lifecycle("from:room:phx_join", user).await;
                drop(socket);
                tap.expect_lifecycle("from:room:phx_leave", user).await;
            }
            Err(reason) => assert_eq!(
                reply,
                refused(json!("1"), json!("1"), "room", reason),
                "{payload}"
            ),
        }
    }
    tap.expect_silence().await;
}

/// A10 and A13: a member renews its token in place, and neither a good one nor a bad one reaches
/// the bus.
#[tokio::test]
async fn a_token_is_renewed_in_place_and_never_reaches_the_bus() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    let expired = signed(
        &json!({"id": "alice", "channel": "room", "exp": now() - 60}),
        SECRET,
        jsonwebtoken::Algorithm::HS256,
    );
    for (payload, reason) in [
        (json!({"access_token": token("alice", "room")}), None),
        (json!({"token": token("alice", "room")}), None),
        (
            json!({"access_token": token("mallory", "room")}),
            Some("token is for another user"),
        ),
        (
            json!({"access_token": token(" ", "room")}),
            Some("token is for another user"),
        ),
        (
            json!({"access_token": token("alice", "other")}),
            Some("token is for another channel"),
        ),
        (json!({"access_token": expired}), Some("token expired")),
        (json!({"access_token": "garbage"}), Some("invalid token")),
        (json!({"access_token": 5}), Some("invalid token")),
        (json!({"access_token": null}), Some("unauthorized")),
        (json!({}), Some("unauthorized")),
        (json!([]), Some("invalid token")),
        (json!(null), Some("invalid token")),
    ] {
        let answer = socket
            .ask(json!(["1", "2", "room", "access_token", payload]))
            .await;
        let expected = match reason {
            None => ok(json!("1"), json!("2"), "room"),
            Some(reason) => refused(json!("1"), json!("2"), "room", reason),
        };
        assert_eq!(answer, expected, "{payload}");
    }
    // A refused one changed nothing, and a stale join's token is nobody's.
    let stale = json!(["0", "3", "room", "access_token", {"access_token": token("alice", "room")}]);
    socket.send(stale).await;
    socket.expect_silence().await;
    tap.expect_silence().await;
    let push = json!(["1", "4", "room", "still", {"here": true}]);
    assert_eq!(socket.ask(push).await, ok(json!("1"), json!("4"), "room"));
    tap.expect("from:room:still", r#"{"here":true}"#).await;
}

/// A5 and A10: where the topic is not joined there is nobody to renew; and bytes are no way round.
#[tokio::test]
async fn a_token_for_an_unjoined_topic_or_in_bytes_reaches_no_bus() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    for topic in ["other", "phoenix"] {
        let token = token("alice", topic);
        let push = json!(["1", "2", topic, "access_token", {"access_token": token}]);
        assert_eq!(
            socket.ask(push).await,
            refused(json!(null), json!("2"), topic, "unmatched topic")
        );
    }
    let renewed = json!({"access_token": token("alice", "room")}).to_string();
    for (bytes, answer) in [
        (renewed.as_bytes(), ok(json!("1"), json!("3"), "room")),
        (
            b"\xff\xfe",
            refused(json!("1"), json!("3"), "room", "invalid token"),
        ),
    ] {
        let mut frame = b"\x00\x01\x01\x04\x0c13roomaccess_token".to_vec();
        frame.extend(bytes);
        socket.send_message(Message::binary(frame)).await;
        socket.expect(answer).await;
    }
    tap.expect_silence().await;
}

/// A13: what the new token lets a member do, it may do from then on; also one that joined
/// `realtime:*` as Supabase's clients do, and one of V1.
#[tokio::test]
async fn the_new_token_counts_from_then_on() {
    let gateway = gateway(
        r#"
        [[channels]]
        pattern = "realtime:news"
        join = "public"
        push = "token"
        "#,
    )
    .await;
    // Without an id it is nobody's in particular, so whoever came without one may show it.
    let payload = json!({"config": {"broadcast": {"self": false}}});
    let mut socket = join(&gateway, "realtime:news", payload).await;
    let topic = "realtime:news";
    let push = json!(["1", "3", topic, "say", {}]);
    assert_eq!(
        socket.ask(push.clone()).await,
        refused(json!("1"), json!("3"), topic, "push not allowed")
    );
    let renew =
        |id: &str| json!(["1", "2", topic, "access_token", {"access_token": token(id, topic)}]);
    assert_eq!(
        socket.ask(renew("alice")).await,
        refused(json!("1"), json!("2"), topic, "token is for another user")
    );
    assert_eq!(
        socket.ask(push.clone()).await,
        refused(json!("1"), json!("3"), topic, "push not allowed")
    );
    assert_eq!(
        socket.ask(renew("")).await,
        ok(json!("1"), json!("2"), topic)
    );
    assert_eq!(socket.ask(push).await, ok(json!("1"), json!("3"), topic));

    let mut v1 = Socket::open(gateway.port, "vsn=1.0.0", &[]).await.unwrap();
    let frame = |event: &str, payload: Value| json!({"topic": "room", "event": event, "payload": payload, "ref": "1"});
    for event in ["phx_join", "access_token"] {
        let payload = json!({"access_token": token("bob", "room")});
        let mut answer = v1.ask(frame(event, payload)).await;
        while answer["event"] != "phx_reply" {
            answer = v1.next().await;
        }
        assert_eq!(answer["payload"]["status"], "ok", "{event}: {answer}");
    }
}

/// What realtime-js joins with.
fn config(user: &str, topic: &str, more: Value) -> Value {
    let mut config = json!({
        "broadcast": {"ack": true, "self": false},
        "presence": {"key": "", "enabled": true},
        "postgres_changes": [],
        "private": false,
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    json!({"config": config, "access_token": token(user, topic)})
}

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

const CHAT: &str = "realtime:chat";

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

/// Reads until a frame of this event, and gives it.
async fn next_of(socket: &mut Socket, event: &str) -> Value {
    loop {
        let frame = socket.next().await;
        if frame[3] == event {
            return frame;
        }
        assert!(
            frame[3].as_str().unwrap().starts_with("presence_"),
            "{frame}"
        );
    }
}

fn tracking(reference: &str, said: Value) -> Value {
    json!(["1", reference, CHAT, "presence", said])
}

/// A12: `track` is an update of the one meta a member has; `untrack` takes it away, and the
/// member stays; nothing of it reaches the bus.
#[tokio::test]
async fn a_member_tracks_and_untracks_itself() {
    let gateway = Gateway::start().await;
    let mut alice = join(&gateway, CHAT, config("alice", CHAT, json!({}))).await;
    let mut bob = join(&gateway, CHAT, config("bob", CHAT, json!({}))).await;
    let old = next_of(&mut alice, "presence_diff").await[4]["joins"]["bob"]["metas"][0].clone();
    bob.settle_presence().await;
    let mut tap = gateway.tap().await;

    let track =
        |mood: &str| json!({"type": "presence", "event": "track", "payload": {"mood": mood}});
    bob.send(tracking("2", track("glad"))).await;
    bob.expect(ok(json!("1"), json!("2"), CHAT)).await;
    let diff = next_of(&mut alice, "presence_diff").await[4].clone();
    let new = &diff["joins"]["bob"]["metas"][0];
    assert_eq!(
        (&new["mood"], &new["phx_ref_prev"]),
        (&json!("glad"), &old["phx_ref"])
    );
    assert_eq!(diff["leaves"]["bob"]["metas"], json!([old]));
    bob.settle_presence().await;

    let untrack = json!({"type": "presence", "event": "untrack"});
    for reference in ["3", "4"] {
        bob.send(tracking(reference, untrack.clone())).await;
        bob.expect(ok(json!("1"), json!(reference), CHAT)).await;
        bob.settle_presence().await;
    }
    let diff = next_of(&mut alice, "presence_diff").await[4].clone();
    assert_eq!(
        diff,
        json!({"joins": {}, "leaves": {"bob": {"metas": [new]}}})
    );
    alice.expect_silence().await;

    // It still hears, and who comes now does not see it.
    tap.publish("to:realtime:chat:news", "1").await;
    bob.expect(json!([null, null, CHAT, "news", 1])).await;
    let mut carol = gateway.connect().await;
    let payload = config("carol", CHAT, json!({}));
    carol
        .send(json!(["1", "1", CHAT, "phx_join", payload]))
        .await;
    next_of(&mut carol, "phx_reply").await;
    let state = carol.expect_event(CHAT, "presence_state").await[4].clone();
    let keys: Vec<_> = state.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["alice", "carol"]);
    tap.expect_lifecycle("from:realtime:chat:phx_join", "carol")
        .await;

    // Tracked again, it is new: there is nothing that it replaces.
    bob.settle_presence().await;
    bob.send(tracking("5", track("back"))).await;
    bob.expect(ok(json!("1"), json!("5"), CHAT)).await;
    let back = loop {
        let diff = next_of(&mut carol, "presence_diff").await[4].clone();
        if diff["joins"]["bob"].is_object() {
            break diff;
        }
    };
    assert_eq!(back["joins"]["bob"]["metas"][0]["mood"], "back");
    assert_eq!(
        back["joins"]["bob"]["metas"][0]["phx_ref_prev"],
        json!(null)
    );
    assert_eq!(back["leaves"], json!({}));
    tap.expect_silence().await;
}

/// A12, A5: what cannot be tracked is refused, and an event `presence` of another shape is an
/// event like any other.
#[tokio::test]
async fn an_application_may_have_an_event_presence_of_its_own() {
    let gateway = Gateway::start().await;
    let mut alice = join(&gateway, CHAT, config("alice", CHAT, json!({}))).await;
    let mut tap = gateway.tap().await;
    for (payload, reason) in [
        (json!({"mood": "x".repeat(1100)}), "presence too large"),
        (json!([1]), "invalid join"),
    ] {
        let said = json!({"type": "presence", "event": "track", "payload": payload});
        alice.send(tracking("2", said)).await;
        let answer = next_of(&mut alice, "phx_reply").await;
        assert_eq!(answer, refused(json!("1"), json!("2"), CHAT, reason));
    }
    tap.expect_silence().await;
    for text in [
        r#"{"type":"presence","event":"dance"}"#,
        r#"{"type":"mine","event":"track","payload":{}}"#,
        "[]",
    ] {
        alice
            .send_text(&format!(r#"["1","3","{CHAT}","presence",{text}]"#))
            .await;
        tap.expect("from:realtime:chat:presence", text).await;
        let answer = next_of(&mut alice, "phx_reply").await;
        assert_eq!(answer, ok(json!("1"), json!("3"), CHAT));
    }

    // Supabase's Python client leaves the type out; elsewhere that may mean anything.
    let text = r#"{"event":"track","payload":{}}"#;
    alice
        .send_text(&format!(r#"["1","4","{CHAT}","presence",{text}]"#))
        .await;
    let answer = next_of(&mut alice, "phx_reply").await;
    assert_eq!(answer, ok(json!("1"), json!("4"), CHAT));
    tap.expect_silence().await;
    let mut bob = gateway.joined("room", "bob").await;
    tap.expect_lifecycle("from:room:phx_join", "bob").await;
    bob.send_text(&format!(r#"["1","5","room","presence",{text}]"#))
        .await;
    tap.expect("from:room:presence", text).await;
    bob.expect(ok(json!("1"), json!("5"), "room")).await;
}

/// A12: the presence key of the join counts where no token names a user, for presence alone:
/// backends are told of nobody's name that was not shown.
#[tokio::test]
async fn who_shows_no_token_may_choose_a_presence_key() {
    let open = "[[channels]]\npattern = \"realtime:open\"\njoin = \"public\"";
    let gateway = gateway(open).await;
    let mut tap = gateway.tap().await;
    let topic = "realtime:open";
    let chosen = json!({"config": {"presence": {"key": "zoe", "enabled": true}}});
    let mut named = chosen.clone();
    named["access_token"] = json!(token("alice", topic));
    let long = json!({"config": {"presence": {"key": "z".repeat(256)}}});
    let mut sockets = Vec::new();
    for (payload, key) in [(chosen, Some("zoe")), (named, Some("alice")), (long, None)] {
        let mut socket = gateway.connect().await;
        let reply = socket
            .ask(json!(["1", "1", topic, "phx_join", payload]))
            .await;
        assert_eq!(reply[4]["status"], "ok", "{reply}");
        let state = socket.expect_event(topic, "presence_state").await[4].clone();
        let (name, body) = tap.next().await;
        assert_eq!(name, "from:realtime:open:phx_join");
        let id = serde_json::from_slice::<Value>(&body).unwrap()["id"].clone();
        let id = id.as_str().unwrap();
        assert!(state[key.unwrap_or(id)].is_object(), "{key:?}: {state}");
        assert_ne!(id, "zoe");
        assert_eq!(id == "alice", key == Some("alice"));
        sockets.push(socket);
    }
}

/// A12: `config.presence.enabled` false: not told of presence, and shown only once it tracks
/// itself.
#[tokio::test]
async fn a_member_without_presence_is_neither_told_nor_shown() {
    let gateway = Gateway::start().await;
    let mut alice = join(&gateway, CHAT, config("alice", CHAT, json!({}))).await;
    alice.settle_presence().await;
    let off = config(
        "bob",
        CHAT,
        json!({"presence": {"key": "", "enabled": false}}),
    );
    let mut bob = join(&gateway, CHAT, off).await;
    alice.settle_presence().await;
    let mut tap = gateway.tap().await;
    let mut carol = join(&gateway, CHAT, config("carol", CHAT, json!({}))).await;
    let diff = next_of(&mut alice, "presence_diff").await[4].clone();
    assert_eq!(
        diff["joins"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["carol"]
    );
    carol.settle_presence().await;
    bob.expect_silence().await;

    let track = json!({"type": "presence", "event": "track", "payload": {"mood": "glad"}});
    bob.send(tracking("2", track)).await;
    bob.expect(ok(json!("1"), json!("2"), CHAT)).await;
    for other in [&mut alice, &mut carol] {
        let diff = next_of(other, "presence_diff").await[4].clone();
        assert_eq!(diff["joins"]["bob"]["metas"][0]["mood"], "glad", "{diff}");
        assert_eq!(diff["leaves"], json!({}));
    }
    bob.expect_silence().await;
    drop(bob);
    let diff = next_of(&mut alice, "presence_diff").await[4].clone();
    assert!(diff["leaves"]["bob"].is_object(), "{diff}");
    tap.expect_lifecycle("from:realtime:chat:phx_join", "carol")
        .await;
    tap.expect_lifecycle("from:realtime:chat:phx_leave", "bob")
        .await;
}
