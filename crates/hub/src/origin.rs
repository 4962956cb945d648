//! What a queued event keeps of the channel it came over: whose it is, and where it is counted if
//! its reader does not get it.
//!
//! Events are counted where they are lost, each once, against their own channel and for the reason
//! that held for them: an event may give way to one of another channel.

use std::sync::Arc;

use crate::stats::{Counter, Drop, Drops};

/// A channel, as its queued events know it.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The channel's name within this process.
    pub(crate) key: u64,
    /// Events that members who read too slowly did not get.
    lost: Counter,
    /// The same of all channels, by reason.
    all: Arc<Drops>,
}

impl Origin {
    pub(crate) fn new(key: u64, all: Arc<Drops>) -> Self {
        Self {
            key,
            lost: Counter::default(),
            all,
        }
    }

    /// Counts events that a reader will not get.
    pub(crate) fn lose(&self, why: Drop, events: usize) {
        self.lost.add(events);
        self.all.add(why, events);
    }

    /// How many events readers did not get.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.get()
    }
}
