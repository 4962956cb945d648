//! Who is put out stays out, and what that one gave away goes too.

use serde_json::{Value, json};

use super::{Asks, HERE, gateway, member, refused, removed, signs_in};
use crate::gateway::Gateway;
use crate::http_api::with_body;

async fn user(admin: &Asks<'_>, name: &str, role: &str) -> String {
    let new = json!({"name": name, "role": role, "password": "correct horse"});
    let made = admin.ok("POST", "/auth/users", new).await;
    format!("/auth/users/{}", made["id"].as_str().unwrap())
}

async fn by_cookie<'a>(gateway: &'a Gateway, name: &str) -> Asks<'a> {
    Asks {
        gateway,
        header: (
            "cookie",
            signs_in(gateway, name, "correct horse").await.unwrap(),
        ),
    }
}

fn done(answer: &Value) -> &str {
    answer["done"].as_str().unwrap()
}

/// A queue of new passwords that was asked for before somebody was put out comes to nothing: that one
/// stays disabled, in the lesser role and with the password that an administrator gave.
#[tokio::test]
async fn a_password_on_its_way_undoes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let path = user(&admin, "olga", "operator").await;
    let olga = by_cookie(&gateway, "olga").await;
    let wanted = json!({"current": "correct horse", "password": "battery staple"});
    let ask = || olga.ask("PUT", "/session/password", wanted.clone());
    let queue = async { tokio::join!(ask(), ask(), ask()) };
    let put_out = json!({"disabled": true, "role": "viewer", "password": "the new one"});
    let (queue, _) = tokio::join!(queue, admin.ok("PUT", &path, put_out));
    let (a, b, c) = queue;
    let after = [a, b, c].map(|answer| answer.0);
    // One of them may have come before.
    let before = after.iter().filter(|status| **status == 200).count();
    assert!(before <= 1, "{after:?}");
    let rest = [200, 401, 409, 422, 429];
    assert!(
        after.iter().all(|status| rest.contains(status)),
        "{after:?}"
    );
    let listed = admin.ok("GET", "/auth/users?name=olga", Value::Null).await;
    let listed = &listed["items"][0];
    assert_eq!(
        (&listed["disabled"], &listed["role"]),
        (&json!(true), &json!("viewer"))
    );
    admin.ok("PUT", &path, json!({"disabled": false})).await;
    for password in ["correct horse", "battery staple"] {
        assert_eq!(signs_in(&gateway, "olga", password).await, Err(401));
    }
}

/// Tokens that a colleague has issued open nothing more once that one is put out, and who joined with
/// them goes; on every gateway that shares the store. Those of others stay.
#[tokio::test]
async fn what_somebody_issued_goes_with_that_one() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (gateway(&folder).await, gateway(&folder).await);
    let admin = Asks::admin(&here).await;
    let (others, _) = admin.issue("other", "room").await;
    let mut stays = member(&here, "room", &others).await;
    for (name, put_out) in [("olga", "PUT"), ("oleg", "DELETE")] {
        let path = user(&admin, name, "admin").await;
        let asks = by_cookie(&here, name).await;
        let (token, _) = asks.issue("device", "room").await;
        let wanted = json!({"id": "back door", "channels": ["room"], "allow": ["admin"]});
        let back_door = asks.ok("POST", "/auth/token", wanted).await;
        let back_door = back_door["token"].as_str().unwrap().to_owned();
        let opens = Asks::bearer(&here, &back_door);
        opens.ok("GET", "/overview", Value::Null).await;
        let mut near = member(&here, "room", &token).await;
        let mut far = member(&there, "room", &token).await;
        let body = match put_out {
            "PUT" => json!({"disabled": true}),
            _ => Value::Null,
        };
        let answer = admin.ok(put_out, &path, body).await;
        let what = "2 tokens issued by that one are refused from now on; 1 member was removed.";
        assert!(done(&answer).ends_with(what), "{answer}");
        assert_eq!(opens.ask("GET", "/overview", Value::Null).await.0, 401);
        assert_eq!(removed(&mut near).await, "token revoked");
        assert_eq!(removed(&mut far).await, "token revoked");
        for gateway in [&here, &there] {
            assert_eq!(refused(gateway, "room", &token).await, "token revoked");
        }
    }
    let key = json!({"name": "devices", "role": "operator"});
    let key = admin.ok("POST", "/auth/api-keys", key).await;
    let asks = Asks::bearer(&here, key["key"].as_str().unwrap());
    let (token, _) = asks.issue("device", "room").await;
    let mut device = member(&here, "room", &token).await;
    let path = format!("/auth/api-keys/{}", key["info"]["id"].as_str().unwrap());
    let answer = admin.ok("DELETE", &path, Value::Null).await;
    assert_eq!(
        done(&answer),
        "API key devices is refused from now on; 1 token issued by that one is refused from now on; \
         1 member was removed."
    );
    assert_eq!(removed(&mut device).await, "token revoked");
    let left = stays.settle().await;
    assert!(!left.iter().any(|f| f[3] == "phx_close"), "{left:?}");
}

/// With a lesser role goes what only a greater one may issue.
#[tokio::test]
async fn a_demotion_takes_back_what_was_more() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let path = user(&admin, "olga", "admin").await;
    let asks = by_cookie(&gateway, "olga").await;
    let (plain, _) = asks.issue("device", "room").await;
    let (watcher, _) = asks.issue("watcher", "admin").await;
    for (role, expected) in [
        ("admin", "User olga is admin."),
        (
            "operator",
            "User olga is operator; 1 token issued by that one is refused from now on.",
        ),
        (
            "viewer",
            "User olga is viewer; 1 token issued by that one is refused from now on.",
        ),
    ] {
        assert_eq!(
            refused(&gateway, "room", &plain).await,
            Value::Null,
            "{role}"
        );
        let answer = admin.ok("PUT", &path, json!({"role": role})).await;
        assert_eq!(done(&answer), expected);
        if role == "operator" {
            assert_eq!(refused(&gateway, "admin", &watcher).await, "token revoked");
        }
    }
    assert_eq!(refused(&gateway, "room", &plain).await, "token revoked");
}

/// One user's sessions end for that one's own, and nobody else's do.
#[tokio::test]
async fn signing_in_again_and_again_ends_ones_own_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    user(&admin, "olga", "viewer").await;
    let first = by_cookie(&gateway, "olga").await;
    for _ in 0..20 {
        by_cookie(&gateway, "olga").await;
    }
    assert_eq!(first.ask("GET", "/overview", Value::Null).await.0, 401);
    admin.ok("GET", "/overview", Value::Null).await;
    let path = "/auth/sessions?principal=user:olga";
    let listed = admin.ok("GET", path, Value::Null).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 20);
}

/// Lists come part by part, and who is looked for by name is found however long they are.
#[tokio::test]
async fn lists_of_people_come_part_by_part() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    for name in ["a", "b", "c"] {
        let key = json!({"name": name, "role": "viewer"});
        let key = admin.ok("POST", "/auth/api-keys", key).await;
        user(&admin, name, "viewer").await;
        by_cookie(&gateway, name).await;
        let asks = Asks::bearer(&gateway, key["key"].as_str().unwrap());
        asks.ok("GET", "/overview", Value::Null).await;
    }
    for (path, field, expected) in [
        ("/auth/users", "name", &["c", "b", "a"][..]),
        (
            "/auth/sessions",
            "principal",
            &["user:c", "user:b", "user:a", "admin"],
        ),
        ("/auth/api-keys", "name", &["c", "b", "a"]),
    ] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("{path}?limit=2{after}");
            let part = admin.ok("GET", &path, Value::Null).await;
            let items = part["items"].as_array().unwrap().clone();
            assert!(items.len() <= 2, "{part}");
            seen.extend(items.iter().map(|item| item[field].clone()));
            let Some(next) = part["next"].as_str() else {
                break;
            };
            after = format!("&after={next}");
        }
        assert_eq!(json!(seen), json!(expected), "{path}");
    }
    for path in [
        "/auth/users?name=a&limit=1",
        "/auth/api-keys?name=a&limit=1",
    ] {
        let found = admin.ok("GET", path, Value::Null).await;
        assert_eq!(found["items"][0]["name"], "a", "{path}");
    }
    let first = admin
        .ok("GET", "/activity/principals?limit=1", Value::Null)
        .await;
    let next = first["next"].as_str().unwrap();
    let path = format!("/activity/principals?limit=200&after={next}");
    let rest = admin.ok("GET", &path, Value::Null).await;
    let rest = rest["items"].as_array().unwrap();
    assert!(
        !rest.is_empty() && rest.iter().all(|c| *c != first["items"][0]),
        "{rest:?}"
    );
    let nowhere = "/activity/principals?after=nowhere";
    let nothing = admin.ok("GET", nowhere, Value::Null).await;
    assert_eq!(nothing, json!({"items": []}));
}

/// Two programs of one name would share what is known by it.
#[tokio::test]
async fn a_key_has_its_name_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let wanted = json!({"name": "backup", "role": "viewer"});
    let made = admin.ok("POST", "/auth/api-keys", wanted.clone()).await;
    let (status, problem) = admin.ask("POST", "/auth/api-keys", wanted.clone()).await;
    assert_eq!(status, 409, "{problem}");
    let path = format!("/auth/api-keys/{}", made["info"]["id"].as_str().unwrap());
    admin.ok("DELETE", &path, Value::Null).await;
    admin.ok("POST", "/auth/api-keys", wanted).await;
}

/// A leaked secret of `--jwt-secret` is refused by its name, with all that programs have signed with
/// it and did not name it; and its subjects are refused for good.
#[tokio::test]
async fn plain_tokens_go_with_the_shared_secret() {
    let gateway = Gateway::start().await;
    let admin = Asks::admin(&gateway).await;
    let plain = crate::gateway::token("alice", "room");
    let mut alice = member(&gateway, "room", &plain).await;
    let keys = admin.ok("GET", "/auth/keys", Value::Null).await;
    let shared = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|k| k["shared"] == true);
    let body = json!({"kid": shared.unwrap()["kid"]});
    admin.ok("POST", "/auth/revoke", body).await;
    assert_eq!(removed(&mut alice).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &plain).await, "token revoked");
    let metrics = crate::http_api::raw(&gateway, "GET", "/metrics", &[], None).await;
    assert!(
        metrics.2.contains("\ntidegate_revocations 1\n"),
        "{}",
        metrics.2
    );
}

/// RFC 7662: asked with a form, and nothing is said of a token that is not good, but to administrators.
#[tokio::test]
async fn a_token_is_looked_into_as_the_rfc_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let (token, jti) = admin.issue("alice", "room").await;
    let key = json!({"name": "resource", "role": "operator"});
    let key = admin.ok("POST", "/auth/api-keys", key).await;
    let key = format!("Bearer {}", key["key"].as_str().unwrap());
    let of_operator = ("authorization", key.as_str());
    let of_admin = ("cookie", admin.header.1.as_str());
    let form = "application/x-www-form-urlencoded";
    let good = format!("token={token}&token_type_hint=access_token");
    for (who, kind, body, status, expected) in [
        (of_operator, form, good.as_str(), 200, None),
        (
            of_operator,
            "application/x-www-form-urlencoded; charset=utf-8",
            &good,
            200,
            None,
        ),
        (
            of_operator,
            form,
            "token=x",
            200,
            Some(json!({"active": false})),
        ),
        (
            of_operator,
            "application/json",
            r#"{"token":"x"}"#,
            200,
            Some(json!({"active": false})),
        ),
        (
            of_admin,
            form,
            "token=x",
            200,
            Some(json!({"active": false, "reason": "invalid token"})),
        ),
        (of_operator, form, "", 422, None),
        (of_operator, form, "token=a&token=b", 422, None),
        (of_operator, "text/plain", "token=x", 415, None),
    ] {
        let path = "/api/v1/auth/introspect";
        let (answer, _, said) =
            with_body(&gateway, "POST", path, &[who, HERE], Some((kind, body))).await;
        assert_eq!(answer, status, "{kind} {body}: {said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        match expected {
            Some(expected) => assert_eq!(said, expected, "{kind} {body}"),
            None if status == 200 => assert_eq!(said["jti"], jti.as_str(), "{said}"),
            None => {}
        }
    }
    // A page of another site sends forms: not with this session.
    let body = Some((form, "token=x"));
    let path = "/api/v1/auth/introspect";
    let (status, ..) = with_body(&gateway, "POST", path, &[of_admin], body).await;
    assert_eq!(status, 403);
}

/// Whoever may look may follow the topic `admin`, and no other topic by that: neither what is for
/// administrators nor what is for roles.
#[tokio::test]
async fn a_viewer_stands_above_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    user(&admin, "vera", "viewer").await;
    let vera = by_cookie(&gateway, "vera").await;
    for definition in [
        json!({"pattern": "board", "join": "admin", "push": "admin"}),
        json!({"pattern": "desk", "join": "roles", "join_roles": ["chief"]}),
    ] {
        admin.ok("PUT", "/definitions", definition).await;
    }
    let headers = [("cookie", vera.header.1.as_str()), HERE];
    let body = json!({"channel": "admin"});
    let answer = crate::http_api::request(&gateway, "POST", "/token", &headers, Some(&body)).await;
    let token = answer.1["token"].as_str().unwrap();
    for (topic, reason) in [
        ("admin", Value::Null),
        ("board", json!("token is for another channel")),
        ("desk", json!("token is for another channel")),
    ] {
        assert_eq!(refused(&gateway, topic, token).await, reason, "{topic}");
    }
}
