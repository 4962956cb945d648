//! The transport that this build has: tokio's, the browser's, or none.
//!
//! Each gives the driver the same things: a [`Socket`] to read and write frames, `connect`,
//! `sleep`, and the clocks.

use tidegate_protocol::Encoded;

/// What comes out of a socket.
#[cfg_attr(not(any(feature = "tokio", feature = "browser")), allow(dead_code))]
pub(crate) enum Incoming {
    /// A frame.
    Frame(Encoded),
    /// The end, in words.
    Closed(String),
}

#[cfg(all(feature = "browser", target_arch = "wasm32"))]
mod browser;
#[cfg(all(feature = "browser", target_arch = "wasm32"))]
pub(crate) use browser::{Connect, Sleep, Socket, connect, drive, now_ms, seed, sleep, wall_ms};

#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
mod tokio;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
pub(crate) use tokio::{Connect, Sleep, Socket, connect, drive, now_ms, seed, sleep, wall_ms};

#[cfg(not(any(
    all(feature = "browser", target_arch = "wasm32"),
    all(feature = "tokio", not(target_arch = "wasm32"))
)))]
mod none;
#[cfg(not(any(
    all(feature = "browser", target_arch = "wasm32"),
    all(feature = "tokio", not(target_arch = "wasm32"))
)))]
pub(crate) use none::{Connect, Sleep, Socket, connect, drive, now_ms, seed, sleep, wall_ms};

/// The end of a connection in words, from a close code and its text.
#[cfg_attr(not(any(feature = "tokio", feature = "browser")), allow(dead_code))]
pub(crate) fn close_words(code: u16, text: &str) -> String {
    match (code, text) {
        (1005 | 1006, "") => "the connection to the gateway was lost".to_owned(),
        (code, "") => format!("the gateway closed the connection ({code})"),
        (code, text) => format!("the gateway closed the connection: {text} ({code})"),
    }
}
