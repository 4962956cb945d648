//! Bombs: what is small to send and endless to read.

use std::io::Write as _;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{HERE, Target, statuses};
use crate::gateway::token;
use crate::http_api::{raw, with_body};

/// Every route that reads a body.
const BODIES: [(&str, &str); 11] = [
    ("POST", "/token"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/channels/bystanders/events"),
    ("PUT", "/api/v1/definitions"),
    ("POST", "/api/v1/auth/token"),
    ("POST", "/api/v1/auth/introspect"),
    ("POST", "/api/v1/auth/revoke"),
    ("POST", "/api/v1/auth/keys/rotate"),
    ("POST", "/api/v1/auth/users"),
    ("PUT", "/api/v1/auth/users/none"),
    ("POST", "/api/v1/auth/api-keys"),
];

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

/// Deep, broad, and with numbers that no number holds: each route says what is wrong.
#[tokio::test]
async fn json_bombs_are_answered() {
    let mut target = Target::start().await;
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let keys: Vec<String> = (0..120_000).map(|n| format!(r#""k{n}":{n}"#)).collect();
    let bombs = [
        nested(10_000),
        nested(500_000),
        "[".repeat(1_000_000),
        objects,
        format!("{{{}}}", keys.join(",")),
        format!(r#"{{"password":{}}}"#, "9".repeat(100_000)),
        format!(r#"{{"seconds":1e{}}}"#, "9".repeat(1_000)),
        r#"{"password":"\ud800"}"#.to_owned(),
        "\u{feff}{}".to_owned(),
        String::new(),
        "\u{0}".repeat(1_000),
    ];
    for (method, path) in BODIES {
        for bomb in &bombs {
            let headers = [("cookie", target.cookie.as_str()), HERE];
            let body = Some(("application/json", bomb.as_str()));
            let (status, _, said) = with_body(&target.gateway, method, path, &headers, body).await;
            assert!(
                [400, 422].contains(&status),
                "{method} {path}: {status} {said}"
            );
            let problem: Value = serde_json::from_str(&said).unwrap();
            assert!(said.len() < 2_000 && problem["status"] == status, "{said}");
        }
    }
    target.unharmed().await;
}

/// A body beyond the bound is refused before it is read, and one that is compressed is not opened:
/// the gateway takes bodies as they are.
#[tokio::test]
async fn large_and_compressed_bodies_are_refused() {
    let mut target = Target::start().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b' '; 64 << 20]).unwrap();
    let gzip = gzip.finish().unwrap();
    assert!(gzip.len() < 100_000, "{}", gzip.len());
    for (method, path) in BODIES {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncookie: {}\r\n\
             x-tidegate-request: 1\r\ncontent-type: application/json\r\n",
            target.cookie
        );
        for encoding in ["gzip", "deflate", "br", "gzip, gzip"] {
            let length = gzip.len();
            let mut asks =
                format!("{head}content-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n")
                    .into_bytes();
            asks.extend_from_slice(&gzip);
            assert_eq!(
                statuses(&target.speak(&asks).await),
                [400],
                "{path} {encoding}"
            );
        }
        // Announced, and never sent: the answer does not wait for it.
        let asks = format!("{head}content-length: 3000000000\r\n\r\n");
        assert_eq!(
            statuses(&target.speak(asks.as_bytes()).await),
            [413],
            "{path}"
        );
        // Not announced.
        let mut asks = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
        for _ in 0..40 {
            asks.extend_from_slice(b"10000\r\n");
            asks.extend_from_slice(&[b' '; 0x10000]);
            asks.extend_from_slice(b"\r\n");
        }
        asks.extend_from_slice(b"0\r\n\r\n");
        assert_eq!(statuses(&target.speak(&asks).await), [413], "{path}");
    }
    target.unharmed().await;
}

/// The same in a socket: a frame that is too deep is malformed, numbers and keys are passed on or
/// refused, and the socket lives.
#[tokio::test]
async fn json_bombs_in_a_socket_are_answered() {
    let mut target = Target::start().await;
    let mut socket = target.gateway.joined("room", "mallory").await;
    let keys: Vec<String> = (0..60_000).map(|n| format!(r#""k{n}":{n}"#)).collect();
    let keys = format!("{{{}}}", keys.join(","));
    for payload in [nested(10_000), nested(400_000)] {
        // What the gateway reads itself may not be deep; what it passes on it does not take apart.
        for (event, reason) in [
            ("phx_join", "invalid join"),
            ("presence_update", "invalid join"),
        ] {
            let topic = if event == "phx_join" { "lobby" } else { "room" };
            socket
                .send_text(&format!(r#"["1","2","{topic}","{event}",{payload}]"#))
                .await;
            let answer = socket.next().await;
            let reasons = [json!(reason), json!("presence too large")];
            assert!(
                reasons.contains(&answer[4]["response"]["reason"]),
                "{event} {answer}"
            );
        }
        socket
            .send_text(&format!(r#"["1","2","room","access_token",{payload}]"#))
            .await;
        assert_eq!(
            socket.next().await[4]["response"]["reason"],
            "invalid token"
        );
        socket
            .send_text(&format!(r#"["1","2","room","say",{payload}]"#))
            .await;
        assert_eq!(socket.next().await[4]["status"], "ok");
        // As a frame it is none.
        for frame in [
            payload.clone(),
            payload[1..].to_owned(),
            r#"{"a":"#.repeat(100_000),
        ] {
            socket.send_text(&frame).await;
            assert_eq!(socket.next().await[4]["reason"], "malformed frame");
        }
    }
    // A payload is never taken apart: what a number is worth is the receivers' business.
    for payload in [
        "1e999999".to_owned(),
        "-".to_owned() + &"9".repeat(100_000),
        keys.clone(),
    ] {
        socket
            .send_text(&format!(r#"["1","3","room","say",{payload}]"#))
            .await;
        assert_eq!(socket.next().await[4]["status"], "ok");
    }
    // What the gateway does read is bounded.
    let large = format!(r#"["2","2","lobby","phx_join",{{"presence":{keys}}}]"#);
    socket.send_text(&large).await;
    assert_eq!(
        socket.next().await[4]["response"]["reason"],
        "presence too large"
    );
    let number = r#"["2","2","lobby","phx_join",{"presence":{"a":1e999}}]"#;
    socket.send_text(number).await;
    assert_eq!(socket.next().await[4]["response"]["reason"], "invalid join");
    target.unharmed().await;
}

/// The same over the long poll, which takes larger bodies and many lines.
#[tokio::test]
async fn bombs_over_the_long_poll_are_answered() {
    let mut target = Target::start().await;
    let begin = async || {
        let (_, _, said) = raw(&target.gateway, "GET", "/longpoll?vsn=2.0.0", &[], None).await;
        let said: Value = serde_json::from_str(&said).unwrap();
        format!("/longpoll?token={}", said["token"].as_str().unwrap())
    };
    let deep = format!(r#"["1","1","room","say",{}]"#, nested(400_000));
    let lines = "x\n".repeat(1_000_000);
    let base64 = "A".repeat(1_000_000);
    for (kind, body, status) in [
        ("application/json", deep.as_str(), 200),
        ("application/x-ndjson", &lines, 200),
        ("application/x-ndjson", &base64, 200),
    ] {
        let path = begin().await;
        let said = with_body(&target.gateway, "POST", &path, &[], Some((kind, body))).await;
        assert_eq!(said.0, status, "{kind}: {}", said.2);
    }
    let large = format!(
        "POST {} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{}",
        begin().await,
        9 << 20,
        " ".repeat(9 << 20)
    );
    assert_eq!(statuses(&target.speak(large.as_bytes()).await), [413]);
    target.unharmed().await;
}

/// A frame that is a thousand times as large once it is inflated is too large.
#[tokio::test]
async fn an_inflating_frame_is_too_large() {
    let mut target = Target::with(&["--deflate-min-bytes", "100"]).await;
    let extension = ("sec-websocket-extensions", "permessage-deflate");
    for inflated in [2 << 20, 64 << 20] {
        let mut deflate =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        deflate.write_all(&vec![b' '; inflated]).unwrap();
        deflate.flush().unwrap();
        // Without the four bytes that every message ends with (RFC 7692, section 7.2.1).
        let bomb = deflate.get_ref()[..deflate.get_ref().len() - 4].to_vec();
        assert!(bomb.len() < inflated / 500);
        let mut asks = format!(
            "GET /websocket?vsn=2.0.0 HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n{}: {}\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            extension.0, extension.1
        )
        .into_bytes();
        // A final text frame with RSV1, masked with zeros, its length in as few bytes as it takes.
        asks.push(0xc1);
        match u16::try_from(bomb.len()) {
            Ok(short) => {
                asks.push(0xfe);
                asks.extend_from_slice(&short.to_be_bytes());
            }
            Err(_) => {
                asks.push(0xff);
                asks.extend_from_slice(&(bomb.len() as u64).to_be_bytes());
            }
        }
        asks.extend_from_slice(&[0; 4]);
        asks.extend_from_slice(&bomb);
        let said = target.speak(&asks).await;
        assert!(said.contains("permessage-deflate"), "{said}");
        assert!(said.contains("frame too large"), "{said}");
    }
    // Without compression a frame that announces as much is closed before it comes.
    let mut socket = target.gateway.connect().await;
    let mut head = vec![0x81, 0xff];
    head.extend_from_slice(&(1_u64 << 40).to_be_bytes());
    head.extend_from_slice(&[0; 4]);
    socket.send_raw(&head).await;
    assert_eq!(socket.closed().await, (1009, "frame too large".to_owned()));
    target.unharmed().await;
}

/// Binary frames whose lengths lie are malformed.
#[tokio::test]
async fn lengths_that_lie_are_malformed() {
    let mut target = Target::start().await;
    let mut socket = target.gateway.connect().await;
    let good = token("mallory", "room");
    for frame in [
        vec![0, 255, 255, 255, 255],
        vec![0, 1, 1, 4, 255, b'1', b'1'],
        vec![3, 255, 255, 255, 255, 255, 1],
        vec![
            3, 1, 1, 4, 3, 0, 9, b'1', b'1', b'r', b'o', b'o', b'm', b's', b'a', b'y',
        ],
        vec![255; 2_000],
        vec![0; 1_000_000],
    ] {
        socket.send_message(Message::binary(frame)).await;
        // Refused where there is somebody to tell, and in no case anything else.
        for answer in socket.settle().await {
            let refused = answer[3] == "error" || answer[4]["status"] == "error";
            assert!(refused, "{answer}");
        }
    }
    let payload = json!({"token": good});
    let answer = super::join_reason(&mut socket, "room", payload).await;
    assert_eq!(answer, Value::Null);
    target.unharmed().await;
}
