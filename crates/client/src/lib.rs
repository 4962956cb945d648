//! A client for Phoenix Channels, serializer V2: the one the interface, the tests and the load
//! generator use.
//!
//! The rules live in [`core`], a state machine without I/O and without a clock: frames, commands
//! and the time go in, frames, events and the next deadline come out. A driver task feeds it from
//! a transport: tokio's (feature `tokio`) or the browser's (feature `browser`).
//!
//! ```no_run
//! # async fn example() {
//! use tidegate_client::{ChannelEvent, Client, Config};
//!
//! let client = Client::connect(Config::new("ws://127.0.0.1:2025/websocket"));
//! let mut flights = client.channel("flights", serde_json::json!({}));
//! while let Some(event) = flights.next().await {
//!     match event {
//!         ChannelEvent::Joined { .. } => flights.cast("snapshot", &serde_json::json!({})).unwrap(),
//!         ChannelEvent::Event { event, payload } => println!("{event}: {} bytes", payload.len()),
//!         ChannelEvent::Refused { reason } => println!("refused: {reason}; trying again"),
//!         ChannelEvent::Interrupted { reason } => println!("interrupted: {reason}"),
//!         ChannelEvent::Closed { reason } => println!("over: {reason}"),
//!     }
//! }
//! # }
//! ```
//!
//! # What it promises
//!
//! - The connection is kept up: lost, it comes back after 10, 50, 100, 150, 200, 250, 500, 1000,
//!   2000 and then every 5000 ms, each spread by half around itself; every channel is joined
//!   again, with fresh join parameters ([`Client::channel_with`]). A heartbeat goes out each
//!   [`Config::heartbeat`]; one without an answer means that the connection is lost.
//! - A refused join, a join without an answer and a `phx_error` are tried again after 1, 2, 5 and
//!   then every 10 s. `phx_close` ends the channel.
//! - Frames of an older join of the same topic are ignored.
//! - One channel per topic: a second [`Client::channel`] of a topic leaves the first, which sees
//!   [`ChannelEvent::Closed`], as phoenix.js does.
//!
//! # What is bounded
//!
//! | what | bound | outcome |
//! | --- | --- | --- |
//! | events that a [`Channel`] has not read | [`Config::mailbox_events`], [`Config::mailbox_bytes`] | the oldest events go, counted in [`ChannelHandle::dropped`]; joins, closes and presence go last |
//! | pushes before the join's answer | [`Config::buffered_pushes`] per channel | [`PushError::Full`] |
//! | pushes without an answer | [`Config::pending_pushes`] | [`PushError::Full`] |
//! | frames that the socket has not taken | [`Config::outgoing_frames`], [`Config::outgoing_bytes`] | [`PushError::Full`] |
//! | updates that an [`Updates`] has not read | [`Config::mailbox_events`], [`Config::mailbox_bytes`] | the oldest frames go, counted in [`Updates::dropped`] |
//!
//! Without a transport feature everything compiles and every client is closed from the start:
//! that is what rendering a page on the server needs.

mod backoff;
mod channel;
mod client;
mod config;
pub mod core;
mod driver;
mod event;
mod frame;
mod mailbox;
mod maybe_send;
mod shared;
mod transport;

pub use channel::{Channel, ChannelHandle, Reply};
pub use client::{Client, Updates};
pub use config::Config;
pub use event::{ChannelEvent, ChannelState, PushError, Status, Update, parse};
pub use frame::{FrameError, ServerFrame};
pub use maybe_send::{JoinParams, JoinParamsFuture, MaybeSend};
pub use tidegate_protocol::{Encoded, Payload};
