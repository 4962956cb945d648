//! Fields that nobody may set: in the bodies of the API, and in what a client says in a socket.

use serde_json::{Value, json};

use super::{Target, join_reason, now, token};
use crate::gateway::{SECRET, signed};

/// Every body of the API, each with one field that is not its own: refused as a whole, and nothing
/// of it is done.
#[tokio::test]
async fn unknown_fields_are_refused() {
    let mut target = Target::start().await;
    let user = json!({"name": "zoe", "role": "viewer", "password": "open sesame"});
    let (_, zoe) = target.admin("POST", "/auth/users", user).await;
    let change = format!("/auth/users/{}", zoe["id"].as_str().unwrap());
    let before = (
        target.admin("GET", "/auth/users", Value::Null).await,
        target.admin("GET", "/auth/api-keys", Value::Null).await,
        target.admin("GET", "/auth/keys", Value::Null).await,
        target.admin("GET", "/auth/tokens", Value::Null).await,
        target.admin("GET", "/definitions", Value::Null).await,
    );
    let extra = [
        ("id", json!("00000000")),
        ("created_at", json!(0)),
        ("created_by", json!("somebody")),
        ("issued_by", json!("somebody")),
        ("principal", json!("admin")),
        (
            "password_hash",
            json!("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"),
        ),
        ("hash", json!("00")),
        ("roles", json!(["admin"])),
        ("is_admin", json!(true)),
        ("admin", json!(true)),
        ("iat", json!(0)),
        ("iss", json!("somebody")),
        ("__proto__", json!({"role": "admin"})),
        ("Role", json!("admin")),
        ("", json!(1)),
    ];
    for (method, path, body) in [
        ("POST", "/session", json!({"password": "guess"})),
        (
            "POST",
            "/auth/users",
            json!({"name": "eve", "role": "viewer", "password": "open sesame"}),
        ),
        ("PUT", change.as_str(), json!({"disabled": false})),
        (
            "POST",
            "/auth/api-keys",
            json!({"name": "eve", "role": "viewer"}),
        ),
        ("POST", "/auth/token", json!({"channels": ["room"]})),
        ("POST", "/auth/introspect", json!({"token": "x"})),
        ("POST", "/auth/revoke", json!({"subject": "ben"})),
        ("POST", "/auth/keys/rotate", json!({"immediate": true})),
        (
            "PUT",
            "/definitions",
            json!({"pattern": "bystanders", "join": "admin"}),
        ),
        (
            "POST",
            "/channels/bystanders/events",
            json!({"event": "e", "payload": 1}),
        ),
    ] {
        for (name, value) in &extra {
            // What this body does know under that name is no attack.
            if path == "/auth/token" && ["id", "roles"].contains(name) {
                continue;
            }
            let mut forged = body.clone();
            forged[*name] = value.clone();
            let (status, problem) = target.admin(method, path, forged).await;
            assert_eq!(status, 422, "{method} {path} {name}: {problem}");
        }
        // A name that stands twice: which of them would hold?
        let text = body.to_string();
        let first = body.as_object().unwrap().iter().next().unwrap();
        let pair = format!("{}:{}", json!(first.0), first.1);
        let doubled = format!("{{{pair},{}", &text[1..]);
        let headers = [("cookie", target.cookie.as_str()), super::HERE];
        let path = format!("/api/v1{path}");
        let body = Some(("application/json", doubled.as_str()));
        let (status, ..) =
            crate::http_api::with_body(&target.gateway, method, &path, &headers, body).await;
        assert_eq!(status, 422, "{method} {path} {doubled}");
    }
    let after = (
        target.admin("GET", "/auth/users", Value::Null).await,
        target.admin("GET", "/auth/api-keys", Value::Null).await,
        target.admin("GET", "/auth/keys", Value::Null).await,
        target.admin("GET", "/auth/tokens", Value::Null).await,
        target.admin("GET", "/definitions", Value::Null).await,
    );
    assert_eq!(before, after);
    target.unharmed().await;
}

/// What the fields that are known may not hold: a higher role, somebody's name, a life without end.
#[tokio::test]
async fn values_out_of_reach_are_refused() {
    let mut target = Target::start().await;
    for (path, body) in [
        (
            "/auth/users",
            json!({"name": "admin", "role": "viewer", "password": "open sesame"}),
        ),
        (
            "/auth/users",
            json!({"name": "eve", "role": "root", "password": "open sesame"}),
        ),
        (
            "/auth/users",
            json!({"name": "eve", "role": "Admin", "password": "open sesame"}),
        ),
        (
            "/auth/users",
            json!({"name": "Eve", "role": "viewer", "password": "open sesame"}),
        ),
        (
            "/auth/users",
            json!({"name": "e\u{0}e", "role": "viewer", "password": "open sesame"}),
        ),
        (
            "/auth/users",
            json!({"name": "\u{435}ve", "role": "viewer", "password": "open sesame"}),
        ),
        (
            "/auth/users",
            json!({"name": "eve", "role": "viewer", "password": ""}),
        ),
        ("/auth/api-keys", json!({"name": "admin", "role": "viewer"})),
        ("/auth/api-keys", json!({"name": "eve"})),
        (
            "/auth/api-keys",
            json!({"name": "eve", "role": "viewer", "seconds": -1}),
        ),
        (
            "/auth/token",
            json!({"channels": ["room"], "allow": ["everything"]}),
        ),
        (
            "/auth/token",
            json!({"channels": ["room"], "allow": "admin"}),
        ),
        (
            "/auth/token",
            json!({"channels": ["room"], "seconds": u64::MAX}),
        ),
        (
            "/auth/token",
            json!({"channels": ["room"], "id": "a\u{0}b"}),
        ),
        ("/auth/token", json!({"channels": ["room"], "id": "a\r\nb"})),
        ("/auth/revoke", json!({"subject": "a\u{0}b"})),
        ("/auth/revoke", json!({"kid": "\u{0}"})),
        (
            "/channels/admin/events",
            json!({"event": "e", "payload": 1}),
        ),
        (
            "/channels/bystanders/events",
            json!({"event": "phx_close", "payload": {}}),
        ),
    ] {
        let (status, problem) = target.admin("POST", path, body.clone()).await;
        assert_eq!(status, 422, "{path} {body}: {problem}");
    }
    for pattern in ["admin", "admin:*", "admin:watch:*", "phoenix", ""] {
        let body = json!({"pattern": pattern, "join": "public"});
        let (status, problem) = target.admin("PUT", "/definitions", body).await;
        assert_eq!(status, 422, "{pattern}: {problem}");
    }
    target.unharmed().await;
}

/// A join's payload makes nobody anybody: who it is stands in the token alone.
#[tokio::test]
async fn a_join_chooses_neither_name_nor_rights() {
    let mut target = Target::start().await;
    let mut tap = target.gateway.tap().await;
    let mut socket = target.gateway.connect().await;
    let forged = json!({
        "token": token("mallory", "room"), "id": "ben", "user": "ben", "sub": "ben", "role": "admin",
        "allow": ["admin"], "admin": true, "channel": "admin", "key": "ben",
        "config": {"presence": {"key": "ben"}}, "presence": {"phx_ref": "forged", "online_at": 1},
    });
    assert_eq!(join_reason(&mut socket, "room", forged).await, Value::Null);
    tap.expect_lifecycle("from:room:phx_join", "mallory").await;
    let state = socket.expect_event("room", "presence_state").await;
    let state = state[4].as_object().unwrap();
    assert_eq!(state.keys().collect::<Vec<_>>(), ["mallory"]);
    let meta = &state["mallory"]["metas"][0];
    assert_ne!(meta["phx_ref"], "forged");
    assert!(meta["online_at"].as_u64().unwrap() >= now() - 60, "{meta}");
    // Rights that a token does not list are not there, whatever else it lists.
    let claims = json!({
        "id": "mallory", "channel": "room", "exp": now() + 60, "allow": ["join"],
        "admin": true, "role": "admin", "rights": ["admin", "push"],
    });
    let token = signed(&claims, SECRET, jsonwebtoken::Algorithm::HS256);
    let mut socket = target.gateway.connect().await;
    let payload = json!({"token": token});
    assert_eq!(
        join_reason(&mut socket, "room", payload.clone()).await,
        Value::Null
    );
    let push = socket.ask(json!(["1", "2", "room", "say", {}])).await;
    assert_eq!(push[4]["response"]["reason"], "push not allowed");
    let refused = join_reason(&mut socket, "admin", payload).await;
    assert_eq!(refused, "token is for another channel");
    target.unharmed().await;
}
