//! What a client is told at the start. Every bound has its outcome in the crate's own page.

use std::time::Duration;

/// How to connect, and how much may wait where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The endpoint without a query, for instance `ws://127.0.0.1:2025/websocket`.
    pub url: String,
    /// What goes into the query beside `vsn=2.0.0`, unescaped; `userToken` for instance.
    pub params: Vec<(String, String)>,
    /// How often a heartbeat is sent, and how long its answer may take.
    pub heartbeat: Duration,
    /// How long the answer to a join or a push may take, and how long join parameters and a
    /// connection attempt may.
    pub timeout: Duration,
    /// Whether [`crate::Updates`] show every frame.
    pub trace: bool,
    /// How many events wait for one reader.
    pub mailbox_events: usize,
    /// How many bytes of events wait for one reader.
    pub mailbox_bytes: usize,
    /// How many pushes of one channel wait for its join.
    pub buffered_pushes: usize,
    /// How many pushes wait for an answer.
    pub pending_pushes: usize,
    /// How many frames wait for the socket.
    pub outgoing_frames: usize,
    /// How many bytes of frames wait for the socket.
    pub outgoing_bytes: usize,
    /// The largest frame taken from the gateway; the browser has its own limit.
    pub max_frame_bytes: usize,
    /// The WebSocket's read buffer, for tokio. Small for programs with many connections.
    pub read_buffer_bytes: usize,
}

impl Config {
    /// The settings that phoenix.js has, and bounds that suit one page or one program.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            params: Vec::new(),
            heartbeat: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            trace: false,
            mailbox_events: 1024,
            mailbox_bytes: 8 << 20,
            buffered_pushes: 64,
            pending_pushes: 1024,
            outgoing_frames: 1024,
            outgoing_bytes: 8 << 20,
            max_frame_bytes: 16 << 20,
            read_buffer_bytes: 16 << 10,
        }
    }

    /// The address to connect to, with its query.
    #[cfg_attr(not(any(feature = "tokio", feature = "browser")), allow(dead_code))]
    pub(crate) fn address(&self) -> String {
        let mut address = format!("{}?vsn=2.0.0", self.url);
        for (name, value) in &self.params {
            address.push('&');
            escape(&mut address, name);
            address.push('=');
            escape(&mut address, value);
        }
        address
    }
}

/// Percent-encodes all but the characters that need none in any part of an address.
#[cfg_attr(not(any(feature = "tokio", feature = "browser")), allow(dead_code))]
fn escape(out: &mut String, text: &str) {
    use std::fmt::Write;
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into());
            }
            // Writing to a String cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A1: `vsn` and what else is asked for go into the query.
    #[test]
    fn the_query_holds_the_version_and_escaped_parameters() {
        let mut config = Config::new("ws://h/websocket");
        config.params.push(("userToken".into(), "a+b&c=ü".into()));
        assert_eq!(
            config.address(),
            "ws://h/websocket?vsn=2.0.0&userToken=a%2Bb%26c%3D%C3%BC"
        );
    }
}
