//! The `admin` topic and watching (A11).

use serde_json::{Value, json};

use crate::gateway::{Gateway, token};
use crate::socket::Socket;

/// The next event of the topic, samples aside.
async fn next(admin: &mut Socket) -> (String, Value) {
    loop {
        let frame = admin.next().await;
        let event = frame[3].as_str().unwrap();
        if !event.starts_with("overview.") {
            return (event.to_owned(), frame[4].clone());
        }
    }
}

async fn admin(gateway: &Gateway) -> Socket {
    let mut admin = gateway.connect().await;
    let join = json!(["1", "1", "admin", "phx_join", {"token": token("root", "admin")}]);
    assert_eq!(admin.ask(join).await[4]["status"], "ok");
    admin
}

/// A11: first a snapshot of all channels, each once, then what happens, in order.
#[tokio::test]
async fn an_administrator_sees_a_snapshot_and_then_what_happens() {
    let gateway = Gateway::start().await;
    let _member = gateway.joined("room", "alice").await;
    for _ in 0..5 {
        let mut admin = admin(&gateway).await;
        let mut snapshot = Vec::new();
        for _ in 0..2 {
            let (event, payload) = next(&mut admin).await;
            assert_eq!(event, "channel.list");
            assert_eq!(payload["agents"].as_array().unwrap().len(), 1, "{payload}");
            snapshot.push(payload["channel"].as_str().unwrap().to_owned());
        }
        snapshot.sort();
        assert_eq!(snapshot, ["admin", "room"]);
        let mut own = next(&mut admin).await;
        if own.0 == "channel.add" {
            own = next(&mut admin).await;
        }
        assert_eq!(
            (own.0.as_str(), &own.1["channel"]),
            ("channel.join", &json!("admin"))
        );
        admin
            .send(json!(["1", "2", "admin", "phx_leave", {}]))
            .await;
        while admin.next().await[3] != "phx_close" {}
    }

    let mut admin = admin(&gateway).await;
    while next(&mut admin).await.0 != "channel.join" {}
    let visitor = gateway.joined("lounge", "bob").await;
    let (event, payload) = next(&mut admin).await;
    assert_eq!(
        (event.as_str(), &payload["channel"]),
        ("channel.add", &json!("lounge"))
    );
    assert!(
        payload["channels"]
            .as_array()
            .unwrap()
            .contains(&json!("room"))
    );
    let (event, payload) = next(&mut admin).await;
    assert_eq!(
        (event.as_str(), &payload["channel"]),
        ("channel.join", &json!("lounge"))
    );
    let agent = payload["agent"].clone();
    assert!(agent.as_str().unwrap().ends_with(":lounge:1"));
    assert_eq!(payload["agents"], json!([agent]));
    drop(visitor);
    let (event, payload) = next(&mut admin).await;
    assert_eq!(event, "channel.leave");
    assert_eq!(
        payload,
        json!({"agent": agent, "agents": [], "channel": "lounge"})
    );
    let (event, payload) = next(&mut admin).await;
    assert_eq!(
        (event.as_str(), &payload["channel"]),
        ("channel.remove", &json!("lounge"))
    );
    assert!(
        !payload["channels"]
            .as_array()
            .unwrap()
            .contains(&json!("lounge"))
    );
}

/// A11: nobody else joins `admin`, and no plugin speaks on it.
#[tokio::test]
async fn the_admin_topic_is_the_gateways_own() {
    let gateway = Gateway::start().await;
    let mut admin = admin(&gateway).await;
    while next(&mut admin).await.0 != "channel.join" {}
    let mut tap = gateway.tap().await;
    tap.publish(
        "to:admin:channel.add",
        r#"{"channel":"forged","channels":[]}"#,
    )
    .await;
    let _member = gateway.joined("real", "alice").await;
    let (event, payload) = next(&mut admin).await;
    assert_eq!(
        (event.as_str(), &payload["channel"]),
        ("channel.add", &json!("real"))
    );
    let answer = admin.ask(json!(["1", "5", "admin", "command", {}])).await;
    assert!(
        answer[4]["status"] == "error" || answer[3] != "phx_reply",
        "{answer}"
    );
}

/// One channel's live events: a sample, and the rate that is true.
#[tokio::test]
async fn watching_shows_a_sample_and_the_true_rate() {
    let gateway = Gateway::start().await;
    let mut member = gateway.joined("room", "alice").await;
    let mut watcher = gateway.connect().await;
    let topic = "admin:watch:room";
    let join = json!(["1", "1", topic, "phx_join", {"token": token("root", "admin")}]);
    assert_eq!(watcher.ask(join).await[4]["status"], "ok");
    let refused = member
        .ask(json!(["1", "1", topic, "phx_join", {"token": token("a", "room")}]))
        .await;
    assert_eq!(
        refused[4]["response"]["reason"],
        "token is for another channel"
    );

    member
        .send(json!(["1", "2", "room", "up", {"from": "alice"}]))
        .await;
    let mut frame = watcher.next().await;
    while frame[3] == "rate" {
        frame = watcher.next().await;
    }
    assert_eq!(frame[3], "event");
    assert_eq!(frame[4]["direction"], "from");
    assert_eq!(frame[4]["payload"], r#"{"from":"alice"}"#);
    assert!(frame[4]["connection"].is_string());

    let mut tap = gateway.tap().await;
    for _ in 0..500 {
        tap.publish("to:room:down", "[]").await;
    }
    let (mut shown, mut events) = (0, 0);
    // The marker comes after the burst, so a rate that holds all of it follows.
    while events < 501 {
        let frame = watcher.next().await;
        if frame[3] == "rate" {
            events += frame[4]["events"].as_u64().unwrap();
        } else {
            shown += 1;
        }
    }
    assert_eq!(events, 501);
    assert!(shown < 250, "{shown} of 500 shown");
}
