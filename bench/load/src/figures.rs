//! What a run prints: one line of JSON.

use serde::{Deserialize, Serialize};

use crate::options::Target;

/// The figures of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "run", rename_all = "lowercase")]
pub(crate) enum Figures {
    Subscribers(Deliveries),
    Idle(Idle),
}

/// Messages to many subscribers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deliveries {
    pub(crate) target: Target,
    pub(crate) subscribers: u32,
    /// Bytes of a payload.
    pub(crate) bytes: usize,
    /// Messages a second; none: one in flight at a time.
    pub(crate) rate: Option<u32>,
    pub(crate) messages: u32,
    pub(crate) deliveries: u64,
    /// Messages times subscribers, less what arrived.
    pub(crate) lost: u64,
    /// What arrived twice, or after a later one.
    pub(crate) out_of_order: u64,
    /// From the moment the message was due until the client read it, in microseconds.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) max_us: f64,
    /// From the first message to the last delivery.
    pub(crate) seconds: f64,
    /// CPU time of the target, user and system, per million deliveries.
    pub(crate) cpu_seconds_per_million: f64,
    /// CPU time of the generator over the time that passed: near 1, the latencies are its own.
    pub(crate) generator_busy: f64,
}

/// Connections that say nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Idle {
    pub(crate) target: Target,
    pub(crate) connections: u32,
    /// Resident memory of the target before the first connection, in bytes.
    pub(crate) resident_before: u64,
    /// The same with all of them in.
    pub(crate) resident_after: u64,
    pub(crate) bytes_per_connection: f64,
    /// CPU time of the target to let one client in, in microseconds.
    pub(crate) join_cpu_us: f64,
}
