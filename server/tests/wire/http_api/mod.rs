//! The admin API: who may use it, what it does, what it answers.

mod definitions;
mod files;
mod lists;
mod sessions;
mod steering;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway::{Gateway, PASSWORD};
use crate::socket::Socket;

/// One HTTP request, with the bytes spelled out so that nothing is normalised on the way.
pub async fn raw(
    gateway: &Gateway,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> (u16, String, String) {
    let body = body.map(|body| ("application/json", body.to_string()));
    let body = body.as_ref().map(|(kind, body)| (*kind, body.as_str()));
    with_body(gateway, method, path, headers, body).await
}

/// The same with a body of any kind.
pub async fn with_body(
    gateway: &Gateway,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<(&str, &str)>,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if let Some((kind, body)) = body {
        text += &format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    } else if method == "POST" || method == "PUT" {
        text += "content-length: 0\r\n";
    }
    text += "\r\n";
    text += body.map(|(_, body)| body).unwrap_or_default();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

/// Status and parsed body.
pub async fn request(
    gateway: &Gateway,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> (u16, Value) {
    let (status, _, body) = raw(gateway, method, path, headers, body).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// Signs in and gives the `Cookie` header of the session.
pub async fn sign_in(gateway: &Gateway, password: &str) -> String {
    let body = json!({"password": password});
    let (status, head, body) = raw(gateway, "POST", "/api/v1/session", &[HERE], Some(&body)).await;
    assert_eq!(status, 200, "{body}");
    cookie(&head)
}

fn cookie(head: &str) -> String {
    let line = head
        .lines()
        .find(|line| line.starts_with("set-cookie: "))
        .expect("a cookie");
    assert!(
        line.contains("HttpOnly") && line.contains("SameSite=Strict"),
        "{line}"
    );
    line["set-cookie: ".len()..]
        .split(';')
        .next()
        .unwrap()
        .to_owned()
}

struct Admin<'a> {
    gateway: &'a Gateway,
    cookie: String,
}

impl<'a> Admin<'a> {
    async fn of(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            cookie: sign_in(gateway, PASSWORD).await,
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let headers = [("cookie", self.cookie.as_str()), HERE];
        request(
            self.gateway,
            method,
            &format!("/api/v1{path}"),
            &headers,
            body,
        )
        .await
    }

    async fn done(&self, method: &str, path: &str, body: Option<&Value>) -> String {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer["done"].as_str().unwrap().to_owned()
    }
}

async fn removed(member: &mut Socket, topic: &str) -> Value {
    loop {
        let frame = member.next().await;
        if frame[3] == "phx_close" && frame[2] == topic {
            assert_eq!(frame[0], frame[1], "the ref is the join's own");
            return frame[4]["reason"].clone();
        }
    }
}
