//! Sessions: chosen by the attacker, taken for something else, or used by a page of another site.

use serde_json::{Value, json};

use super::{HERE, Target, statuses};
use crate::gateway::{PASSWORD, SECRET};
use crate::http_api::{raw, request, with_body};

/// The session's cookie in the head of an answer, and its attributes.
fn set_cookie(head: &str) -> (String, String) {
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .expect(head);
    let (pair, attributes) = line.split_once(';').unwrap();
    (pair.to_owned(), attributes.to_owned())
}

/// A session that somebody else has chosen is never taken over: signing in always makes another.
#[tokio::test]
async fn a_chosen_session_is_never_adopted() {
    let mut target = Target::start().await;
    let chosen = format!("tidegate_session={}", "a".repeat(64));
    let sign_in = json!({"password": PASSWORD});
    let live = target.cookie.clone();
    let mut made = vec![live.clone()];
    for shown in [&chosen, &live] {
        let headers = [("cookie", shown.as_str()), HERE];
        let path = "/api/v1/session";
        let (status, head, _) = raw(&target.gateway, "POST", path, &headers, Some(&sign_in)).await;
        assert_eq!(status, 200, "{head}");
        let (cookie, attributes) = set_cookie(&head);
        assert!(!made.contains(&cookie) && cookie != chosen, "{cookie}");
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
            assert!(attributes.contains(attribute), "{attributes}");
        }
        made.push(cookie);
    }
    // A refused sign-in hands out none, and the chosen one opens nothing afterwards either.
    let headers = [("cookie", chosen.as_str()), HERE];
    let wrong = json!({"password": "guess"});
    let (status, head, _) = raw(
        &target.gateway,
        "POST",
        "/api/v1/session",
        &headers,
        Some(&wrong),
    )
    .await;
    assert_eq!(status, 401);
    assert!(!head.contains("set-cookie"), "{head}");
    let asked = request(&target.gateway, "GET", "/api/v1/overview", &headers, None).await;
    assert_eq!(asked.0, 401);
    // Signing out ends the session, not only the cookie.
    let headers = [("cookie", made[1].as_str()), HERE];
    let path = "/api/v1/session";
    assert_eq!(
        request(&target.gateway, "DELETE", path, &headers, None)
            .await
            .0,
        200
    );
    let asked = request(&target.gateway, "GET", "/api/v1/overview", &headers, None).await;
    assert_eq!(asked.0, 401);
    target.unharmed().await;
}

/// A cookie is no key, a key no cookie, and what lists show of either is neither.
#[tokio::test]
async fn one_credential_does_not_pass_for_another() {
    let mut target = Target::start().await;
    let key = json!({"name": "program", "role": "admin"});
    let (_, made) = target.admin("POST", "/auth/api-keys", key).await;
    let (_, sessions) = target.admin("GET", "/auth/sessions", Value::Null).await;
    let secret = target.cookie.split_once('=').unwrap().1.to_owned();
    let key = made["key"].as_str().unwrap();
    let id = sessions["items"][0]["id"].as_str().unwrap();
    for shown in [
        &secret,
        id,
        made["info"]["id"].as_str().unwrap(),
        PASSWORD,
        SECRET,
    ] {
        let bearer = format!("Bearer {shown}");
        let headers = [("authorization", bearer.as_str()), HERE];
        let asked = request(&target.gateway, "GET", "/api/v1/overview", &headers, None).await;
        assert_eq!(asked.0, 401, "{shown}");
        // Who shows a bad key is not let in by a good cookie beside it.
        let both = [("cookie", target.cookie.as_str()), headers[0], HERE];
        let asked = request(&target.gateway, "GET", "/api/v1/overview", &both, None).await;
        assert_eq!(asked.0, 401, "{shown}");
    }
    let upper = secret.to_uppercase();
    for shown in [key, id, &upper, &secret[1..], "", "*", "%"] {
        for cookie in [
            format!("tidegate_session={shown}"),
            format!("tidegate_session={shown}; tidegate_session={secret}"),
            format!("TIDEGATE_SESSION={secret}"),
            format!("x=tidegate_session={secret}"),
        ] {
            let headers = [("cookie", cookie.as_str()), HERE];
            let asked = request(&target.gateway, "GET", "/api/v1/overview", &headers, None).await;
            assert_eq!(asked.0, 401, "{cookie}");
        }
    }
    target.unharmed().await;
}

/// CSRF at its core: a form, or a fetch without leave, of another site, with the victim's cookie.
#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let mut target = Target::start().await;
    let cookie = target.cookie.clone();
    let topic = "/api/v1/channels/bystanders/events";
    let user = r#"{"name":"mallory","role":"admin","password":"open sesame"}"#;
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json",
    ] {
        for (method, path, body) in [
            ("POST", topic, r#"{"event":"forged","payload":{}}"#),
            ("POST", "/api/v1/auth/users", user),
            (
                "POST",
                "/api/v1/auth/api-keys",
                r#"{"name":"mallory","role":"admin"}"#,
            ),
            ("POST", "/api/v1/auth/keys/rotate", r#"{"immediate":true}"#),
            ("POST", "/api/v1/auth/token", r#"{"channels":["admin"]}"#),
            ("POST", "/api/v1/auth/revoke", r#"{"subject":"ben"}"#),
            (
                "PUT",
                "/api/v1/definitions",
                r#"{"pattern":"bystanders","join":"admin"}"#,
            ),
            ("DELETE", "/api/v1/channels/bystanders", ""),
            ("DELETE", "/api/v1/session", ""),
        ] {
            for origin in ["https://evil.example", "null"] {
                let headers = [("cookie", cookie.as_str()), ("origin", origin)];
                let body = Some((kind, body));
                let (status, _, said) =
                    with_body(&target.gateway, method, path, &headers, body).await;
                assert_eq!(status, 403, "{kind} {method} {path}: {said}");
                assert!(said.contains("x-tidegate-request"), "{said}");
            }
        }
        // Signing the victim in as somebody else, which needs no cookie.
        let body = format!(r#"{{"password":"{PASSWORD}"}}"#);
        let headers = [("origin", "https://evil.example")];
        let body = Some((kind, body.as_str()));
        let path = "/api/v1/session";
        let (status, head, _) = with_body(&target.gateway, "POST", path, &headers, body).await;
        assert_eq!(status, 403);
        assert!(!head.contains("set-cookie"), "{head}");
    }
    // With the header the kind of body is still asked for.
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/xml",
    ] {
        let headers = [("cookie", cookie.as_str()), HERE];
        let body = Some((kind, user));
        let path = "/api/v1/auth/users";
        let (status, _, _) = with_body(&target.gateway, "POST", path, &headers, body).await;
        assert_eq!(status, 415, "{kind}");
    }
    let (_, users) = target.admin("GET", "/auth/users", Value::Null).await;
    assert_eq!(users, json!({"items": []}));
    let (_, keys) = target.admin("GET", "/auth/api-keys", Value::Null).await;
    assert_eq!(keys, json!({"items": []}));
    target.unharmed().await;
}

/// `POST /token` knows the session as well: without the header nobody is an administrator there.
#[tokio::test]
async fn a_session_issues_tokens_only_from_here() {
    let mut target = Target::start().await;
    let cookie = target.cookie.clone();
    let body = json!({"channel": "admin"});
    let headers = [
        ("cookie", cookie.as_str()),
        ("origin", "https://evil.example"),
    ];
    let (status, _) = request(&target.gateway, "POST", "/token", &headers, Some(&body)).await;
    assert_eq!(status, 401);
    let headers = [("cookie", cookie.as_str()), HERE];
    let (status, said) = request(&target.gateway, "POST", "/token", &headers, Some(&body)).await;
    assert_eq!(status, 200, "{said}");
    // A form cannot ask, whoever sends it.
    let form = Some(("application/x-www-form-urlencoded", "channel=room"));
    let said = with_body(&target.gateway, "POST", "/token", &[], form).await;
    assert_eq!(statuses(&said.1), [415]);
    target.unharmed().await;
}
