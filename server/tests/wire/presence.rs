//! Presence (A12).

use serde_json::{Value, json};

use crate::gateway::{Gateway, token};
use crate::socket::{Socket, ok, refused};

async fn join(gateway: &Gateway, user: &str, presence: Value) -> Socket {
    let mut socket = gateway.connect().await;
    let payload = json!({"token": token(user, "room"), "presence": presence});
    assert_eq!(
        socket
            .ask(json!(["1", "1", "room", "phx_join", payload]))
            .await[4]["status"],
        "ok"
    );
    socket
}

/// A12: the state after the reply, with a unique `phx_ref`, `online_at` and what was given; the
/// diff to all; the leave.
#[tokio::test]
async fn members_see_each_other_come_and_go() {
    let gateway = Gateway::start().await;
    let mut alice = join(
        &gateway,
        "alice",
        json!({"color": "red", "phx_ref": "forged"}),
    )
    .await;
    let state = alice.expect_event("room", "presence_state").await;
    assert_eq!((&state[0], &state[1]), (&json!("1"), &json!(null)));
    let meta = &state[4]["alice"]["metas"][0];
    assert_eq!(meta["color"], "red");
    assert!(
        meta["online_at"]
            .as_u64()
            .is_some_and(|at| at > 1_700_000_000),
        "{meta}"
    );
    assert_ne!(meta["phx_ref"], "forged");
    let diff = alice.until_presence_diff("room").await;
    assert_eq!(diff[4]["joins"]["alice"]["metas"][0], *meta);

    let mut bob = join(&gateway, "bob", json!(null)).await;
    let state = bob.expect_event("room", "presence_state").await;
    assert_eq!(state[4].as_object().unwrap().len(), 2);
    assert_ne!(state[4]["bob"]["metas"][0]["phx_ref"], meta["phx_ref"]);
    let diff = alice.until_presence_diff("room").await;
    assert_eq!((&diff[0], &diff[1]), (&json!(null), &json!(null)));
    assert_eq!(diff[4]["joins"]["bob"], state[4]["bob"]);

    drop(bob);
    let diff = alice.until_presence_diff("room").await;
    assert_eq!(
        diff[4],
        json!({"joins": {}, "leaves": {"bob": state[4]["bob"]}})
    );
}

/// A12: one user on two sockets is one key with two metas.
#[tokio::test]
async fn a_user_on_two_sockets_has_two_metas() {
    let gateway = Gateway::start().await;
    let _first = join(&gateway, "alice", json!({"at": "desk"})).await;
    let mut second = join(&gateway, "alice", json!({"at": "phone"})).await;
    let state = second.expect_event("room", "presence_state").await;
    let metas = state[4]["alice"]["metas"].as_array().unwrap();
    assert_eq!(
        (&metas[0]["at"], &metas[1]["at"]),
        (&json!("desk"), &json!("phone"))
    );
}

/// A12: an update is one diff: the old meta leaves, the new one names it in `phx_ref_prev`.
#[tokio::test]
async fn an_update_names_what_it_replaces() {
    let gateway = Gateway::start().await;
    let mut socket = join(&gateway, "alice", json!({"status": "here"})).await;
    let state = socket.expect_event("room", "presence_state").await;
    let old = &state[4]["alice"]["metas"][0];
    socket.until_presence_diff("room").await;

    let reply = socket
        .ask(json!(["1", "2", "room", "presence_update", {"status": "away"}]))
        .await;
    assert_eq!(reply, ok(json!("1"), json!("2"), "room"));
    let diff = socket.until_presence_diff("room").await;
    assert_eq!(diff[4]["leaves"]["alice"]["metas"][0], *old);
    let new = &diff[4]["joins"]["alice"]["metas"][0];
    assert_eq!(
        (&new["status"], &new["phx_ref_prev"]),
        (&json!("away"), &old["phx_ref"])
    );

    let answer = socket
        .ask(json!(["1", "3", "room", "presence_update", {"a": "x".repeat(1100)}]))
        .await;
    assert_eq!(
        answer,
        refused(json!("1"), json!("3"), "room", "presence too large")
    );
}

/// A12: many joins at once are few diffs, and what the first member has added up is the truth.
#[tokio::test]
async fn mass_joins_are_coalesced() {
    const JOINERS: usize = 200;
    let gateway = Gateway::start().await;
    let mut first = gateway.joined("room", "first").await;
    let mut joiners = Vec::new();
    for n in 0..JOINERS {
        let mut socket = gateway.connect().await;
        let payload = json!({"token": token(&format!("user{n}"), "room")});
        socket
            .send(json!(["1", "1", "room", "phx_join", payload]))
            .await;
        joiners.push(socket);
    }
    let started = std::time::Instant::now();
    let (mut seen, mut diffs) = (0, 0);
    while seen < JOINERS {
        let diff = first.until_presence_diff("room").await;
        seen += diff[4]["joins"].as_object().unwrap().len();
        diffs += 1;
    }
    assert_eq!(seen, JOINERS);
    // One at once, then one for each interval of 50 ms that passed while connecting.
    assert!(
        diffs < JOINERS / 2,
        "{diffs} diffs in {:?}",
        started.elapsed()
    );
}

/// The definition may show the count only, or nothing.
#[tokio::test]
async fn presence_may_be_a_count_or_off() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    assert_eq!(
        socket
            .ask(json!(["1", "1", "flights", "phx_join", {}]))
            .await[4]["status"],
        "ok"
    );
    let count = socket.expect_event("flights", "presence_count").await;
    assert_eq!(count[4], json!({"count": 1}));
    assert_eq!(
        socket.expect_event("flights", "presence_count").await[4],
        json!({"count": 1})
    );
    assert_eq!(
        socket.ask(json!(["2", "2", "host", "phx_join", {}])).await[4]["status"],
        "ok"
    );
    socket.expect_silence().await;
}
