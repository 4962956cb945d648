//! What a run prints: one line of JSON.

use serde::{Deserialize, Serialize};

use crate::latencies::Quantiles;
use crate::meter::Cost;

/// One run of one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// What was measured.
    pub(crate) target: String,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    pub(crate) cost: Cost,
}

/// The figures of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "run", rename_all = "lowercase")]
pub(crate) enum Figures {
    Subscribers(Deliveries),
    Idle(Idle),
    Joins(Joins),
    Push(Pushes),
    Presence(Presences),
}

/// Messages to many subscribers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deliveries {
    pub(crate) subscribers: u32,
    /// Bytes of a payload.
    pub(crate) bytes: usize,
    /// Messages a second; none: as many in flight as follows.
    pub(crate) rate: Option<u32>,
    pub(crate) in_flight: u32,
    /// Messages that went in; fewer than were asked for where the target loses them.
    pub(crate) messages: u64,
    pub(crate) deliveries: u64,
    /// Messages times subscribers, less what arrived.
    pub(crate) lost: u64,
    /// What arrived twice, or after a later one.
    pub(crate) out_of_order: u64,
    /// From the first message to the last delivery.
    pub(crate) delivering_seconds: f64,
    /// From the moment the message was due until the client read it.
    pub(crate) latency: Quantiles,
    pub(crate) cpu_us_per_delivery: f64,
}

/// Connections that say nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Idle {
    pub(crate) connections: u32,
    /// Private resident memory of the target before the first connection, in bytes.
    pub(crate) private_before: u64,
    /// The same with all of them in.
    pub(crate) private_after: u64,
    pub(crate) bytes_per_connection: f64,
    /// CPU time of the target to take a connection, its handshake and its join.
    pub(crate) cpu_us_per_connection: f64,
}

/// Joins of one topic, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Joins {
    pub(crate) members: u32,
    /// How many joins waited for their reply at once.
    pub(crate) in_flight: u32,
    /// How many joins the first and the last part have.
    pub(crate) part: u32,
    pub(crate) per_second: f64,
    pub(crate) first_per_second: f64,
    pub(crate) last_per_second: f64,
    pub(crate) cpu_us_per_join: f64,
}

/// Pushes that are answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pushes {
    pub(crate) clients: u32,
    /// Bytes of a payload.
    pub(crate) bytes: usize,
    pub(crate) requests: u64,
    pub(crate) per_second: f64,
    /// From the push to its reply.
    pub(crate) latency: Quantiles,
    pub(crate) cpu_us_per_request: f64,
}

/// Clients that join a topic with presence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Presences {
    pub(crate) members: u32,
    /// The time over which the joins were spread, in milliseconds.
    pub(crate) within_ms: u64,
    /// The most diffs that any client got within a second.
    pub(crate) diffs_in_busiest_second: u32,
    /// The diffs that the first member got in all.
    pub(crate) diffs_to_first: u32,
    /// From the first join to the last frame.
    pub(crate) settled_seconds: f64,
    /// Bytes of `presence_state` and `presence_diff` to all members together.
    pub(crate) bytes: u64,
    /// Members that the least informed member was told of, states and diffs together. Fewer than
    /// there are: something was lost.
    pub(crate) fewest_told: u64,
    pub(crate) cpu_ms_per_member: f64,
}
