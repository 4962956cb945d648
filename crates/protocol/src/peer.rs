//! What gateways on one Redis tell each other, so that they act as one.
//!
//! Every message names the gateway that sends it. Changes of presence are numbered: who misses one
//! asks for everything again. Nothing here is for plugins; the words may change with any version.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::names::{Event, Topic};
use crate::presence::Meta;

/// The longest message that is sent, in members.
pub const MEMBERS_PER_MESSAGE: usize = 500;

/// One message from one gateway to all others.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerMessage {
    /// Who sends it: random for each start of a gateway.
    pub node: String,
    /// What it says.
    pub says: Says,
}

/// What a gateway says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It has just come, or does not know what it has missed: everybody tells everything.
    Hello,
    /// It has missed something of one gateway, which tells everything.
    Ask {
        /// The gateway that is asked.
        node: String,
        /// Backends were told that its members had left, for it had not been heard.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        given_up: bool,
    },
    /// It lives, and its last changes had this number.
    Alive(u64),
    /// Members came and went.
    Changes {
        /// One more than the last time.
        number: u64,
        /// In their order.
        changes: Vec<PeerChange>,
    },
    /// A part of all its members.
    All {
        /// The number of its last changes; the next ones come on top of this.
        number: u64,
        /// Whether it is the first part: what was collected before is void.
        first: bool,
        /// Whether it is the last part: what was collected holds from now on.
        last: bool,
        /// The members.
        members: Vec<PeerMember>,
    },
    /// An event from a client on a channel that relays.
    Relay {
        /// The channel.
        topic: Topic,
        /// What happened.
        event: Event,
        /// The payload.
        payload: PeerPayload,
    },
    /// It stops.
    Bye,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerChange {
    /// A member came, or came back with other metadata.
    Join(PeerMember),
    /// The member with this `phx_ref` went.
    Leave(String),
}

/// A member of another gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerMember {
    /// The channel.
    pub topic: Topic,
    /// Whose member it is.
    pub user: String,
    /// The presence key, where that is not the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether presence does not show it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Whether its channel has no presence: it is told for backends alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// The connection's id.
    pub connection: String,
    /// What is shown of it.
    pub meta: Meta,
}

/// A payload, unchanged.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerPayload {
    /// The text of a JSON value, byte for byte.
    Json(Box<RawValue>),
    /// Bytes in base64.
    Base64(String),
}
