//! What a client tells its user: events of a channel, the state of the connection, errors.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidegate_protocol::{Encoded, Payload};

/// What happens on a channel, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum ChannelEvent {
    /// The gateway took the join; also after each reconnect. Ask for snapshots now.
    Joined {
        /// The `response` of the reply.
        response: Value,
    },
    /// The join was refused, got no answer, or its parameters could not be had. It is tried again
    /// until somebody leaves.
    Refused {
        /// The gateway's reason (see `docs/PROTOCOL.md`), or a sentence of this client.
        reason: String,
    },
    /// An event of the channel, `presence_*` included.
    Event {
        /// Its name.
        event: Arc<str>,
        /// Its payload, not parsed yet; [`parse`] does it.
        payload: Payload,
    },
    /// The channel was joined and is not any more; it will be joined again.
    Interrupted {
        /// Why, in words.
        reason: String,
    },
    /// The channel is over: left, closed by the gateway, replaced, or the client was closed.
    Closed {
        /// Why, in words.
        reason: String,
    },
}

impl ChannelEvent {
    /// How much it weighs in a bounded queue.
    pub(crate) fn size(&self) -> usize {
        match self {
            ChannelEvent::Event { event, payload } => event.len() + payload.len(),
            _ => 0,
        }
    }

    /// Whether it may go before others when nobody reads. A lost presence diff would make a
    /// presence list wrong for good, so these stay.
    pub(crate) fn is_data(&self) -> bool {
        matches!(self, ChannelEvent::Event { event, .. } if !event.starts_with("presence_"))
    }
}

/// Reads the JSON of a payload; a binary one is an error of its own.
pub fn parse<T: DeserializeOwned>(payload: &Payload) -> Result<T, serde_json::Error> {
    match payload {
        Payload::Json(json) => serde_json::from_slice(json),
        Payload::Binary(_) => Err(serde::de::Error::custom("the payload is binary, not JSON")),
    }
}

/// Where a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelState {
    /// Waits for the connection.
    Waiting,
    /// The join is on its way.
    Joining,
    /// Joined.
    Joined,
    /// Refused or failed; the next try comes by itself.
    Retrying,
    /// Over.
    Closed,
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Not there yet, or lost and coming back.
    Connecting {
        /// 0 for the first try, then how many tries have failed since the connection was good.
        attempt: u32,
        /// When the next try begins, in milliseconds since 1970; none while one is under way.
        retry_at_ms: Option<u64>,
        /// What ended the connection or the last try, in words.
        reason: Option<String>,
    },
    /// Events flow.
    Open,
    /// Closed for good by [`crate::Client::close`].
    Closed {
        /// Why, in words.
        reason: String,
    },
}

/// What [`crate::Updates`] yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The connection's state changed.
    Status(Status),
    /// A frame went out or came in; only with [`crate::Config::trace`].
    Frame {
        /// Whether this client sent it.
        sent: bool,
        /// When, in milliseconds since 1970.
        time_ms: u64,
        /// The frame's content.
        frame: Encoded,
    },
}

impl Update {
    pub(crate) fn size(&self) -> usize {
        match self {
            Update::Status(_) => 0,
            Update::Frame { frame, .. } => frame.len(),
        }
    }

    pub(crate) fn is_data(&self) -> bool {
        matches!(self, Update::Frame { .. })
    }
}

/// Why a push has no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The gateway refused it, with its reason from `docs/PROTOCOL.md`.
    #[error("the gateway refused the event: {0}")]
    Refused(String),
    /// No answer in [`crate::Config::timeout`]; whether the event arrived is unknown.
    #[error("no answer in time; the event may have arrived or not")]
    Timeout,
    /// The connection or the join was lost before the answer; whether the event arrived is
    /// unknown.
    #[error("the connection was lost before the answer; the event may have arrived or not")]
    Interrupted,
    /// The channel was left or closed.
    #[error("the channel is not joined any more; join it again")]
    NotJoined,
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
    /// Too much waits already; see the bounds in the crate's own page.
    #[error("too many events wait to be sent; try again later")]
    Full,
    /// A topic, event or ref of a binary push above 255 bytes.
    #[error("the names of a binary event must not be longer than 255 bytes")]
    NameTooLong,
    /// The payload cannot be written as JSON, or the answer is not the JSON that was expected.
    #[error("not the JSON it should be: {0}")]
    NotJson(String),
}

/// A payload as it goes out.
pub(crate) fn json_payload(value: &impl serde::Serialize) -> Result<Payload, PushError> {
    serde_json::to_vec(value)
        .map(|json| Payload::Json(Bytes::from(json)))
        .map_err(|error| PushError::NotJson(error.to_string()))
}
