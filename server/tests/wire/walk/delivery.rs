//! Delivery is held to the rules as well: who has lost a right gets nothing more, and who never had
//! it sees nothing of what others get.

use serde_json::{Value, json};

use super::Stage;
use crate::gateway::token;
use crate::socket::Socket;

/// Reads until the end of the membership, and gives its reason.
async fn removed(socket: &mut Socket) -> Value {
    loop {
        let frame = socket.next().await;
        if frame[3] == "phx_close" {
            return frame[4]["reason"].clone();
        }
        assert_ne!(frame[3], "secret", "{frame}");
    }
}

/// What the socket gets from now on has nothing of the topic.
async fn hears_nothing(socket: &mut Socket, topic: &str) {
    let frames = socket.settle().await;
    assert!(!frames.iter().any(|frame| frame[2] == topic), "{frames:?}");
}

/// G12, P12, G6: a channel becomes private, a token is revoked, a member is put out: from that moment on
/// nothing of the channel reaches the socket, and everybody else gets all of it.
#[tokio::test]
async fn who_has_lost_the_right_gets_nothing_more() {
    let stage = Stage::set().await;
    let mut tap = stage.gateway.tap().await;
    let public = json!({"pattern": "plans", "join": "public", "push": "member", "relay": true});
    stage.does("PUT", "/definitions", public.clone()).await;
    let mut anonymous = stage.gateway.connect().await;
    let joined = anonymous
        .ask(json!(["1", "1", "plans", "phx_join", {}]))
        .await;
    assert_eq!(joined[4]["status"], "ok");
    let mut stays = stage.gateway.joined("plans", "stays").await;
    let wanted = json!({"id": "leaver", "channels": ["plans"]});
    let issued = stage.does("POST", "/auth/token", wanted).await;
    let mut leaver = stage.gateway.connect().await;
    let payload = json!({"token": issued["token"]});
    let joined = leaver
        .ask(json!(["1", "1", "plans", "phx_join", payload]))
        .await;
    assert_eq!(joined[4]["status"], "ok");

    let mut private = public;
    private["join"] = json!("token");
    stage.does("PUT", "/definitions", private).await;
    tap.publish("to:plans:secret", r#"{"n":1}"#).await;
    assert_eq!(removed(&mut anonymous).await, "unauthorized");
    hears_nothing(&mut anonymous, "plans").await;
    leaver_gets(&mut leaver, 1).await;
    leaver_gets(&mut stays, 1).await;

    let revoke = json!({"token": issued["token"]});
    stage.does("POST", "/auth/revoke", revoke).await;
    tap.publish("to:plans:secret", r#"{"n":2}"#).await;
    assert_eq!(removed(&mut leaver).await, "token revoked");
    // Nor what members say to one another, nor who comes.
    let push = stays
        .ask(json!(["1", "9", "plans", "secret", {"n": 3}]))
        .await;
    assert!(
        push[3] == "phx_reply" || push[3] == "secret" || push[3] == "presence_diff",
        "{push}"
    );
    let _newcomer = stage.gateway.joined("plans", "newcomer").await;
    hears_nothing(&mut leaver, "plans").await;
    hears_nothing(&mut anonymous, "plans").await;
    // A push of theirs goes nowhere either.
    for socket in [&mut leaver, &mut anonymous] {
        let answer = socket.ask(json!(["1", "8", "plans", "say", {}])).await;
        assert_eq!(answer[4]["response"]["reason"], "unmatched topic");
    }
}

async fn leaver_gets(socket: &mut Socket, n: u64) {
    loop {
        let frame = socket.next().await;
        if frame[3] == "secret" {
            assert_eq!(frame[4]["n"], n);
            return;
        }
    }
}

/// Sockets that have joined nothing, something else, or were refused hear nothing of a channel,
/// whatever it is called; nor does the topic of those who watch.
#[tokio::test]
async fn who_has_not_joined_hears_nothing() {
    let stage = Stage::set().await;
    let mut tap = stage.gateway.tap().await;
    let mut none = stage.gateway.connect().await;
    let mut refused = stage.gateway.connect().await;
    let answer = refused
        .ask(json!(["1", "1", "plans", "phx_join", {}]))
        .await;
    assert_eq!(answer[4]["response"]["reason"], "unauthorized");
    let mut others = Vec::new();
    for topic in [
        "plan", "planss", "plans:1", "Plans", "plans ", "*", "plan?", "[p]lans",
    ] {
        others.push(stage.gateway.joined(topic, "other").await);
    }
    let mut member = stage.gateway.joined("plans", "member").await;
    tap.publish("to:plans:secret", r#"{"n":1}"#).await;
    leaver_gets(&mut member, 1).await;
    for socket in others.iter_mut().chain([&mut none, &mut refused]) {
        socket.expect_silence().await;
    }
    // Who comes later gets what comes later: the gateway keeps no history that could leak.
    let mut late = stage.gateway.connect().await;
    let payload = json!({"token": token("late", "plans")});
    late.ask(json!(["1", "1", "plans", "phx_join", payload]))
        .await;
    let frames = late.settle().await;
    assert!(
        !frames.iter().any(|frame| frame[3] == "secret"),
        "{frames:?}"
    );
}
