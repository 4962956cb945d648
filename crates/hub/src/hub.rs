//! The hub itself: its parts, who is connected, and what can be counted.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};
use tidegate_protocol::{Close, Serializer, Topic};

use crate::channel::Channel;
use crate::clock::Clock;
use crate::connection::{Connection, ConnectionDetails};
use crate::definitions::Definitions;
use crate::grant::NextExpiry;
use crate::membership::Lifecycle;
use crate::outgoing::Outgoing;
use crate::remote::Remote;
use crate::shards::Shards;
use crate::snapshot::Snapshots;
use crate::untold::Untold;
use crate::watch::Watch;
use crate::{Crew, Limits, Outbox, Stats, random_id};

/// Everything one gateway knows of its clients.
pub struct Hub {
    /// What each channel is.
    pub definitions: Definitions,
    /// What has happened.
    pub stats: Stats,
    pub(crate) limits: Limits,
    /// Who writes to the members of large channels.
    pub(crate) crew: Arc<Crew>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) channels: Shards<Topic, Arc<Channel>>,
    pub(crate) channel_count: AtomicUsize,
    pub(crate) connections: Shards<Arc<str>, Arc<Connection>>,
    pub(crate) by_address: Mutex<HashMap<IpAddr, usize>>,
    pub(crate) connection_count: AtomicUsize,
    pub(crate) member_count: AtomicUsize,
    pub(crate) next_key: AtomicU64,
    pub(crate) next_presence: AtomicU64,
    pub(crate) presence_prefix: String,
    /// What other gateways are to be told.
    pub(crate) next_expiry: NextExpiry,
    pub(crate) outgoing: Outgoing,
    /// What other gateways have told.
    pub(crate) remote: Remote,
    /// Members of silent gateways of whom backends have not been told.
    pub(crate) untold: Untold,
    /// Channels whose presence has changed.
    pub(crate) unflushed: Mutex<Vec<Arc<Channel>>>,
    /// Channels with events in their inbox.
    pub(crate) unsent: Mutex<Vec<Arc<Channel>>>,
    /// What clients call themselves: many say the same.
    user_agents: Mutex<HashSet<Arc<str>>>,
    /// How many administrators listen. Whoever changes a membership holds it: shared while
    /// nobody listens, alone otherwise, so that administrators see one order of things.
    pub(crate) lifecycle: RwLock<usize>,
    pub(crate) watches: RwLock<HashMap<String, Arc<Watch>>>,
    pub(crate) watch_count: AtomicUsize,
    /// What administrators have not been told yet of the channels that were there when they joined.
    pub(crate) snapshots: Snapshots,
}

impl Hub {
    /// An empty hub.
    pub fn new(limits: Limits, definitions: Definitions, clock: Arc<dyn Clock>) -> Self {
        Self {
            definitions,
            stats: Stats::default(),
            limits,
            crew: Arc::default(),
            clock,
            channels: Shards::new(),
            channel_count: AtomicUsize::new(0),
            connections: Shards::new(),
            by_address: Mutex::default(),
            connection_count: AtomicUsize::new(0),
            member_count: AtomicUsize::new(0),
            next_key: AtomicU64::new(1),
            next_presence: AtomicU64::new(1),
            presence_prefix: random_id(8),
            next_expiry: NextExpiry::default(),
            outgoing: Outgoing::default(),
            remote: Remote::default(),
            untold: Untold::default(),
            unflushed: Mutex::default(),
            unsent: Mutex::default(),
            user_agents: Mutex::default(),
            lifecycle: RwLock::new(0),
            watches: RwLock::default(),
            watch_count: AtomicUsize::new(0),
            snapshots: Snapshots::default(),
        }
    }

    /// Has large channels written to by these threads; without it whoever broadcasts does it alone.
    pub fn with_crew(mut self, crew: Crew) -> Self {
        self.crew = Arc::new(crew);
        self
    }

    /// The time, as this hub sees it: it never jumps.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// The date, for whoever is shown it; what is measured goes by [`Hub::now_ms`].
    pub fn date_ms(&self) -> u64 {
        self.clock.date_ms()
    }

    /// The bounds in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A shared copy of what a client calls itself.
    pub fn user_agent(&self, text: &str) -> Arc<str> {
        /// Names kept to be shared; further ones are copied.
        const MAX: usize = 1000;
        let mut known = self.user_agents.lock();
        if let Some(shared) = known.get(text) {
            return shared.clone();
        }
        let shared: Arc<str> = text.into();
        if known.len() >= MAX {
            known.retain(|name| Arc::strong_count(name) > 1);
        }
        if known.len() < MAX {
            known.insert(shared.clone());
        }
        shared
    }

    /// Registers a client; `None` when there are too many, in all or from its address.
    pub fn connect(
        &self,
        details: ConnectionDetails,
        serializer: Option<Serializer>,
    ) -> Option<Arc<Connection>> {
        {
            let mut by_address = self.by_address.lock();
            let customer = customer(details.address);
            let here = by_address.get(&customer).copied().unwrap_or(0);
            if self.connection_count.load(Ordering::Relaxed) >= self.limits.connections {
                self.stats.refused_connections.add(1);
                return None;
            }
            if here >= self.limits.connections_per_address {
                self.stats.refused_addresses.add(1);
                return None;
            }
            by_address.insert(customer, here + 1);
            self.connection_count.fetch_add(1, Ordering::Relaxed);
        }
        let connection = Arc::new(Connection::new(
            random_id(12).into(),
            self.next_key.fetch_add(1, Ordering::Relaxed),
            details,
            serializer,
            Outbox::new(self.limits.queue_bytes, self.limits.queue_frames),
            self.date_ms(),
            self.now_ms(),
        ));
        self.connections
            .insert(connection.id.clone(), connection.clone());
        Some(connection)
    }

    /// Forgets a client whose socket has ended, and ends its joins. A join that somebody is just
    /// handling for it either ends with the others or is refused.
    pub fn disconnect(&self, connection: &Arc<Connection>) -> Vec<Lifecycle> {
        if !self.connections.remove_if(&connection.id, |_| true) {
            return Vec::new();
        }
        {
            let mut by_address = self.by_address.lock();
            let customer = customer(connection.details.address);
            if let Some(here) = by_address.get_mut(&customer) {
                *here -= 1;
                if *here == 0 {
                    by_address.remove(&customer);
                }
            }
            self.connection_count.fetch_sub(1, Ordering::Relaxed);
        }
        self.stats.closed(connection.outbox.closing());
        self.stats.bytes_out.add(connection.outbox.take_uncounted());
        let left = connection.leave_all();
        let lifecycle = left
            .iter()
            .flat_map(|joined| self.remove(&joined.channel, connection, None))
            .collect();
        // Who is no member is told nothing more.
        self.snapshots.forget(connection);
        lifecycle
    }

    /// To be called now and then: asks every connection to end that has been silent for so long.
    pub fn close_idle(&self, idle_ms: u64) {
        let now = self.now_ms();
        for connection in self.connections() {
            if now.saturating_sub(connection.heard_at()) >= idle_ms {
                connection.outbox.close(Close::Idle);
            }
        }
    }

    /// The channel of this topic, if anybody has joined it.
    pub fn channel(&self, topic: &str) -> Option<Arc<Channel>> {
        self.channels.get(topic)
    }

    pub(crate) fn channels(&self) -> Vec<Arc<Channel>> {
        self.channels.values()
    }

    pub(crate) fn connections(&self) -> Vec<Arc<Connection>> {
        self.connections.values()
    }

    /// Open connections.
    pub fn connection_count(&self) -> usize {
        self.connection_count.load(Ordering::Relaxed)
    }

    /// Channels with members.
    pub fn channel_count(&self) -> usize {
        self.channel_count.load(Ordering::Relaxed)
    }

    /// Members of all channels.
    pub fn member_count(&self) -> usize {
        self.member_count.load(Ordering::Relaxed)
    }
}

/// The address by which connections of one customer are counted: of IPv6 the network of 64 bits, for
/// nobody has less of them, and whoever has them could come from another address each time.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P14: addresses of one customer are counted together.
    #[test]
    fn connections_of_a_customer_are_counted_together() {
        let of = |text: &str| customer(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
