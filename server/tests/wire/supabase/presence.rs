//! The event `presence`, and what a join's `config` says of presence (A12).

use serde_json::{Value, json};

use super::{CHAT, config, gateway, join};
use crate::gateway::{Gateway, token};
use crate::socket::{Socket, ok, refused};

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
