//! Roles, users, sessions and API keys: who may ask for what.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Asks, HERE, gateway, member, signs_in};
use crate::gateway::PATIENCE;
use crate::http_api::{raw, request};

/// Every role against routes of each kind, and what a request without a right is answered.
#[tokio::test]
async fn roles_and_routes() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let mut keys = Vec::new();
    for role in ["viewer", "operator", "admin"] {
        let made = admin
            .ok(
                "POST",
                "/auth/api-keys",
                json!({"name": role.to_owned() + "-key", "role": role}),
            )
            .await;
        keys.push(made["key"].as_str().unwrap().to_owned());
    }
    let _member = member(&gateway, "room", &admin.issue("alice", "room").await.0).await;
    let definition = json!({"pattern": "mine", "join": "public"});
    let user = json!({"name": "somebody", "role": "viewer", "password": "short"});
    // For viewer, operator, admin.
    for (method, path, body, expected) in [
        ("GET", "/overview", Value::Null, [200, 200, 200]),
        ("GET", "/system", Value::Null, [200, 200, 200]),
        ("GET", "/system/configuration", Value::Null, [403, 403, 200]),
        ("GET", "/channels", Value::Null, [200, 200, 200]),
        ("GET", "/members", Value::Null, [200, 200, 200]),
        ("GET", "/presence?topic=room", Value::Null, [200, 200, 200]),
        (
            "POST",
            "/publish",
            json!({"topic": "a", "event": "e", "payload": 1}),
            [403, 200, 200],
        ),
        ("GET", "/plugins", Value::Null, [200, 200, 200]),
        ("GET", "/plugins/none/x", Value::Null, [404, 404, 404]),
        ("POST", "/plugins/none/x", json!({}), [403, 404, 404]),
        ("GET", "/network", Value::Null, [404, 404, 404]),
        ("GET", "/bluetooth", Value::Null, [404, 404, 404]),
        ("GET", "/utils/time", Value::Null, [404, 404, 404]),
        ("POST", "/utils/hash", json!({}), [403, 404, 404]),
        ("GET", "/system/services/x", Value::Null, [403, 403, 404]),
        ("POST", "/system/services/x", json!({}), [403, 403, 404]),
        ("GET", "/channels/room", Value::Null, [200, 200, 200]),
        (
            "GET",
            "/channels/room/members",
            Value::Null,
            [200, 200, 200],
        ),
        ("GET", "/connections", Value::Null, [200, 200, 200]),
        ("GET", "/definitions", Value::Null, [200, 200, 200]),
        ("GET", "/auth/sessions", Value::Null, [200, 200, 200]),
        // Keys have no password: the refusal is that of who asks rightly for the impossible.
        (
            "PUT",
            "/session/password",
            json!({"current": "a", "password": "b"}),
            [422, 422, 422],
        ),
        (
            "POST",
            "/channels/room/events",
            json!({"event": "e", "payload": 1}),
            [403, 200, 200],
        ),
        ("DELETE", "/channels/none", Value::Null, [403, 404, 404]),
        (
            "DELETE",
            "/channels/room/members/none",
            Value::Null,
            [403, 404, 404],
        ),
        ("DELETE", "/connections/none", Value::Null, [403, 404, 404]),
        (
            "POST",
            "/auth/token",
            json!({"channels": ["a"]}),
            [403, 200, 200],
        ),
        (
            "POST",
            "/auth/token",
            json!({"channels": ["admin"]}),
            [403, 403, 200],
        ),
        (
            "POST",
            "/auth/token",
            json!({"channels": ["a"], "allow": ["admin"]}),
            [403, 403, 200],
        ),
        ("GET", "/auth/tokens", Value::Null, [403, 200, 200]),
        ("DELETE", "/auth/tokens/none", Value::Null, [403, 404, 404]),
        (
            "POST",
            "/auth/introspect",
            json!({"token": "x"}),
            [403, 200, 200],
        ),
        (
            "POST",
            "/auth/revoke",
            json!({"jti": "none"}),
            [403, 404, 404],
        ),
        ("PUT", "/definitions", definition, [403, 403, 200]),
        ("DELETE", "/definitions/none", Value::Null, [403, 403, 404]),
        ("GET", "/auth/keys", Value::Null, [403, 403, 200]),
        ("POST", "/auth/keys/rotate", json!({}), [403, 403, 200]),
        ("DELETE", "/auth/keys/none", Value::Null, [403, 403, 404]),
        ("GET", "/auth/users", Value::Null, [403, 403, 200]),
        ("POST", "/auth/users", user, [403, 403, 422]),
        ("PUT", "/auth/users/none", json!({}), [403, 403, 404]),
        ("DELETE", "/auth/users/none", Value::Null, [403, 403, 404]),
        (
            "DELETE",
            "/auth/sessions/none",
            Value::Null,
            [404, 404, 404],
        ),
        ("GET", "/auth/api-keys", Value::Null, [403, 403, 200]),
        (
            "POST",
            "/auth/api-keys",
            json!({"name": "A b", "role": "viewer"}),
            [403, 403, 422],
        ),
        (
            "DELETE",
            "/auth/api-keys/none",
            Value::Null,
            [403, 403, 404],
        ),
        ("GET", "/activity", Value::Null, [403, 403, 200]),
        ("GET", "/activity/export", Value::Null, [403, 403, 200]),
        ("GET", "/activity/principals", Value::Null, [403, 403, 200]),
    ] {
        for (key, expected) in keys.iter().zip(expected) {
            let asks = Asks::bearer(&gateway, key);
            let (status, answer) = asks.ask(method, path, body.clone()).await;
            assert_eq!(status, expected, "{method} {path} {}: {answer}", &key[..8]);
        }
        let api = format!("/api/v1{path}");
        let (status, _) = request(&gateway, method, &api, &[HERE], Some(&body)).await;
        assert_eq!(status, 401, "{method} {path}");
    }
    let bad = [("authorization", "Bearer tgk_guess")];
    let (status, head, _) = raw(&gateway, "GET", "/api/v1/overview", &bad, None).await;
    assert_eq!(status, 401);
    assert!(
        head.contains(r#"www-authenticate: Bearer error="invalid_token""#),
        "{head}"
    );

    // A revoked key is none, in the very next request.
    let listed = admin.ok("GET", "/auth/api-keys", Value::Null).await;
    let of_viewer = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "viewer-key");
    let id = of_viewer.unwrap()["id"].as_str().unwrap();
    admin
        .ok("DELETE", &format!("/auth/api-keys/{id}"), Value::Null)
        .await;
    let viewer = Asks::bearer(&gateway, &keys[0]);
    assert_eq!(viewer.ask("GET", "/overview", Value::Null).await.0, 401);
    // A token that allows it is an administrator's; another one is not.
    let wanted = json!({"id": "ops", "channels": ["a"], "allow": ["admin"]});
    let issued = admin.ok("POST", "/auth/token", wanted).await;
    let by_token = Asks::bearer(&gateway, issued["token"].as_str().unwrap());
    by_token.ok("GET", "/auth/users", Value::Null).await;
    let plain = admin.issue("alice", "admin").await.0;
    assert_eq!(
        Asks::bearer(&gateway, &plain)
            .ask("GET", "/overview", Value::Null)
            .await
            .0,
        401
    );
}

/// Users sign in by name, may do what their role says, and are out when they are put out.
#[tokio::test]
async fn users_sign_in_and_are_put_out() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let new = json!({"name": "olga", "role": "operator", "password": "correct horse"});
    let olga = admin.ok("POST", "/auth/users", new.clone()).await;
    assert_eq!(admin.ask("POST", "/auth/users", new).await.0, 409);
    let id = olga["id"].as_str().unwrap();
    assert_eq!(signs_in(&gateway, "olga", "wrong").await, Err(401));
    let by_cookie = |cookie: String| Asks {
        gateway: &gateway,
        header: ("cookie", cookie),
    };
    let asks = by_cookie(signs_in(&gateway, "olga", "correct horse").await.unwrap());
    let session = asks.ok("GET", "/session", Value::Null).await;
    assert_eq!(
        (&session["principal"], &session["role"]),
        (&json!("user:olga"), &json!("operator"))
    );
    assert_eq!(asks.ask("GET", "/auth/users", Value::Null).await.0, 403);
    let found = admin
        .ok("GET", "/auth/sessions?search=OLG", Value::Null)
        .await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let found = admin
        .ok("GET", "/auth/sessions?principal=user:ol", Value::Null)
        .await;
    assert_eq!(found, json!({"items": []}));
    // She sees her own session, and cannot end that of another.
    let own = asks.ok("GET", "/auth/sessions", Value::Null).await;
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    let all = admin.ok("GET", "/auth/sessions", Value::Null).await;
    let of_admin = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["principal"] == "admin")
        .unwrap();
    let path = format!("/auth/sessions/{}", of_admin["id"].as_str().unwrap());
    assert_eq!(asks.ask("DELETE", &path, Value::Null).await.0, 404);

    let path = format!("/auth/users/{id}");
    admin.ok("PUT", &path, json!({"role": "admin"})).await;
    asks.ok("GET", "/auth/users", Value::Null).await;
    admin
        .ok("PUT", &path, json!({"password": "battery staple"}))
        .await;
    assert_eq!(asks.ask("GET", "/overview", Value::Null).await.0, 401);
    assert_eq!(signs_in(&gateway, "olga", "correct horse").await, Err(401));
    let asks = by_cookie(signs_in(&gateway, "olga", "battery staple").await.unwrap());
    admin.ok("PUT", &path, json!({"disabled": true})).await;
    assert_eq!(asks.ask("GET", "/overview", Value::Null).await.0, 401);
    assert_eq!(signs_in(&gateway, "olga", "battery staple").await, Err(401));
    admin.ok("DELETE", &path, Value::Null).await;
    assert_eq!(admin.ask("DELETE", &path, Value::Null).await.0, 404);
}

/// A user changes the own password knowing the one until now; the user's other sessions end, and
/// guessing is slowed down as at the sign-in. The built-in administrator has none here.
#[tokio::test]
async fn a_user_changes_the_own_password() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let new = json!({"name": "olga", "role": "viewer", "password": "correct horse"});
    admin.ok("POST", "/auth/users", new).await;
    let by_cookie = |cookie: String| Asks {
        gateway: &gateway,
        header: ("cookie", cookie),
    };
    let here = by_cookie(signs_in(&gateway, "olga", "correct horse").await.unwrap());
    let elsewhere = by_cookie(signs_in(&gateway, "olga", "correct horse").await.unwrap());
    let wanted = |current: &str, password: &str| json!({"current": current, "password": password});
    let path = "/session/password";
    // Three mistakes are free, as at the sign-in.
    for (wanted, status) in [
        (wanted("correct horse", "short"), 422),
        (wanted("guess", "battery staple"), 422),
        (wanted("guess", "battery staple"), 422),
        (wanted("guess", "battery staple"), 422),
        (wanted("guess", "battery staple"), 422),
        (wanted("correct horse", "battery staple"), 429),
    ] {
        let (answer, problem) = here.ask("PUT", path, wanted).await;
        assert_eq!(answer, status, "{problem}");
    }
    elsewhere.ok("GET", "/overview", Value::Null).await;
    let changed = timeout(PATIENCE, async {
        loop {
            let wanted = wanted("correct horse", "battery staple");
            let (status, answer) = here.ask("PUT", path, wanted).await;
            if status != 429 {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    });
    let changed = changed.await.unwrap();
    assert_eq!(
        changed["done"],
        "Your password is changed; your other session has ended."
    );
    here.ok("GET", "/overview", Value::Null).await;
    assert_eq!(elsewhere.ask("GET", "/overview", Value::Null).await.0, 401);
    assert_eq!(signs_in(&gateway, "olga", "correct horse").await, Err(401));
    let (status, _) = admin
        .ask("PUT", path, wanted("a password", "battery staple"))
        .await;
    assert_eq!(status, 422);
}

/// Users are found by a part of their name.
#[tokio::test]
async fn users_are_found_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    for name in ["olga", "oleg", "ann"] {
        let new = json!({"name": name, "role": "viewer", "password": "correct horse"});
        admin.ok("POST", "/auth/users", new).await;
    }
    let found = admin.ok("GET", "/auth/users?search=OL", Value::Null).await;
    let names: Vec<_> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| &u["name"])
        .collect();
    assert_eq!(names, ["oleg", "olga"]);
}
