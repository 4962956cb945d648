//! One client's transport, as the hub sees it: an identity, a queue, and what it has joined.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tidegate_protocol::{ClientId, Ref, Serializer, Standing};

use crate::channel::Channel;
use crate::grant::Grant;
use crate::outbox::Outbox;

/// What is known of a client before it says anything.
#[derive(Debug, Clone)]
pub struct ConnectionDetails {
    /// Where it comes from; unspecified where it came by a Unix socket.
    pub address: IpAddr,
    /// Its port there, for the eye of an administrator; 0 where it is not known.
    pub port: u16,
    /// What it calls itself.
    pub user_agent: Option<Arc<str>>,
}

/// One join, as its connection needs to know it.
#[derive(Debug, Clone)]
pub struct Joined {
    /// What was joined.
    pub channel: Arc<Channel>,
    /// Names the join.
    pub join_ref: Ref,
    /// What was shown.
    pub standing: Standing,
    /// What is left of the token, where one was shown.
    pub grant: Option<Arc<Grant>>,
    /// Whether its own events come back to it where the channel relays.
    pub(crate) echo: bool,
}

/// A registered connection. The hub's maps and the socket's task share it.
#[derive(Debug)]
pub struct Connection {
    /// Its name to the outside: random, so that nobody guesses another's.
    pub id: Arc<str>,
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
    /// When something was last read from it, by the hub's clock.
    heard_at: AtomicU64,
    /// What it has joined, by topic; `None` once it has ended, so that it joins nothing more.
    joined: Mutex<Option<Vec<Joined>>>,
    serializer: OnceLock<Serializer>,
    deflate: AtomicBool,
    /// Who the client is that has shown no token; 0 where nobody knows.
    client: AtomicU64,
}

impl Connection {
    pub(crate) fn new(
        id: Arc<str>,
        key: u64,
        details: ConnectionDetails,
        serializer: Option<Serializer>,
        outbox: Outbox,
        opened_at: u64,
        now_ms: u64,
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
            heard_at: AtomicU64::new(now_ms),
            joined: Mutex::new(Some(Vec::new())),
            serializer: cell,
            deflate: AtomicBool::new(false),
            client: AtomicU64::new(0),
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

    /// Says, before it joins anything, whether it can read compressed messages.
    pub fn set_deflate(&self, deflate: bool) {
        self.deflate.store(deflate, Ordering::Relaxed);
    }

    /// Whether it can read compressed messages.
    pub fn deflate(&self) -> bool {
        self.deflate.load(Ordering::Relaxed)
    }

    /// Fetches what a write to it is about to need.
    pub(crate) fn warm(&self) {
        std::hint::black_box(self.deflate());
        self.outbox.warm();
    }

    /// Says, before it joins anything, who the client is where it shows no token.
    pub fn set_client(&self, client: ClientId) {
        self.client.store(client.bits(), Ordering::Relaxed);
    }

    /// Who the client is where it shows no token.
    pub fn client(&self) -> Option<ClientId> {
        match self.client.load(Ordering::Relaxed) {
            0 => None,
            bits => Some(ClientId::new(bits)),
        }
    }

    /// How many channels it has joined.
    pub fn joined_count(&self) -> usize {
        self.joined.lock().as_ref().map_or(0, Vec::len)
    }

    /// The connection's join of this topic, if there is one.
    pub fn joined(&self, topic: &str) -> Option<Joined> {
        let joined = self.joined.lock();
        let joined = joined.as_ref()?;
        let at = find(joined, topic).ok()?;
        joined.get(at).cloned()
    }

    /// Every channel it has joined.
    pub(crate) fn channels(&self) -> Vec<Arc<Channel>> {
        let joined = self.joined.lock();
        let joined = joined.iter().flatten();
        joined.map(|one| one.channel.clone()).collect()
    }

    /// Every channel it has joined, of which it is to be removed: it joins nothing any more.
    pub(crate) fn leave_all(&self) -> Vec<Joined> {
        self.joined.lock().take().unwrap_or_default()
    }

    /// `false` when the connection has ended, and joins nothing any more.
    #[must_use]
    pub(crate) fn put_joined(&self, one: Joined) -> bool {
        let mut joined = self.joined.lock();
        let Some(joined) = &mut *joined else {
            return false;
        };
        match find(joined, one.channel.topic.as_str()) {
            Ok(at) => joined[at] = one,
            Err(at) => {
                // Most connections join one or two: a vector that doubles would waste most of it.
                joined.reserve_exact(1);
                joined.insert(at, one);
            }
        }
        true
    }

    /// What was shown for this join now counts for its pushes.
    pub(crate) fn renew(&self, topic: &str, standing: Standing, grant: Option<Arc<Grant>>) {
        let mut joined = self.joined.lock();
        let Some(joined) = &mut *joined else {
            return;
        };
        if let Ok(at) = find(joined, topic) {
            joined[at].standing = standing;
            joined[at].grant = grant;
        }
    }

    pub(crate) fn take_joined(&self, topic: &str) {
        let mut joined = self.joined.lock();
        let Some(joined) = &mut *joined else {
            return;
        };
        if let Ok(at) = find(joined, topic) {
            joined.remove(at);
        }
    }

    /// Counts one frame in.
    pub fn count_in(&self) {
        self.frames_in.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the client is alive.
    pub fn heard(&self, now_ms: u64) {
        self.heard_at.store(now_ms, Ordering::Relaxed);
    }

    /// When it was last heard, by the hub's clock.
    pub fn heard_at(&self) -> u64 {
        self.heard_at.load(Ordering::Relaxed)
    }
}

fn find(joined: &[Joined], topic: &str) -> Result<usize, usize> {
    joined.binary_search_by(|one| one.channel.topic.as_str().cmp(topic))
}
