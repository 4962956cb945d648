//! Pages of other origins at the sockets and at the long poll.

use serde_json::{Value, json};

use super::{Target, join_reason, statuses, token};
use crate::http_api::{raw, with_body};
use crate::socket::Socket;

/// Origins that look like the gateway's own, or like the one that is allowed, and are neither.
const FOREIGN: [&str; 19] = [
    "https://evil.example",
    "http://evil.example:2025",
    "null",
    "",
    "http://",
    "//localhost",
    "localhost",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1@evil.example",
    "http://evil.example/127.0.0.1",
    "http://127.0.0.1/",
    "http://localhost,https://evil.example",
    "http://[::1].evil.example",
    "http://0x7f.1",
    "https://app.example.com.evil.example",
    "https://app.example.com:444",
    "http://app.example.com",
    "https://xapp.example.com",
];

async fn target() -> Target {
    Target::with(&["--allowed-origins", "https://app.example.com"]).await
}

/// A WebSocket sends cookies along and asks nobody's leave: the origin is what decides.
#[tokio::test]
async fn foreign_pages_open_no_socket() {
    let mut target = target().await;
    let port = target.gateway.port;
    for origin in FOREIGN {
        let headers = [("origin", origin), ("cookie", target.cookie.as_str())];
        let answer = Socket::open(port, "vsn=2.0.0", &headers).await;
        assert_eq!(answer.err(), Some(403), "{origin}");
    }
    // Nor does a name that an attacker's DNS points here.
    let host = format!("rebound.example:{port}");
    let origin = format!("http://{host}");
    let asks = format!(
        "GET /websocket?vsn=2.0.0 HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\n\
         connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let asks = asks.replace("upgrade, close", "upgrade");
    let once = asks.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
    assert_eq!(statuses(&target.speak(once.as_bytes()).await), [403]);
    // Two origins are none.
    let doubled = once.replacen(
        &format!("origin: {origin}"),
        "origin: http://localhost\r\norigin: https://evil.example",
        1,
    );
    assert_eq!(statuses(&target.speak(doubled.as_bytes()).await), [403]);
    // A session's cookie makes nobody an administrator in a socket, wherever the page is from.
    let headers = [("cookie", target.cookie.as_str())];
    let mut socket = Socket::open(port, "vsn=2.0.0", &headers).await.unwrap();
    let refused = join_reason(&mut socket, "admin", json!({})).await;
    assert_eq!(refused, "unauthorized");
    target.unharmed().await;
}

/// The same at the long poll: no session begins, and one that is known is neither read nor driven.
#[tokio::test]
async fn foreign_pages_have_no_long_poll() {
    let mut target = target().await;
    let gateway = &target.gateway;
    let (_, _, body) = raw(gateway, "GET", "/longpoll?vsn=2.0.0", &[], None).await;
    let began: Value = serde_json::from_str(&body).unwrap();
    let path = format!(
        "/longpoll?vsn=2.0.0&token={}",
        began["token"].as_str().unwrap()
    );
    let join = json!(["1", "1", "room", "phx_join", {"token": token("alice", "room")}]);
    let join = join.to_string();
    for origin in FOREIGN {
        let headers = [("origin", origin), ("cookie", target.cookie.as_str())];
        for (method, path, body) in [
            ("GET", "/longpoll?vsn=2.0.0", None),
            ("GET", path.as_str(), None),
            (
                "POST",
                path.as_str(),
                Some(("application/json", join.as_str())),
            ),
            ("POST", path.as_str(), Some(("text/plain", join.as_str()))),
            (
                "POST",
                path.as_str(),
                Some(("application/x-ndjson", join.as_str())),
            ),
        ] {
            let (status, _, said) = with_body(gateway, method, path, &headers, body).await;
            assert_eq!(
                (status, said.as_str()),
                (200, r#"{"status":403}"#),
                "{origin}"
            );
        }
    }
    // What the foreign pages sent was not heard; what the client itself sends is.
    let (_, _, said) = with_body(
        gateway,
        "POST",
        &path,
        &[],
        Some(("application/json", &join)),
    )
    .await;
    assert_eq!(said, r#"{"status":200}"#);
    let (_, _, said) = raw(gateway, "GET", &path, &[], None).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    let first: Value = serde_json::from_str(said["messages"][0].as_str().unwrap()).unwrap();
    assert_eq!(
        (&first[3], &first[4]["status"]),
        (&json!("phx_reply"), &json!("ok"))
    );
    // A session that is guessed is none.
    for guess in ["0", "*", "%00", "..", &"a".repeat(32), &"a".repeat(30_000)] {
        let path = format!("/longpoll?vsn=2.0.0&token={guess}");
        let (status, _, said) = raw(gateway, "GET", &path, &[], None).await;
        assert_eq!(
            (status, said.as_str()),
            (200, r#"{"status":410}"#),
            "{guess}"
        );
    }
    target.unharmed().await;
}
