//! Requests to the gateway: the admin interface, and long polls.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{PATIENCE, within};
use crate::error::StormError;
use crate::gateway::PASSWORD;

/// One request on a connection of its own; gives the head and the body of the answer.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<(String, String), StormError> {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    within(PATIENCE, "an answer to a request", async {
        let wrong = |error: std::io::Error| StormError::Http {
            request: format!("{method} {path}"),
            answer: error.to_string(),
        };
        let mut stream = TcpStream::connect(address).await.map_err(wrong)?;
        stream.write_all(text.as_bytes()).await.map_err(wrong)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(wrong)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) => Ok((head.to_owned(), body.to_owned())),
            None => Err(StormError::Http {
                request: format!("{method} {path}"),
                answer,
            }),
        }
    })
    .await
}

/// The same for JSON.
pub(crate) async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<Value, StormError> {
    let (head, text) = request(address, method, path, headers, body).await?;
    serde_json::from_str(&text).map_err(|_| StormError::Http {
        request: format!("{method} {path}"),
        answer: format!("{head} {text}"),
    })
}

/// An administrator's session.
pub(crate) struct Admin {
    address: SocketAddr,
    cookie: String,
}

impl Admin {
    /// Signs in.
    pub(crate) async fn sign_in(address: SocketAddr) -> Result<Self, StormError> {
        let body = json!({ "password": PASSWORD }).to_string();
        let headers = "Content-Type: application/json\r\nX-Tidegate-Request: 1\r\n";
        let (head, text) = request(address, "POST", "/api/v1/session", headers, &body).await?;
        let cookie = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let session = value.split(';').next()?;
            name.eq_ignore_ascii_case("set-cookie")
                .then(|| session.to_owned())
        });
        let cookie = cookie.ok_or(StormError::Http {
            request: "the sign-in".to_owned(),
            answer: text,
        })?;
        Ok(Self { address, cookie })
    }

    /// How many events the members of a channel did not get because they read too slowly.
    pub(crate) async fn dropped(&self, topic: &str) -> Result<u64, StormError> {
        let path = format!("/api/v1/channels/{topic}");
        let cookie = format!("Cookie: {}\r\n", self.cookie);
        let channel = ask(self.address, "GET", &path, &cookie, "").await?;
        channel["dropped"].as_u64().ok_or(StormError::Http {
            request: path,
            answer: channel.to_string(),
        })
    }
}
