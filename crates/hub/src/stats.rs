//! The counters of one gateway. All of them only ever grow.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why something was dropped or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drop {
    /// A connection was closed because it did not read; what waited for it is gone.
    SlowConsumer,
    /// An event that gave way to newer ones, where a channel says so.
    Oldest,
    /// An event that was not the latest, where a channel wants only that one.
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
}

impl Drop {
    /// Every reason.
    pub const ALL: [Drop; 8] = [
        Drop::SlowConsumer,
        Drop::Oldest,
        Drop::NotLatest,
        Drop::NoBinary,
        Drop::BusName,
        Drop::Refused,
        Drop::Lifecycle,
        Drop::RemoteMember,
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
    /// Bytes of frame content handed to sockets.
    pub bytes_out: Counter,
    drops: [Counter; Drop::ALL.len()],
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

impl Stats {
    /// Counts something dropped.
    pub fn dropped(&self, why: Drop, n: usize) {
        self.drops[why as usize].add(n);
    }

    /// How many were dropped for this reason.
    pub fn drops(&self, why: Drop) -> u64 {
        self.drops[why as usize].get()
    }

    /// How many were dropped in all.
    pub fn all_drops(&self) -> u64 {
        self.drops.iter().map(Counter::get).sum()
    }
}
