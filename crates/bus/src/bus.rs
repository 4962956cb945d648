//! The seam: what the gateway asks of a bus, and what a bus tells the gateway.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::future::BoxFuture;
use tidegate_protocol::{BusName, Event, NameError, Topic};
use tokio::sync::watch;

use crate::publishing::Publishing;

/// One event on its way to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The channel it is for, compared literally.
    pub topic: Topic,
    /// What happened.
    pub event: Event,
    /// The payload, byte for byte as it was published.
    pub body: Bytes,
}

/// Who takes what comes from the bus for clients.
///
/// All functions are called from the bus's tasks, `deliver` in the order of publication for each
/// publisher and topic. They must not wait: whoever needs time queues.
pub trait Sink: Send + Sync + 'static {
    /// An event published as `to:<topic>:<event>`.
    fn deliver(&self, event: Inbound);

    /// Nothing more is at hand: what was delivered before may go on its way. Called after every
    /// run of deliveries, so that a backlog can be sent on as one.
    fn flush(&self);

    /// What another gateway on the same bus says, see [`Bus::publish_to_peers`].
    fn peer(&self, body: Bytes);

    /// The bus has answered an event that was published so long ago. The in-process bus answers
    /// at once and does not say so.
    fn answered(&self, took: Duration) {
        let _ = took;
    }

    /// A message published under a name that begins with `to:` but holds no valid topic and
    /// event. It is not delivered; the gateway counts it.
    fn refused(&self, error: NameError);
}

/// Why an event was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus is down, or refused the command; says why. Answered at once: nothing is kept for
    /// later. When it went down while the event was on its way, the event may have been published
    /// all the same. The gateway answers the client `bus unavailable`.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
    /// No answer within the publish time-out. The event may have been published all the same,
    /// so whoever repeats it may deliver it twice.
    #[error("the bus did not answer in time; the event may have been published or not")]
    Timeout,
    /// More is waiting to be published than the settings allow; `limit` is in bytes.
    #[error("more than {limit} bytes are waiting to be published; publish more slowly")]
    Full {
        /// The setting that was reached, in bytes.
        limit: usize,
    },
}

/// Why a bus could not be started. An unreachable Redis is no such reason: it shows in
/// [`Status`] and the bus recovers by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener's address cannot be used.
    #[error("cannot listen for Redis clients on {address}: {source}; choose another address")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A listener beyond loopback without a password would let anybody publish.
    #[error("the bus listens on {0}, beyond this machine, without a password: set one")]
    Unprotected(SocketAddr),
    /// The Redis URL cannot be read. The URL itself is not repeated: it may hold a password.
    #[error("the Redis URL cannot be used: {0}")]
    Url(String),
}

/// Which bus it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`InProcess`](crate::InProcess).
    InProcess,
    /// [`Redis`](crate::Redis).
    Redis,
}

impl Kind {
    /// As the interface spells it: `in-process` or `redis`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::InProcess => "in-process",
            Kind::Redis => "redis",
        }
    }
}

/// The state of the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which bus it is.
    pub kind: Kind,
    /// Whether events flow.
    pub up: bool,
    /// Where it is, never with a password: the address of Redis, or of the listener. `None` for
    /// an in-process bus without a listener.
    pub address: Option<String>,
    /// Since when `up` is as it is.
    pub since: SystemTime,
    /// Why it is down, in words; `None` while it is up.
    pub detail: Option<String>,
    /// Redis clients connected to the in-process bus; 0 for Redis.
    pub clients: u64,
}

/// What the bus has counted since it was started. Each bound of the bus shows here when it is
/// reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Messages delivered to the [`Sink`].
    pub delivered: u64,
    /// Messages on `to:` under an invalid name, handed to [`Sink::refused`].
    pub refused: u64,
    /// Events that the gateway published.
    pub published: u64,
    /// Events that the gateway could not publish: unavailable, timed out or full.
    pub failed: u64,
    /// Times the connection to Redis was made, the first one included.
    pub connects: u64,
    /// Subscribers of the in-process bus that were cut because they read too slowly.
    pub slow_cut: u64,
    /// Redis clients turned away because the limit on clients was reached.
    pub clients_refused: u64,
    /// Events that were not taken for Redis since too many bytes waited: they are among the failed
    /// ones.
    pub queue_full: u64,
    /// Subscriptions refused to Redis clients that had as many as they may have.
    pub subscriptions_refused: u64,
    /// Redis clients disconnected because what they sent is not the Redis protocol, or too long.
    pub protocol_errors: u64,
}

/// What carries events between gateways and plugins.
pub trait Bus: Send + Sync + 'static {
    /// Publishes `body` under `name`, in either direction, in the order of the calls. Awaiting
    /// what is given back tells how it went: `Ok` means that the bus has the event.
    fn publish(&self, name: BusName, body: Bytes) -> Publishing;

    /// Publishes to every gateway on the same bus, this one included, apart from all names that
    /// plugins use. On a bus that no other gateway can be on nothing happens.
    fn publish_to_peers(&self, body: Bytes) -> Publishing;

    /// The state, now and whenever it changes.
    fn status(&self) -> watch::Receiver<Status>;

    /// What was counted so far.
    fn counters(&self) -> Counters;

    /// Waits, after the shutdown, until nothing of the bus is left: its clients have got what was
    /// published before and are disconnected.
    fn stopped(&self) -> BoxFuture<'_, ()>;
}
