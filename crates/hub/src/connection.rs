//! One client's transport, as the hub sees it: an identity, a queue, and what it has joined.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tidegate_protocol::{Serializer, Topic};

use crate::channel::Channel;
use crate::outbox::Outbox;

/// What is known of a client before it says anything.
#[derive(Debug, Clone)]
pub struct ConnectionDetails {
    /// Where it comes from.
    pub address: IpAddr,
    /// Its port there, for the eye of an administrator.
    pub port: u16,
    /// What it calls itself.
    pub user_agent: Option<String>,
}

/// A registered connection. The hub's maps and the socket's task share it.
#[derive(Debug)]
pub struct Connection {
    /// Its name to the outside: random, so that nobody guesses another's.
    pub id: String,
    /// Its name within this process.
    pub(crate) key: u64,
    /// Where it comes from.
    pub details: ConnectionDetails,
    /// When it was opened, in milliseconds since 1970.
    pub opened_at: u64,
    /// What waits to be written to it.
    pub outbox: Outbox,
    /// Frames read from it.
    pub frames_in: AtomicU64,
    /// Frames written to it.
    pub frames_out: AtomicU64,
    pub(crate) joined: Mutex<HashMap<Topic, Arc<Channel>>>,
    serializer: OnceLock<Serializer>,
}

impl Connection {
    pub(crate) fn new(
        id: String,
        key: u64,
        details: ConnectionDetails,
        serializer: Option<Serializer>,
        outbox: Outbox,
        opened_at: u64,
    ) -> Self {
        let cell = OnceLock::new();
        if let Some(serializer) = serializer {
            // A fresh cell takes its first value.
            let _ = cell.set(serializer);
        }
        Self {
            id,
            key,
            details,
            opened_at,
            outbox,
            frames_in: AtomicU64::new(0),
            frames_out: AtomicU64::new(0),
            joined: Mutex::default(),
            serializer: cell,
        }
    }

    /// The serializer, once `vsn` or the first frame has decided.
    pub fn serializer(&self) -> Option<Serializer> {
        self.serializer.get().copied()
    }

    /// Decides the serializer; the first decision stands.
    pub fn decide_serializer(&self, serializer: Serializer) -> Serializer {
        *self.serializer.get_or_init(|| serializer)
    }

    /// How many channels it has joined.
    pub fn joined_count(&self) -> usize {
        self.joined.lock().len()
    }

    /// The channel, if this connection has joined it.
    pub fn joined_channel(&self, topic: &str) -> Option<Arc<Channel>> {
        self.joined.lock().get(topic).cloned()
    }

    /// Counts one frame in.
    pub fn count_in(&self) {
        self.frames_in.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts frames out.
    pub fn count_out(&self, frames: usize) {
        self.frames_out.fetch_add(frames as u64, Ordering::Relaxed);
    }
}
