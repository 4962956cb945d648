//! HTTP requests that reach a plugin over the bus, and what it answers: the gateway publishes
//! `from:plugin:<name>:request` and waits for `to:plugin:<name>:reply` with the same id.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// The name on the bus under which a plugin's requests come.
pub fn request_name(plugin: &str) -> String {
    format!("from:plugin:{plugin}:request")
}

/// The name under which it answers them.
pub fn reply_name(plugin: &str) -> String {
    format!("to:plugin:{plugin}:reply")
}

/// The name under which it says that it is there.
pub fn here_name(plugin: &str) -> String {
    format!("to:plugin:{plugin}:here")
}

/// One request.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// What the reply repeats.
    pub id: String,
    /// `GET`, `POST`, ...
    pub method: String,
    /// What follows the plugin's name in the address, without a slash at either end.
    pub path: String,
    /// The query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// The body, where it is JSON.
    #[serde(default)]
    pub body: Value,
    /// Who asks.
    #[serde(default)]
    pub principal: String,
    /// What that one may do: `viewer`, `operator` or `admin`.
    #[serde(default)]
    pub role: String,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status of the response.
    pub status: u16,
    /// Its body; of a refusal the sentence.
    pub body: Value,
}

impl Answer {
    /// What was asked for.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// Why it is not to be had: a sentence.
    pub fn refused(status: u16, why: impl Into<String>) -> Self {
        Self {
            status,
            body: Value::String(why.into()),
        }
    }

    /// The body of the reply to the request of this id.
    pub fn reply(&self, id: &str) -> Vec<u8> {
        json!({"id": id, "status": self.status, "body": self.body})
            .to_string()
            .into_bytes()
    }
}

impl Request {
    /// Reads a request from the body of a message; `None` for what is none.
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Whether it only looks.
    pub fn looks(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the gateway sends is read; what it does not send is no reason to fail.
    #[test]
    fn a_request_is_read() {
        let body = br#"{"id":"n.1","method":"GET","path":"a/b","query":{"x":"1"},"body":null,
            "principal":"admin","role":"admin","later":1}"#;
        let request = Request::read(body).unwrap();
        assert!(request.looks() && request.query["x"] == "1");
        assert!(Request::read(b"{}").is_none() && Request::read(b"\xff").is_none());
        let reply: Value =
            serde_json::from_slice(&Answer::refused(403, "No.").reply("n.1")).unwrap();
        assert_eq!(reply, json!({"id": "n.1", "status": 403, "body": "No."}));
    }
}
