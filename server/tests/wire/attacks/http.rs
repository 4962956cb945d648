//! HTTP itself: smuggled requests, slow bodies, pipelines, methods and kinds that no route knows.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{HERE, Target, statuses};
use crate::gateway::PATIENCE;
use crate::http_api::{raw, with_body};

/// Two readings of where a request ends are one too many: it is refused, and the connection with it,
/// so that nothing behind it is taken for a request.
#[tokio::test]
async fn no_request_is_smuggled() {
    let mut target = Target::start().await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let length = smuggled.len();
    let post = "POST /token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    for head in [
        format!("content-length: 0\r\ncontent-length: {length}\r\n"),
        format!("content-length: {length}\r\ncontent-length: 0\r\n"),
        format!("content-length: 0, {length}\r\n"),
        format!("content-length: +{length}\r\n"),
        "content-length: -1\r\n".to_owned(),
        "content-length: 0x10\r\n".to_owned(),
        "content-length: 1e1\r\n".to_owned(),
        "content-length: 1 1\r\n".to_owned(),
        "content-length: 99999999999999999999999\r\n".to_owned(),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding: identity\r\n".to_owned(),
        "transfer-encoding: \u{b}chunked\r\n".to_owned(),
        "transfer-encoding : chunked\r\n".to_owned(),
        " transfer-encoding: chunked\r\n".to_owned(),
        "x: y\r\n transfer-encoding: chunked\r\n".to_owned(),
        "content-length: 0\r\nx\u{0}y: z\r\n".to_owned(),
    ] {
        let said = target
            .speak(format!("{post}{head}\r\n{smuggled}").as_bytes())
            .await;
        assert_eq!(statuses(&said), [400], "{head:?}: {said}");
    }
    // Chunks that lie about their length.
    for body in [
        "-1\r\n\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\na\r\n0\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "1;\na\r\n0\r\n\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        "g\r\na\r\n",
    ] {
        let asks = format!("{post}transfer-encoding: chunked\r\n\r\n{body}{smuggled}");
        let said = target.speak(asks.as_bytes()).await;
        assert_eq!(statuses(&said), [400], "{body:?}: {said}");
        assert!(!said.contains("/smuggled"), "{body:?}");
    }
    // HTTP/1.0 has no chunks.
    let asks =
        format!("POST /token HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}");
    let said = target.speak(asks.as_bytes()).await;
    assert!(
        said.starts_with("HTTP/1.0 400") || statuses(&said) == [400],
        "{said}"
    );
    target.unharmed().await;
}

/// A length beside chunks: the chunks hold, as RFC 9112 has it, and the connection ends.
#[tokio::test]
async fn chunks_go_before_a_length() {
    let mut target = Target::start().await;
    let body = r#"{"channel":"room","id":"alice"}"#;
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let last = "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    for head in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 100000\r\n",
    ] {
        let asks = format!(
            "POST /token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{head}\r\n{chunked}{last}"
        );
        let said = target.speak(asks.as_bytes()).await;
        // The connection ends there: whatever stands behind is nobody's request.
        assert_eq!(statuses(&said), [200], "{head:?}: {said}");
        assert_eq!(said.matches("\"token\":").count(), 1, "{said}");
    }
    target.unharmed().await;
}

/// Requests behind one another are answered in their order, each once.
#[tokio::test]
async fn a_pipeline_is_answered_in_order() {
    let mut target = Target::start().await;
    let mut asks = String::new();
    for n in 0..200 {
        let path = if n % 2 == 0 {
            "/healthz"
        } else {
            "/api/v1/nothing"
        };
        asks += &format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
    }
    asks += "GET /api/v1/overview HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    // What comes behind the last one is not looked at.
    asks += "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    let found = statuses(&target.speak(asks.as_bytes()).await);
    let mut expected = [200, 404].repeat(100);
    expected.push(401);
    assert_eq!(found, expected);
    // Frames that come with the handshake are the socket's.
    let asks = "GET /websocket?vsn=2.0.0 HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n\
                upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n";
    let said = target.speak(asks.as_bytes()).await;
    assert_eq!(statuses(&said), [101], "{said}");
    assert!(said.contains("protocol error"), "{said}");
    target.unharmed().await;
}

/// Methods that no route knows, and methods that are none.
#[tokio::test]
async fn methods_that_nobody_knows() {
    let mut target = Target::start().await;
    let cookie = target.cookie.clone();
    let headers = [("cookie", cookie.as_str()), HERE];
    for method in ["TRACE", "PATCH", "PROPFIND", "get", "X", "QUERY"] {
        for path in [
            "/api/v1/overview",
            "/api/v1/auth/users",
            "/token",
            "/healthz",
            "/longpoll",
        ] {
            let (status, head, _) = raw(&target.gateway, method, path, &headers, None).await;
            assert_eq!(status, 405, "{method} {path}");
            assert!(!head.contains(&cookie), "{head}");
        }
    }
    // What a header says of the method changes nothing.
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        let headers = [("cookie", cookie.as_str()), HERE, (name, "DELETE")];
        let path = "/api/v1/channels/bystanders?_method=DELETE";
        assert_eq!(
            raw(&target.gateway, "GET", path, &headers, None).await.0,
            200,
            "{name}"
        );
    }
    for line in [
        "G\u{0}T /healthz HTTP/1.1",
        "GET  /healthz HTTP/1.1",
        "GET /healthz HTTP/9.9",
        "GET /healthz",
        "GET /healthz HTTP/1.1 GET",
        "CONNECT evil.example:443 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "PRI * HTTP/2.0",
        "\u{16}\u{3}\u{1}",
    ] {
        let asks = format!("{line}\r\nhost: a\r\nconnection: close\r\n\r\n");
        let said = target.speak(asks.as_bytes()).await;
        let found = statuses(&said);
        assert!(
            found.iter().all(|status| (400..500).contains(status)),
            "{line:?}: {said}"
        );
        assert!(!said.contains("bystanders"), "{said}");
    }
    target.unharmed().await;
}

/// Kinds of bodies that no route takes.
#[tokio::test]
async fn kinds_that_nobody_takes() {
    let mut target = Target::start().await;
    let headers = [("cookie", target.cookie.as_str()), HERE];
    for kind in [
        "",
        "application/xml",
        "text/json; charset=utf-7",
        "application/jsonx",
        "*/*",
    ] {
        for (method, path) in [
            ("POST", "/api/v1/auth/users"),
            ("PUT", "/api/v1/definitions"),
        ] {
            let body = Some((kind, "{}"));
            let (status, _, said) = with_body(&target.gateway, method, path, &headers, body).await;
            assert_eq!(status, 415, "{kind:?} {path}: {said}");
            let problem: Value = serde_json::from_str(&said).unwrap();
            assert_eq!(problem["status"], 415);
        }
    }
    target.unharmed().await;
}

/// A body that comes byte by byte holds a place for so long and no longer.
#[tokio::test]
async fn a_slow_body_is_cut() {
    let flags = ["--http-body-seconds", "1", "--max-http-connections", "2"];
    let mut target = Target::with(&flags).await;
    let mut slow = Vec::new();
    for head in ["content-length: 1000", "transfer-encoding: chunked"] {
        let address = ("127.0.0.1", target.gateway.port);
        let mut stream = TcpStream::connect(address).await.unwrap();
        let asks = format!(
            "POST /token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{head}\r\n\r\n"
        );
        stream.write_all(asks.as_bytes()).await.unwrap();
        slow.push((stream, head.starts_with("transfer")));
    }
    // Both places are taken; who waits for one is served once they are given back.
    let dripping = slow.into_iter().map(|(stream, chunked)| async move {
        let (mut read, mut write) = stream.into_split();
        let drip = async {
            let byte: &[u8] = if chunked { b"1\r\n \r\n" } else { b" " };
            while write.write_all(byte).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            std::future::pending::<()>().await;
        };
        let mut said = Vec::new();
        let reading = async {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = read.read(&mut part).await {
                said.extend_from_slice(&part[..length]);
            }
        };
        tokio::select! { () = drip => {}, () = reading => {} }
        String::from_utf8_lossy(&said).into_owned()
    });
    let all = futures::future::join_all(dripping);
    let (said, ()) = timeout(PATIENCE, futures::future::join(all, target.unharmed()))
        .await
        .expect("slow bodies are cut");
    for said in said {
        assert_eq!(statuses(&said), [408], "{said}");
    }
    let metrics = raw(&target.gateway, "GET", "/metrics", &[], None).await.2;
    assert!(
        metrics.contains("tidegate_http_slow_bodies_total 2"),
        "{metrics}"
    );
}
