//! Keys and tokens: issued, looked into, rotated, revoked, ended (P10 to P13).

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Asks, gateway, member, refused, removed};
use crate::gateway::{Gateway, PATIENCE, token};
use crate::socket::Socket;

/// P10, P13: what an issued token says, and what is said of it.
#[tokio::test]
async fn an_issued_token_is_listed_and_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let wanted =
        json!({"id": "alice", "channels": ["room:*", "news"], "allow": ["join"], "seconds": 60});
    let issued = admin.ok("POST", "/auth/token", wanted).await;
    let token = issued["token"].as_str().unwrap();
    let listed = admin.ok("GET", "/auth/tokens?id=alice", Value::Null).await;
    assert_eq!(listed["items"], json!([issued["info"]]));
    assert_eq!(issued["info"]["issued_by"], "admin");
    let said = admin
        .ok("POST", "/auth/introspect", json!({"token": token}))
        .await;
    assert_eq!(said["active"], true);
    assert_eq!(
        (&said["sub"], &said["iss"]),
        (&json!("alice"), &json!("tidegate"))
    );
    assert_eq!(said["scope"], "room:* news");
    assert_eq!(said["jti"], issued["info"]["jti"]);
    assert_eq!(said["kid"], issued["info"]["kid"]);
    let said = admin
        .ok("POST", "/auth/introspect", json!({"token": "a.b.c"}))
        .await;
    assert_eq!(said, json!({"active": false, "reason": "invalid token"}));

    // It allows joining, and no more.
    let mut socket = member(&gateway, "room:1", token).await;
    let push = json!(["1", "2", "room:1", "say", {}]);
    let reply = socket.ask(push).await;
    assert_eq!(
        reply[4]["response"]["reason"], "push not allowed",
        "{reply}"
    );
    for (wanted, status) in [
        (json!({"channels": []}), 422),
        (json!({"channels": ["a\nb"]}), 422),
        (json!({"channels": ["a"], "seconds": 0}), 422),
        (json!({"channels": ["a"], "role": "admin"}), 422),
    ] {
        let (answer, problem) = admin.ask("POST", "/auth/token", wanted).await;
        assert_eq!(answer, status, "{problem}");
    }
}

/// P11: after a rotation everybody stays and old tokens open doors; after one at once, nobody does.
#[tokio::test]
async fn keys_rotate_with_and_without_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let (old, _) = admin.issue("alice", "room").await;
    let mut alice = member(&gateway, "room", &old).await;
    admin.ok("POST", "/auth/keys/rotate", json!({})).await;
    let keys = admin.ok("GET", "/auth/keys", Value::Null).await;
    let states: Vec<_> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["state"])
        .collect();
    assert_eq!(states, ["current", "previous"]);
    assert_eq!(keys[1]["tokens"], 1);
    let (new, _) = admin.issue("bob", "room").await;
    let mut bob = member(&gateway, "room", &new).await;
    assert_eq!(refused(&gateway, "room", &old).await, Value::Null);
    alice.settle().await;

    // What still checks can be ended by itself.
    let kid = keys[1]["kid"].as_str().unwrap();
    admin
        .ok("DELETE", &format!("/auth/keys/{kid}"), Value::Null)
        .await;
    assert_eq!(removed(&mut alice).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &old).await, "token revoked");
    let current = keys[0]["kid"].as_str().unwrap();
    let (status, _) = admin
        .ask("DELETE", &format!("/auth/keys/{current}"), Value::Null)
        .await;
    assert_eq!(status, 409);

    admin
        .ok("POST", "/auth/keys/rotate", json!({"immediate": true}))
        .await;
    assert_eq!(removed(&mut bob).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &new).await, "token revoked");
}

/// P12: by token, by subject, by key; on every gateway that shares the store.
#[tokio::test]
async fn a_revoked_token_fails_everywhere_and_its_members_go() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (gateway(&folder).await, gateway(&folder).await);
    let admin = Asks::admin(&here).await;
    let (token, jti) = admin.issue("alice", "room").await;
    let (other, _) = admin.issue("alice", "room").await;
    let mut near = member(&here, "room", &token).await;
    let mut far = member(&there, "room", &token).await;
    let mut stays = member(&there, "room", &other).await;
    admin
        .ok("DELETE", &format!("/auth/tokens/{jti}"), Value::Null)
        .await;
    // The very next join.
    assert_eq!(refused(&here, "room", &token).await, "token revoked");
    assert_eq!(removed(&mut near).await, "token revoked");
    assert_eq!(removed(&mut far).await, "token revoked");
    assert_eq!(refused(&there, "room", &token).await, "token revoked");
    let left = stays.settle().await;
    assert!(
        !left.iter().any(|frame| frame[3] == "phx_close"),
        "{left:?}"
    );

    admin
        .ok("POST", "/auth/revoke", json!({"subject": "alice"}))
        .await;
    assert_eq!(removed(&mut stays).await, "token revoked");
    assert_eq!(refused(&here, "room", &other).await, "token revoked");
    // What is issued afterwards is good, there too.
    let (new, _) = admin.issue("alice", "room").await;
    assert_eq!(refused(&there, "room", &new).await, Value::Null);
    admin
        .ok("POST", "/auth/revoke", json!({"token": new}))
        .await;
    assert_eq!(refused(&here, "room", &new).await, "token revoked");
    for wanted in [
        json!({}),
        json!({"jti": "a", "kid": "b"}),
        json!({"token": "x"}),
    ] {
        assert_eq!(admin.ask("POST", "/auth/revoke", wanted).await.0, 422);
    }
    assert_eq!(
        admin
            .ask("DELETE", "/auth/tokens/none", Value::Null)
            .await
            .0,
        404
    );
}

/// Tokens that programs sign with the shared secret have no name: they go with their subject.
#[tokio::test]
async fn a_plain_token_goes_with_its_subject() {
    let gateway = Gateway::start().await;
    let admin = Asks::admin(&gateway).await;
    let plain = token("alice", "room");
    let mut alice = member(&gateway, "room", &plain).await;
    assert_eq!(
        admin
            .ask("POST", "/auth/revoke", json!({"token": plain}))
            .await
            .0,
        422
    );
    admin
        .ok("POST", "/auth/revoke", json!({"subject": "alice"}))
        .await;
    assert_eq!(removed(&mut alice).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &plain).await, "token revoked");
    assert_eq!(
        refused(&gateway, "room", &token("bob", "room")).await,
        Value::Null
    );

    // The secret has leaked: nothing that it signs is taken any more.
    let mut bob = member(&gateway, "room", &token("bob", "room")).await;
    admin
        .ok("POST", "/auth/keys/rotate", json!({"immediate": true}))
        .await;
    assert_eq!(removed(&mut bob).await, "token revoked");
    assert_eq!(
        refused(&gateway, "room", &token("bob", "room")).await,
        "invalid token"
    );
    let (new, _) = admin.issue("bob", "room").await;
    assert_eq!(refused(&gateway, "room", &new).await, Value::Null);
}

/// A member is told before its token ends, may show a newer one, and goes when it does not.
#[tokio::test]
async fn a_member_goes_with_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let short = json!({"id": "alice", "channels": ["room"], "seconds": 2});
    let issued = admin.ok("POST", "/auth/token", short).await;
    let short = issued["token"].as_str().unwrap();
    let mut alice = member(&gateway, "room", short).await;
    let mut renews = member(&gateway, "room", short).await;
    for socket in [&mut alice, &mut renews] {
        let told = loop {
            let frame = socket.next().await;
            if frame[3] == "token_expiring" {
                break frame;
            }
        };
        assert!(told[4]["seconds"].as_u64().unwrap() <= 2, "{told}");
    }
    let (long, _) = admin.issue("alice", "room").await;
    renews
        .send(json!(["1", "2", "room", "access_token", {"token": long}]))
        .await;
    assert_eq!(removed(&mut alice).await, "token expired");
    let left = renews.settle().await;
    assert!(
        !left.iter().any(|frame| frame[3] == "phx_close"),
        "{left:?}"
    );
}

/// Waits until presence says so of a user.
async fn until_diff(socket: &mut Socket, change: &str, user: &str) {
    timeout(PATIENCE, async {
        loop {
            let frame = socket.next().await;
            if frame[3] == "presence_diff" && frame[4][change].get(user).is_some() {
                return;
            }
        }
    })
    .await
    .unwrap();
}

/// From a renewal on the member may do what the new token allows: it stays, but is not heard and not
/// seen any more.
#[tokio::test]
async fn a_renewal_may_take_rights_away() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let (full, _) = admin.issue("alice", "room").await;
    let (others, _) = admin.issue("bob", "room").await;
    let mut bob = member(&gateway, "room", &others).await;
    let mut alice = member(&gateway, "room", &full).await;
    let wanted = json!({"id": "alice", "channels": ["room"], "allow": ["join"]});
    let issued = admin.ok("POST", "/auth/token", wanted).await;
    alice
        .send(json!(["1", "2", "room", "access_token", {"token": issued["token"]}]))
        .await;
    let frames = alice.settle().await;
    assert!(
        frames.iter().any(|f| f[1] == "2" && f[4]["status"] == "ok"),
        "{frames:?}"
    );
    for (event, reason) in [
        ("say", "push not allowed"),
        ("presence_update", "push not allowed"),
    ] {
        alice.send(json!(["1", event, "room", event, {}])).await;
        let frames = alice.settle().await;
        let reply = frames.iter().find(|frame| frame[1] == event).unwrap();
        assert_eq!(reply[4]["response"]["reason"], reason, "{reply}");
    }
    // Bob sees her go, and she does not see who comes.
    until_diff(&mut bob, "leaves", "alice").await;
    let (third, _) = admin.issue("carol", "room").await;
    let _carol = member(&gateway, "room", &third).await;
    until_diff(&mut bob, "joins", "carol").await;
    let seen = alice.settle().await;
    assert!(
        seen.iter().all(|frame| frame[3] != "presence_diff"),
        "{seen:?}"
    );
}
