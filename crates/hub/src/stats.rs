//! The counters of one gateway. All of them only ever grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_protocol::{Close, Reason};

use crate::histogram::Histogram;

/// Why something was dropped or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drop {
    /// An event that a reader did not get because it was closed as a slow consumer: it waited, or came
    /// before the reader was out of its channels.
    SlowConsumer,
    /// An event that gave way to newer ones, where its channel says so.
    Oldest,
    /// An event that was not the latest, where its channel wants only that one.
    NotLatest,
    /// A binary event for a client whose serializer has no binary frames.
    NoBinary,
    /// A message on the bus with a name or an event that plugins may not use.
    BusName,
    /// A client's frame was refused.
    Refused,
    /// A lifecycle event that could not be published while the bus was down.
    Lifecycle,
    /// A member of another gateway for which there was no room.
    RemoteMember,
    /// A client's event on a channel that relays, which other gateways did not get.
    Relay,
    /// A message of another gateway for which there was no room.
    PeerMessage,
    /// A connection or a user whom an event was for, and who is nowhere.
    Recipient,
}

impl Drop {
    /// Every reason.
    pub const ALL: [Drop; 11] = [
        Drop::SlowConsumer,
        Drop::Oldest,
        Drop::NotLatest,
        Drop::NoBinary,
        Drop::BusName,
        Drop::Refused,
        Drop::Lifecycle,
        Drop::RemoteMember,
        Drop::Relay,
        Drop::PeerMessage,
        Drop::Recipient,
    ];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Drop::SlowConsumer => "slow_consumer",
            Drop::Oldest => "oldest",
            Drop::NotLatest => "not_latest",
            Drop::NoBinary => "no_binary",
            Drop::BusName => "bus_name",
            Drop::Refused => "refused",
            Drop::Lifecycle => "lifecycle",
            Drop::RemoteMember => "remote_member",
            Drop::Relay => "relay",
            Drop::PeerMessage => "peer_message",
            Drop::Recipient => "recipient",
        }
    }
}

/// What has happened since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Events from clients that reached the bus.
    pub events_from_clients: Counter,
    /// Events from the bus for clients, whether anybody listened or not.
    pub events_from_bus: Counter,
    /// Frames queued for connections.
    pub deliveries: Counter,
    /// Bytes of frame content read from sockets.
    pub bytes_in: Counter,
    /// Bytes that sockets took, the headers of frames included; of long polls the text of frames.
    pub bytes_out: Counter,
    /// Connections refused because there were too many in all.
    pub refused_connections: Counter,
    /// Connections refused because there were too many from their address.
    pub refused_addresses: Counter,
    /// Other gateways that fell silent, and whose members left with them.
    pub lost_peers: Counter,
    /// From the start of a broadcast to the last attempt to write it.
    pub fan_out: Histogram,
    /// From the reading of a client's frame to its answer in the socket, or in the queue.
    pub round_trip: Histogram,
    /// From a join to its reply, the check of the token included; refused ones are not counted.
    pub joins: Histogram,
    /// From an event on its way to the bus to the bus's answer.
    pub bus_lag: Histogram,
    /// Shared with the channels, which count what their slow readers do not get.
    pub(crate) drops: Arc<Drops>,
    closes: [Counter; Close::ALL.len()],
    left: Counter,
    refused_joins: [Counter; Reason::ALL.len()],
    refused_frames: [Counter; Reason::ALL.len()],
}

/// A number that grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// Reads.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What was dropped or refused, by reason.
#[derive(Debug, Default)]
pub(crate) struct Drops([Counter; Drop::ALL.len()]);

impl Drops {
    pub(crate) fn add(&self, why: Drop, n: usize) {
        self.0[why as usize].add(n);
    }
}

impl Stats {
    /// Counts something dropped.
    pub fn dropped(&self, why: Drop, n: usize) {
        self.drops.add(why, n);
    }

    /// How many were dropped for this reason.
    pub fn drops(&self, why: Drop) -> u64 {
        self.drops.0[why as usize].get()
    }

    /// How many were dropped in all.
    pub fn all_drops(&self) -> u64 {
        self.drops.0.iter().map(Counter::get).sum()
    }

    /// Counts a connection that has ended: closed by the gateway, or left by its client.
    pub(crate) fn closed(&self, close: Option<Close>) {
        match close {
            Some(close) => self.closes[close as usize].add(1),
            None => self.left.add(1),
        }
    }

    /// How many connections the gateway has closed so; with `None`, how many their clients have
    /// ended.
    pub fn closes(&self, close: Option<Close>) -> u64 {
        match close {
            // They never were connections of the hub.
            Some(Close::TooManyConnections) => {
                self.refused_connections.get() + self.refused_addresses.get()
            }
            Some(close) => self.closes[close as usize].get(),
            None => self.left.get(),
        }
    }

    /// Counts a client's frame that was refused.
    pub fn refused(&self, frame: Refused, why: Reason) {
        self.dropped(Drop::Refused, 1);
        self.refusals_of(frame)[why as usize].add(1);
    }

    /// How many frames were refused for this reason.
    pub fn refusals(&self, frame: Refused, why: Reason) -> u64 {
        self.refusals_of(frame)[why as usize].get()
    }

    fn refusals_of(&self, frame: Refused) -> &[Counter; Reason::ALL.len()] {
        match frame {
            Refused::Join => &self.refused_joins,
            Refused::Other => &self.refused_frames,
        }
    }
}

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A join.
    Join,
    /// Any other frame.
    Other,
}

impl Refused {
    /// The frame of this event.
    pub fn of(event: &str) -> Self {
        match event {
            "phx_join" => Refused::Join,
            _ => Refused::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counters of a reason are found by its place.
    #[test]
    fn lists_are_in_the_order_of_their_variants() {
        assert!(Drop::ALL.iter().enumerate().all(|(n, d)| *d as usize == n));
        assert!(Close::ALL.iter().enumerate().all(|(n, c)| *c as usize == n));
        assert!(
            Reason::ALL
                .iter()
                .enumerate()
                .all(|(n, r)| *r as usize == n)
        );
    }

    #[test]
    fn every_end_and_every_refusal_has_its_own_count() {
        let stats = Stats::default();
        stats.closed(Some(Close::Idle));
        stats.closed(None);
        stats.refused_addresses.add(2);
        assert_eq!(stats.closes(Some(Close::Idle)), 1);
        assert_eq!(stats.closes(None), 1);
        assert_eq!(stats.closes(Some(Close::TooManyConnections)), 2);
        stats.refused(Refused::of("phx_join"), Reason::TokenExpired);
        assert_eq!(stats.refusals(Refused::Join, Reason::TokenExpired), 1);
        assert_eq!(stats.refusals(Refused::Other, Reason::TokenExpired), 0);
        assert_eq!(stats.drops(Drop::Refused), 1);
    }
}
