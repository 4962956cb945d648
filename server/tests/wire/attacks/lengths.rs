//! Over-long everything: each has its answer, and nothing of it is kept.

use serde_json::{Value, json};

use super::{HERE, Target, join_reason, statuses, token};
use crate::http_api::request;
use crate::socket::Socket;

impl Target {
    async fn get(&self, path: &str, header: &str) -> Vec<u16> {
        let asks =
            format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{header}connection: close\r\n\r\n");
        statuses(&self.speak(asks.as_bytes()).await)
    }
}

/// The line of a request, its headers, their number, its cookies.
#[tokio::test]
async fn long_heads_are_refused() {
    let mut target = Target::start().await;
    for (length, status) in [
        (10_000, 404),
        (60_000, 404),
        (70_000, 414),
        (10_000_000, 414),
    ] {
        let path = format!("/api/v1/{}", "a".repeat(length));
        let said = target.get(&path, "").await;
        assert!(
            said == [status] || (status == 414 && said == [431]),
            "{length}: {said:?}"
        );
        let path = format!("/healthz?{}", "a".repeat(length));
        let said = target.get(&path, "").await;
        let status = if status == 404 { 200 } else { 414 };
        assert!(
            said == [status] || (status == 414 && said == [431]),
            "{length}: {said:?}"
        );
    }
    for header in [
        format!("x-long: {}\r\n", "a".repeat(5_000_000)),
        format!("{}: a\r\n", "x".repeat(100_000)),
        format!("cookie: {}\r\n", "a=b; ".repeat(100_000)),
        "x-many: a\r\n".repeat(101),
        "cookie: a=b\r\n".repeat(5_000),
    ] {
        assert_eq!(
            target.get("/healthz", &header).await,
            [431],
            "{}",
            &header[..20]
        );
    }
    // Long, and still within the bound: the one cookie among many is found.
    let many = "a=b; ".repeat(5_000) + &target.cookie;
    let headers = [("cookie", many.as_str()), HERE];
    let (status, _) = request(&target.gateway, "GET", "/api/v1/overview", &headers, None).await;
    assert_eq!(status, 200);
    target.unharmed().await;
}

/// Names, passwords, tokens, lists: in the bodies of the API.
#[tokio::test]
async fn long_fields_are_refused() {
    let mut target = Target::start().await;
    let long = "a".repeat(1_000_000);
    let topic = "a".repeat(256);
    let channels: Vec<String> = (0..101).map(|n| format!("room:{n}")).collect();
    for (method, path, body, status) in [
        ("POST", "/session", json!({"password": long}), 401),
        (
            "POST",
            "/auth/users",
            json!({"name": long, "role": "viewer", "password": "open sesame"}),
            422,
        ),
        (
            "POST",
            "/auth/users",
            json!({"name": "eve", "role": "viewer", "password": long}),
            422,
        ),
        (
            "POST",
            "/auth/users",
            json!({"name": "eve", "role": long, "password": "open sesame"}),
            422,
        ),
        (
            "POST",
            "/auth/api-keys",
            json!({"name": long, "role": "viewer"}),
            422,
        ),
        ("POST", "/auth/token", json!({"channels": channels}), 422),
        ("POST", "/auth/token", json!({"channels": [topic]}), 422),
        (
            "POST",
            "/auth/token",
            json!({"channels": ["room"], "id": long}),
            422,
        ),
        ("POST", "/auth/revoke", json!({"subject": long}), 422),
        ("POST", "/auth/revoke", json!({"kid": long}), 422),
        ("POST", "/auth/revoke", json!({"jti": long}), 404),
        ("POST", "/auth/introspect", json!({"token": long}), 200),
        ("PUT", "/definitions", json!({"pattern": topic}), 422),
        (
            "POST",
            "/channels/room/events",
            json!({"event": topic, "payload": 1}),
            422,
        ),
    ] {
        let (answer, said) = target.admin(method, path, body).await;
        assert_eq!(answer, status, "{method} {path}: {said}");
        assert!(said.to_string().len() < 3_000, "{method} {path} echoes");
    }
    // As a name of somebody who signs in.
    let body = json!({"name": long, "password": long});
    let (status, _) = request(
        &target.gateway,
        "POST",
        "/api/v1/session",
        &[HERE],
        Some(&body),
    )
    .await;
    assert_eq!(status, 401);
    for query in ["search", "after", "principal", "limit"] {
        let path = format!("/activity?{query}={}", &long[..40_000]);
        let (status, said) = target.admin("GET", &path, Value::Null).await;
        let expected = if query == "limit" { 400 } else { 200 };
        assert_eq!(status, expected, "{query}: {said}");
    }
    target.unharmed().await;
}

/// Topics, events, refs, payloads, tokens: in a socket.
#[tokio::test]
async fn long_frames_are_answered() {
    let mut target = Target::with(&["--max-errors", "1000"]).await;
    let mut socket = target.gateway.joined("room", "mallory").await;
    let long = "a".repeat(500_000);
    let just = "a".repeat(255);
    for (topic, reason) in [
        (just.as_str(), Value::Null),
        (&long, json!("invalid topic")),
    ] {
        let payload = json!({"token": token("mallory", &just)});
        assert_eq!(join_reason(&mut socket, topic, payload).await, reason);
    }
    for (event, reason) in [
        (just.as_str(), Value::Null),
        (&long, json!("invalid event")),
    ] {
        let answer = socket.ask(json!(["1", "2", "room", event, {}])).await;
        let answer = if answer[3] == "phx_reply" {
            answer
        } else {
            socket.next().await
        };
        assert_eq!(answer[4]["response"]["reason"], reason, "{}", event.len());
    }
    for frame in [
        json!([long, "1", "room", "say", {}]),
        json!(["1", long, "room", "say", {}]),
        json!([null, "1".repeat(65), "phoenix", "heartbeat", {}]),
    ] {
        socket.send(frame).await;
        let answer = socket.next().await;
        assert_eq!(answer[4]["reason"], "malformed frame", "{answer}");
    }
    let payload = json!({"token": long});
    let mut other = target.gateway.connect().await;
    assert_eq!(
        join_reason(&mut other, "room", payload).await,
        "invalid token"
    );
    let name = json!({"token": token(&"a".repeat(256), "room")});
    assert_eq!(join_reason(&mut other, "room", name).await, "invalid token");
    let meta = json!({"token": token("mallory", "room"), "presence": {"a": long}});
    assert_eq!(
        join_reason(&mut other, "room", meta).await,
        "presence too large"
    );
    // A frame beyond the bound ends its socket.
    let payload = "a".repeat(2 << 20);
    other.send(json!(["1", "2", "room", "say", payload])).await;
    assert_eq!(other.closed().await, (1009, "frame too large".to_owned()));
    // So does one in a thousand parts.
    let mut parts = target.gateway.connect().await;
    parts.send_raw(&[0x01, 0x81, 0, 0, 0, 0, b'[']).await;
    let mut part = vec![0x00, 0xfe, 0x80, 0x00, 0, 0, 0, 0];
    part.extend_from_slice(&[b' '; 0x8000]);
    for _ in 0..33 {
        parts.send_raw(&part).await;
    }
    assert_eq!(parts.closed().await, (1009, "frame too large".to_owned()));
    // A user agent that is long is kept in part.
    let agent = "m".repeat(30_000);
    let headers = [("user-agent", agent.as_str())];
    let mut long_name = Socket::open(target.gateway.port, "vsn=2.0.0", &headers)
        .await
        .unwrap();
    long_name.expect_silence().await;
    let (_, found) = target
        .admin("GET", "/connections?limit=200", Value::Null)
        .await;
    assert!(found.to_string().len() < 20_000);
    target.unharmed().await;
}
