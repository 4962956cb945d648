//! Attacks on the real gateway. Each test asserts what exactly the attacker is answered, and that
//! the gateway serves everybody else as before: nobody is ever answered with a fault (5xx).

mod bombs;
mod clocks;
mod fields;
mod guessing;
mod holding;
mod http;
mod lengths;
mod origins;
mod paths;
mod sessions;
mod text;
mod tokens;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, now, token};
use crate::http_api::{raw, request, sign_in};
use crate::socket::Socket;

/// What no page of another site can send.
pub const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// A gateway under attack, somebody who was there before, and an administrator.
pub struct Target {
    pub gateway: Gateway,
    pub cookie: String,
    bystander: Socket,
    visits: u32,
}

impl Target {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(flags: &[&str]) -> Self {
        let mut all = vec!["--jwt-secret", SECRET, "--admin-password", PASSWORD];
        // Nobody who was there before goes because a test takes its time.
        all.extend(["--idle-seconds", "600"]);
        all.extend(flags);
        let gateway = Gateway::with(&all, "").await;
        let bystander = gateway.joined("bystanders", "ben").await;
        let cookie = sign_in(&gateway, PASSWORD).await;
        Self {
            gateway,
            cookie,
            bystander,
            visits: 0,
        }
    }

    /// Asks the API as the administrator.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let path = format!("/api/v1{path}");
        let headers = [("cookie", self.cookie.as_str()), HERE];
        let body = (!body.is_null()).then_some(&body);
        let (status, answer) = request(&self.gateway, method, &path, &headers, body).await;
        assert!(status < 500, "{method} {path}: {status} {answer}");
        (status, answer)
    }

    /// Who was there before is still served, and who comes now is let in.
    pub async fn unharmed(&mut self) {
        self.visits += 1;
        let (status, _, body) = raw(&self.gateway, "GET", "/healthz", &[], None).await;
        assert_eq!(status, 200, "{body}");
        let topic = format!("visit:{}", self.visits);
        self.gateway.joined(&topic, "vera").await;
        self.bystander.expect_silence().await;
    }

    /// Sends these bytes and reads until the gateway closes.
    pub async fn speak(&self, bytes: &[u8]) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.gateway.port)).await;
        let (mut read, mut write) = stream.unwrap().into_split();
        let sending = async {
            // The gateway may have heard enough: it answers and closes.
            let _ = write.write_all(bytes).await;
            write
        };
        let reading = async {
            let (mut answer, mut part) = (Vec::new(), vec![0; 64 * 1024]);
            while let Ok(length @ 1..) = read.read(&mut part).await {
                answer.extend_from_slice(&part[..length]);
            }
            String::from_utf8_lossy(&answer).into_owned()
        };
        let both = timeout(PATIENCE, futures::future::join(sending, reading)).await;
        both.expect("an answer in time, and the end").1
    }
}

/// The statuses of the answers in what a connection said.
pub fn statuses(said: &str) -> Vec<u16> {
    let starts = said.match_indices("HTTP/1.1 ");
    let found: Vec<u16> = starts
        .filter_map(|(at, line)| said.get(at + line.len()..)?.get(..3)?.parse().ok())
        .collect();
    assert!(found.iter().all(|status| *status < 500), "{said}");
    found
}

/// Joins and gives the reason of the refusal, or null.
pub async fn join_reason(socket: &mut Socket, topic: &str, payload: Value) -> Value {
    socket
        .send(json!(["1", "1", topic, "phx_join", payload]))
        .await;
    loop {
        let frame = socket.next().await;
        if frame[3] == "phx_reply" && frame[2] == topic {
            return frame[4]["response"]["reason"].clone();
        }
    }
}
