//! No secret is where it does not belong: not in a log, not in an error, not in the record of what was
//! done, not on the bus.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::gateway::{PASSWORD, SECRET, command};
use crate::http_api::{raw, sign_in};
use crate::log::Logged;
use crate::socket::Socket;

const HERE: (&str, &str) = ("x-tidegate-request", "1");
const METRICS: &str = "a token for the metrics";
const USER_PASSWORD: &str = "correct horse battery";
const WRONG_PASSWORD: &str = "not the right horse";

/// What was seen in a session: everything that must not hold a secret.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    fn add(&mut self, what: &str, text: impl Into<String>) {
        self.0.push((what.to_owned(), text.into()));
    }

    fn holds_none_of(&self, secrets: &[(&str, &str)]) {
        for (name, secret) in secrets {
            assert!(secret.len() >= 8, "{name}");
            for (what, text) in &self.0 {
                assert!(!text.contains(secret), "{name} is in {what}: {text}");
            }
        }
    }
}

/// A session that uses every kind of secret; then all that was written and sent is looked through.
#[tokio::test]
async fn secrets_are_nowhere() {
    let flags = ["--jwt-secret", SECRET, "--metrics-token", METRICS];
    let mut logged = Logged::start(&["--log", "debug"], &flags).await;
    let mut seen = Seen::default();
    let mut tap = logged.gateway.tap().await;
    let cookie = sign_in(&logged.gateway, PASSWORD).await;
    let own = [("cookie", cookie.as_str()), HERE];
    let gateway = &logged.gateway;
    let admin = async |method: &str, path: &str, body: Value| {
        let body = (!body.is_null()).then_some(&body);
        let path = format!("/api/v1{path}");
        let (status, _, text) = raw(gateway, method, &path, &own, body).await;
        (status, text)
    };

    // What is given once is given here, and looked for everywhere else.
    let issue = json!({"id": "alice", "channels": ["room"]});
    let (_, issued) = admin("POST", "/auth/token", issue.clone()).await;
    let issued: Value = serde_json::from_str(&issued).unwrap();
    let token = issued["token"].as_str().unwrap();
    let (_, newer) = admin("POST", "/auth/token", issue).await;
    let newer: Value = serde_json::from_str(&newer).unwrap();
    let newer = newer["token"].as_str().unwrap();
    let (_, made) = admin(
        "POST",
        "/auth/api-keys",
        json!({"name": "robot", "role": "admin"}),
    )
    .await;
    let made: Value = serde_json::from_str(&made).unwrap();
    let api_key = made["key"].as_str().unwrap();

    // Users: added, signed in, mistyped, given a new password.
    let user = json!({"name": "olga", "role": "viewer", "password": USER_PASSWORD});
    let (status, added) = admin("POST", "/auth/users", user).await;
    assert_eq!(status, 200);
    let id = serde_json::from_str::<Value>(&added).unwrap()["id"].clone();
    seen.add("the answer to a new user", added);
    for password in [USER_PASSWORD, WRONG_PASSWORD] {
        let body = json!({"name": "olga", "password": password});
        let (_, _, text) = raw(gateway, "POST", "/api/v1/session", &[HERE], Some(&body)).await;
        seen.add("the answer to a sign-in", text);
    }
    let path = format!("/auth/users/{}", id.as_str().unwrap());
    let (_, text) = admin("PUT", &path, json!({"password": WRONG_PASSWORD})).await;
    seen.add("the answer to a new password", text);

    // Tokens: shown at the socket in three ways, renewed, pushed beside, refused.
    let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(token);
    let offer = format!("phoenix, base64url.bearer.phx.{encoded}");
    let header = [("sec-websocket-protocol", offer.as_str())];
    for (query, headers, payload) in [
        ("vsn=2.0.0".to_owned(), &[][..], json!({"token": token})),
        (format!("vsn=2.0.0&userToken={token}"), &[], json!({})),
        ("vsn=2.0.0".to_owned(), &header[..], json!({})),
    ] {
        let mut socket = Socket::open(gateway.port, &query, headers).await.unwrap();
        socket
            .send(json!(["1", "1", "room", "phx_join", payload]))
            .await;
        socket
            .send(json!(["1", "2", "room", "access_token", {"access_token": newer}]))
            .await;
        socket
            .send(json!(["1", "3", "room", "said", {"n": 1}]))
            .await;
        loop {
            let frame = socket.next().await;
            seen.add("a frame", frame.to_string());
            if frame[1] == "3" {
                assert_eq!(frame[4]["status"], "ok");
                break;
            }
        }
    }
    let mut socket = gateway.connect().await;
    let forged = format!("{token}x");
    let refused = socket
        .ask(json!(["1", "1", "room", "phx_join", {"token": forged}]))
        .await;
    assert_eq!(refused[4]["status"], "error");
    seen.add("the answer to a forged token", refused.to_string());

    // Credentials of programs, good and not.
    for (path, bearer) in [
        ("/api/v1/auth/keys", api_key),
        ("/api/v1/auth/api-keys", api_key),
        ("/api/v1/auth/tokens", token),
        ("/api/v1/auth/keys", &forged),
        ("/api/v1/system/configuration", api_key),
        ("/api/v1/auth/sessions", api_key),
        ("/metrics", METRICS),
        ("/metrics", api_key),
    ] {
        let value = format!("Bearer {bearer}");
        let (_, _, text) = raw(gateway, "GET", path, &[("authorization", &value)], None).await;
        seen.add(path, text);
    }
    let (_, text) = admin("POST", "/auth/introspect", json!({"token": token})).await;
    seen.add("what is said of a token", text);
    let (_, text) = admin("POST", "/auth/introspect", json!({"token": [token]})).await;
    seen.add("the answer to a body of a wrong shape", text);
    for body in [json!({"token": token}), json!({"token": forged})] {
        let (_, text) = admin("POST", "/auth/revoke", body).await;
        seen.add("the answer to a revocation", text);
    }
    let (_, text) = admin("POST", "/auth/keys/rotate", json!({"immediate": true})).await;
    seen.add("the answer to a rotation", text);

    // The command line, with the same secrets at hand.
    let data = logged.path("data");
    for args in [
        &[
            "check-config",
            "--jwt-secret",
            SECRET,
            "--admin-password",
            PASSWORD,
        ][..],
        &["key", "list"],
        &["user", "list"],
        &["api-key", "list"],
        &["token", "list"],
    ] {
        let output = command()
            .args(args)
            .env("DATA_DIR", &data)
            .output()
            .await
            .unwrap();
        assert!(output.status.success());
        seen.add(
            "what a command prints",
            String::from_utf8(output.stdout).unwrap(),
        );
        seen.add(
            "what a command complains",
            String::from_utf8(output.stderr).unwrap(),
        );
    }

    // The record of what was done, once the last of it is written.
    let activity = loop {
        let (_, text) = admin("GET", "/activity/export", Value::Null).await;
        if text.contains("/auth/keys/rotate") {
            break text;
        }
    };
    seen.add("the record", activity);
    tap.publish("from:marker:end", "").await;
    loop {
        let (name, body) = tap.next().await;
        if name == "from:marker:end" {
            break;
        }
        seen.add(
            "the bus",
            format!("{name} {}", String::from_utf8_lossy(&body)),
        );
    }
    logged.gateway.terminate().await;
    logged.gateway.child.wait().await.unwrap();
    for (what, text) in [
        ("the console", logged.console()),
        ("the app log", logged.app()),
        ("the debug log", logged.debug()),
    ] {
        assert!(text.contains("an API key was made"), "{what}: {text}");
        seen.add(what, text);
    }

    let key_file = std::fs::read_to_string(data.join("key")).unwrap();
    let signature = token.rsplit('.').next().unwrap();
    seen.holds_none_of(&[
        ("the admin password", PASSWORD),
        ("a user's password", USER_PASSWORD),
        ("a mistyped password", WRONG_PASSWORD),
        ("--jwt-secret", SECRET),
        ("--metrics-token", METRICS),
        ("a token", token),
        ("a token's signature", signature),
        ("a newer token", newer),
        ("an API key", api_key),
        ("a session's cookie", cookie.split_once('=').unwrap().1),
        ("the key file", key_file.trim()),
    ]);
}
