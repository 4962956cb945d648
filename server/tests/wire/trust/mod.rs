//! Who may do what, over the API of the real binary: what its tests share.

mod actions;
mod anonymous;
mod issuers;
mod people;
mod put_out;
mod records;
mod roles;
mod rotation;
mod session_tokens;
mod tokens;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::gateway::{Gateway, PASSWORD, PATIENCE};
use crate::http_api::{raw, request, sign_in};
use crate::socket::Socket;

const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// Somebody who uses the API: by a session's cookie, or by a key.
pub struct Asks<'a> {
    gateway: &'a Gateway,
    header: (&'static str, String),
}

impl<'a> Asks<'a> {
    pub async fn admin(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            header: ("cookie", sign_in(gateway, PASSWORD).await),
        }
    }

    pub fn bearer(gateway: &'a Gateway, key: &str) -> Self {
        Self {
            gateway,
            header: ("authorization", format!("Bearer {key}")),
        }
    }

    pub async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let path = format!("/api/v1{path}");
        let headers = [(self.header.0, self.header.1.as_str()), HERE];
        let body = (!body.is_null()).then_some(&body);
        request(self.gateway, method, &path, &headers, body).await
    }

    pub async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    async fn issue(&self, id: &str, channel: &str) -> (String, String) {
        let wanted = json!({"id": id, "channels": [channel]});
        let issued = self.ok("POST", "/auth/token", wanted).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&issued["token"]), text(&issued["info"]["jti"]))
    }
}

/// A gateway with a folder of its own and no shared secret.
pub async fn gateway(folder: &tempfile::TempDir) -> Gateway {
    let folder = folder.path().to_str().unwrap();
    Gateway::with(&["--data-dir", folder, "--admin-password", PASSWORD], "").await
}

async fn join(socket: &mut Socket, topic: &str, token: &str) -> Value {
    socket
        .send(json!(["1", "1", topic, "phx_join", {"token": token}]))
        .await;
    loop {
        let frame = socket.next().await;
        if frame[3] == "phx_reply" {
            return frame[4]["response"]["reason"].clone();
        }
    }
}

async fn member(gateway: &Gateway, topic: &str, token: &str) -> Socket {
    let mut socket = gateway.connect().await;
    assert_eq!(join(&mut socket, topic, token).await, Value::Null);
    socket
}

/// Waits for the end of the membership, and gives its reason.
async fn removed(socket: &mut Socket) -> Value {
    timeout(PATIENCE, async {
        loop {
            let frame = socket.next().await;
            if frame[3] == "phx_close" {
                return frame[4]["reason"].clone();
            }
        }
    })
    .await
    .unwrap()
}

async fn refused(gateway: &Gateway, topic: &str, token: &str) -> Value {
    join(&mut gateway.connect().await, topic, token).await
}

async fn signs_in(gateway: &Gateway, name: &str, password: &str) -> Result<String, u16> {
    let body = json!({"name": name, "password": password});
    let (status, head, _) = raw(gateway, "POST", "/api/v1/session", &[HERE], Some(&body)).await;
    if status != 200 {
        return Err(status);
    }
    let line = head
        .lines()
        .find(|line| line.starts_with("set-cookie: "))
        .unwrap();
    let cookie = line["set-cookie: ".len()..].split(';').next().unwrap();
    Ok(cookie.to_owned())
}
