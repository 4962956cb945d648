//! `access_token`, in a join and as an event (A10, A13).

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{gateway, join};
use crate::gateway::{Gateway, SECRET, now, signed, token};
use crate::socket::{Socket, ok, refused};

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
