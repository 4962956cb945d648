//! Text that would like to be more: line breaks, escape sequences and characters that turn the
//! direction of writing, in names, events, headers and paths. Whatever is logged, recorded or
//! answered stays one line and shows what it is.

use serde_json::{Value, json};

use super::{HERE, join_reason, statuses};
use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, now, signed, token};
use crate::http_api::{raw, request, sign_in};
use crate::log::Logged;
use crate::socket::Socket;

/// A forged line of the log, a terminal's sequence, turned writing, separators of lines.
const NASTY: [&str; 7] = [
    "a\r\n2026-01-01T00:00:00Z  INFO forged: an administrator signed in",
    "a\n{\"level\":\"INFO\",\"message\":\"forged\"}",
    "a\u{1b}[2J\u{1b}]0;forged\u{7}",
    "a\u{202e}txet\u{202c}",
    "a\u{2066}b\u{2069}\u{200f}",
    "a\u{2028}b\u{2029}c\u{85}d",
    "a\u{0}b\u{8}\u{7f}",
];

/// What no line of a log may hold as it is.
fn is_nasty(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}' | '\u{2029}')
}

/// Everything that is said of a request or by a client, in every place that is written down.
async fn say_it_all(gateway: &Gateway, cookie: &str, nasty: &str) {
    let admin = async |method: &str, path: &str, body: Value| {
        let headers = [("cookie", cookie), HERE];
        let path = format!("/api/v1{path}");
        let (status, _, said) = raw(gateway, method, &path, &headers, Some(&body)).await;
        assert!(status < 500, "{method} {path}: {said}");
        assert!(!said.chars().any(|c| c.is_ascii_control()), "{said:?}");
    };
    admin(
        "POST",
        "/session",
        json!({"name": nasty, "password": nasty}),
    )
    .await;
    admin(
        "POST",
        "/auth/users",
        json!({"name": nasty, "role": "viewer", "password": "open sesame"}),
    )
    .await;
    admin(
        "POST",
        "/auth/api-keys",
        json!({"name": nasty, "role": "viewer"}),
    )
    .await;
    admin(
        "POST",
        "/auth/token",
        json!({"id": nasty, "channels": [nasty]}),
    )
    .await;
    admin(
        "POST",
        "/auth/token",
        json!({"id": nasty, "channels": ["room"]}),
    )
    .await;
    admin("POST", "/auth/revoke", json!({"subject": nasty})).await;
    admin("POST", "/auth/revoke", json!({"jti": nasty})).await;
    admin("POST", "/auth/introspect", json!({"token": nasty})).await;
    admin(
        "PUT",
        "/definitions",
        json!({"pattern": nasty, "join": "public"}),
    )
    .await;
    admin(
        "POST",
        "/channels/room/events",
        json!({"event": nasty, "payload": nasty}),
    )
    .await;
    let (_, _, said) = raw(
        gateway,
        "POST",
        "/token",
        &[],
        Some(&json!({"channel": nasty, "id": nasty})),
    )
    .await;
    assert!(!said.chars().any(|c| c.is_ascii_control()), "{said:?}");
    let encoded: String = nasty.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for (method, path) in [
        ("GET", format!("/channels/{encoded}")),
        ("DELETE", format!("/channels/{encoded}")),
        ("POST", format!("/channels/{encoded}/events")),
        ("DELETE", format!("/definitions/{encoded}")),
        ("DELETE", format!("/auth/tokens/{encoded}")),
        (
            "GET",
            format!("/activity?search={encoded}&principal={encoded}"),
        ),
        (
            "GET",
            format!("/auth/tokens?id={encoded}&kid={encoded}&after={encoded}"),
        ),
    ] {
        admin(method, &path, json!({"event": "e", "payload": 1})).await;
    }
    // In a socket: topics, events, who one is, and what one's browser is called.
    let claims = json!({"id": nasty, "channel": "room", "exp": now() + 600});
    let named = signed(&claims, SECRET, jsonwebtoken::Algorithm::HS256);
    let agent = nasty.replace(|c: char| c.is_control(), "");
    let mut socket = Socket::open(gateway.port, "vsn=2.0.0", &[("user-agent", &agent)])
        .await
        .unwrap();
    join_reason(
        &mut socket,
        "room",
        json!({"token": named, "presence": {"a": nasty}}),
    )
    .await;
    join_reason(
        &mut socket,
        nasty,
        json!({"token": token("mallory", nasty)}),
    )
    .await;
    for (topic, event) in [("room", nasty), (nasty, "say"), (nasty, nasty)] {
        socket.send(json!(["1", "2", topic, event, {}])).await;
    }
    socket.settle().await;
    admin("GET", &format!("/channels/{encoded}"), json!({})).await;
    admin(
        "POST",
        &format!("/channels/{encoded}/events"),
        json!({"event": nasty, "payload": 1}),
    )
    .await;
    admin("DELETE", &format!("/channels/{encoded}"), json!({})).await;
    let foreign = [("origin", agent.as_str()), ("user-agent", agent.as_str())];
    let _ = Socket::open(gateway.port, "vsn=2.0.0", &foreign).await;
}

/// P19: whatever somebody is called or says, a line of a log is one event: on the console, in the app
/// log and in the debug log, and so in the record of what was done.
#[tokio::test]
async fn no_text_makes_a_line_of_its_own() {
    let console = ["--log", "tidegate=trace"];
    let logged = Logged::start(&console, &["--jwt-secret", SECRET]).await;
    let gateway = &logged.gateway;
    let cookie = sign_in(gateway, PASSWORD).await;
    for nasty in NASTY {
        say_it_all(gateway, &cookie, nasty).await;
    }
    let headers = [("cookie", cookie.as_str()), HERE];
    let path = "/api/v1/activity/export";
    let (status, _, said) = raw(gateway, "GET", path, &headers, None).await;
    assert_eq!(status, 200);
    let records: Vec<_> = said.lines().filter(|line| line.starts_with('{')).collect();
    assert!(records.len() > 50, "{said}");
    for line in records {
        let record: Value = serde_json::from_str(line).expect(line);
        for text in record
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_str)
        {
            assert!(!text.chars().any(is_nasty), "{text:?}");
        }
    }
    let (status, _) = request(gateway, "GET", "/healthz", &[], None).await;
    assert_eq!(status, 200);
    gateway.joined("room", "vera").await;

    // The logs have all of it once this is in them.
    let marker = json!({"event": "marker", "payload": 1});
    let path = "/api/v1/channels/room/events";
    raw(gateway, "POST", path, &headers, Some(&marker)).await;
    let all = async {
        while [logged.console(), logged.app(), logged.debug()]
            .iter()
            .any(|log| !log.contains("marker"))
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    let (console, files) = (logged.console(), [logged.app(), logged.debug()]);
    assert!(console.split('\n').count() > 20);
    for line in console.split('\n').filter(|line| !line.is_empty()) {
        assert!(!line.chars().any(is_nasty), "{line:?}");
        assert!(line.starts_with("20"), "begins with when it was: {line:?}");
        assert!(!line.starts_with("2026-01-01T00:00:00Z"), "{line:?}");
    }
    for file in files {
        assert!(file.split('\n').count() > 20);
        for line in file.split('\n').filter(|line| !line.is_empty()) {
            assert!(!line.chars().any(|c| c.is_ascii_control()), "{line:?}");
            let line: Value = serde_json::from_str(line).expect(line);
            assert_ne!(line["message"], "forged");
            assert!(line["level"].is_string() && line["timestamp"].is_string());
        }
    }
}

/// No part of a request becomes a header of the answer.
#[tokio::test]
async fn no_text_makes_a_header_of_its_own() {
    let target = super::Target::start().await;
    let forged = "x%0d%0aset-cookie:%20tidegate_session=forged%0d%0a%0d%0a<script>";
    for path in [
        format!("/login?link={forged}"),
        format!("/admin?link={forged}"),
        format!("/{forged}"),
        format!("/pkg/{forged}?v={forged}"),
        format!("/api/v1/channels/{forged}"),
        format!("/longpoll?vsn={forged}&token={forged}"),
        format!("/websocket?vsn={forged}"),
    ] {
        let (_, head, _) = raw(&target.gateway, "GET", &path, &[], None).await;
        assert!(!head.contains("forged"), "{path}: {head}");
    }
    // In a header such bytes end the request, not the header.
    for value in ["a\rset-cookie: forged=1", "a\u{0}b", "a\u{1b}[2J"] {
        let asks = format!(
            "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: {value}\r\nconnection: close\r\n\r\n"
        );
        let said = target.speak(asks.as_bytes()).await;
        assert_eq!(statuses(&said), [400], "{value:?}");
        assert!(!said.contains("forged"), "{said}");
    }
}
