//! Sending, removing and closing, as those who are met by it see it.

use serde_json::json;

use super::{Admin, removed};
use crate::gateway::Gateway;

/// Sending, removing and closing: each says what it did, and the clients see it.
#[tokio::test]
async fn actions_do_what_they_say() {
    let gateway = Gateway::start().await;
    let mut tap = gateway.tap().await;
    let mut alice = gateway.joined("room", "alice").await;
    tap.expect_lifecycle("from:room:phx_join", "alice").await;
    let admin = Admin::of(&gateway).await;

    let event = json!({"event": "notice", "payload": {"text": "hi"}});
    let done = admin
        .done("POST", "/channels/room/events", Some(&event))
        .await;
    assert_eq!(done, "Sent notice to 1 member of room.");
    alice
        .expect(json!([null, null, "room", "notice", {"text": "hi"}]))
        .await;
    for (path, event) in [
        ("room", "phx_close"),
        ("room", "a:b"),
        ("admin", "x"),
        ("a%0Ab", "x"),
    ] {
        let body = json!({"event": event, "payload": {}});
        let (status, answer) = admin
            .ask("POST", &format!("/channels/{path}/events"), Some(&body))
            .await;
        assert_eq!(status, 422, "{answer}");
    }

    let (_, members) = admin.ask("GET", "/channels/room/members", None).await;
    let id = members["items"][0]["id"]
        .as_str()
        .unwrap()
        .replace(':', "%3A");
    let done = admin
        .done("DELETE", &format!("/channels/room/members/{id}"), None)
        .await;
    assert!(
        done.starts_with("Removed ") && done.ends_with(" from room."),
        "{done}"
    );
    assert_eq!(
        removed(&mut alice, "room").await,
        "removed by an administrator"
    );
    tap.expect_lifecycle("from:room:phx_leave", "alice").await;
    alice.expect_silence().await;
    assert_eq!(
        admin
            .ask("DELETE", &format!("/channels/room/members/{id}"), None)
            .await
            .0,
        404
    );

    let mut bob = gateway.joined("lounge", "bob").await;
    assert_eq!(
        admin.done("DELETE", "/channels/lounge", None).await,
        "Closed lounge and removed 1 member."
    );
    assert_eq!(
        removed(&mut bob, "lounge").await,
        "closed by an administrator"
    );

    let (_, found) = admin.ask("GET", "/connections", None).await;
    for connection in found["items"].as_array().unwrap() {
        let id = connection["id"].as_str().unwrap();
        assert_eq!(
            admin
                .done("DELETE", &format!("/connections/{id}"), None)
                .await,
            format!("Closed connection {id}.")
        );
    }
    assert_eq!(
        bob.closed().await,
        (1008, "closed by an administrator".to_owned())
    );
}
