//! The hub itself: the two maps, and every way in which they change.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};
use serde_json::{Map, Value};
use tidegate_protocol::presence::Meta;
use tidegate_protocol::{
    Close, Definition, DefinitionError, Direction, Event, JoinRule, Payload, Reason, Ref,
    Serializer, Standing, Topic, TopicPattern, is_reserved_topic,
};

use crate::admin_feed::{self, AdminEvent, LIST_MAX, SNAPSHOT_MAX};
use crate::channel::{Channel, Delivered, Lane, Member};
use crate::clock::Clock;
use crate::connection::{Connection, ConnectionDetails};
use crate::definitions::Definitions;
use crate::presence::Tracked;
use crate::shards::Shards;
use crate::watch::{Passed, WATCH_PREFIX, Watch};
use crate::{Drop, Limits, Outbox, Stats, random_id};

/// A checked request to join.
#[derive(Debug)]
pub struct Join {
    /// The channel.
    pub topic: Topic,
    /// Names this join; never null.
    pub join_ref: Ref,
    /// What the reply echoes.
    pub reference: Ref,
    /// Who joins; becomes the presence key.
    pub user: String,
    /// What was shown.
    pub standing: Standing,
    /// Metadata for presence.
    pub metadata: Map<String, Value>,
}

/// A member came or went: what backends are told (wire.md A10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// The channel.
    pub topic: Topic,
    /// Which way.
    pub change: Change,
    /// Whose member it is.
    pub user: String,
    /// The connection's id.
    pub connection: String,
}

/// Which way a member went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It joined.
    Join,
    /// It left, was removed, or its connection was lost.
    Leave,
}

/// Everything one gateway knows of its clients.
pub struct Hub {
    /// What each channel is.
    pub definitions: Definitions,
    /// What has happened.
    pub stats: Stats,
    limits: Limits,
    clock: Arc<dyn Clock>,
    channels: Shards<Topic, Arc<Channel>>,
    channel_count: AtomicUsize,
    connections: Shards<String, Arc<Connection>>,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    connection_count: AtomicUsize,
    member_count: AtomicUsize,
    next_key: AtomicU64,
    next_presence: AtomicU64,
    presence_prefix: String,
    unflushed: Mutex<Vec<Arc<Channel>>>,
    /// How many administrators listen. Whoever changes a membership holds it: shared while
    /// nobody listens, alone otherwise, so that administrators see one order of things.
    lifecycle: RwLock<usize>,
    watches: RwLock<HashMap<String, Arc<Watch>>>,
    watch_count: AtomicUsize,
}

impl Hub {
    /// An empty hub.
    pub fn new(limits: Limits, definitions: Definitions, clock: Arc<dyn Clock>) -> Self {
        Self {
            definitions,
            stats: Stats::default(),
            limits,
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
            unflushed: Mutex::default(),
            lifecycle: RwLock::new(0),
            watches: RwLock::default(),
            watch_count: AtomicUsize::new(0),
        }
    }

    /// The time, as this hub sees it.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// The bounds in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Registers a client; `None` when there are too many, in all or from its address.
    pub fn connect(
        &self,
        details: ConnectionDetails,
        serializer: Option<Serializer>,
    ) -> Option<Arc<Connection>> {
        {
            let mut by_address = self.by_address.lock();
            let here = by_address.get(&details.address).copied().unwrap_or(0);
            if here >= self.limits.connections_per_address
                || self.connection_count.load(Ordering::Relaxed) >= self.limits.connections
            {
                return None;
            }
            by_address.insert(details.address, here + 1);
            self.connection_count.fetch_add(1, Ordering::Relaxed);
        }
        let connection = Arc::new(Connection::new(
            random_id(12),
            self.next_key.fetch_add(1, Ordering::Relaxed),
            details,
            serializer,
            Outbox::new(self.limits.queue_bytes, self.limits.queue_frames),
            self.now_ms(),
        ));
        self.connections
            .insert(connection.id.clone(), connection.clone());
        Some(connection)
    }

    /// Forgets a client whose socket has ended, and ends its joins.
    pub fn disconnect(&self, connection: &Arc<Connection>) -> Vec<Lifecycle> {
        if !self.connections.remove_if(&connection.id, |_| true) {
            return Vec::new();
        }
        {
            let mut by_address = self.by_address.lock();
            if let Some(here) = by_address.get_mut(&connection.details.address) {
                *here -= 1;
                if *here == 0 {
                    by_address.remove(&connection.details.address);
                }
            }
            self.connection_count.fetch_sub(1, Ordering::Relaxed);
        }
        if connection.outbox.closing() == Some(Close::SlowConsumer) {
            self.stats.dropped(Drop::SlowConsumer, 1);
        }
        let joined: Vec<_> = connection.joined.lock().values().cloned().collect();
        joined
            .iter()
            .flat_map(|channel| self.remove(channel, connection, None))
            .collect()
    }

    /// Joins a channel, opening it if need be, and queues the reply.
    pub fn join(
        &self,
        connection: &Arc<Connection>,
        serializer: Serializer,
        join: Join,
    ) -> Result<Vec<Lifecycle>, Reason> {
        if connection.joined_channel(join.topic.as_str()).is_none()
            && connection.joined_count() >= self.limits.channels_per_connection
        {
            return Err(Reason::TooManyChannels);
        }
        let is_admin = join.topic.as_str() == "admin";
        let listening = self.lifecycle.read();
        if *listening == 0 && !is_admin {
            return self
                .join_channel(connection, serializer, join)
                .map(|done| done.lifecycle);
        }
        drop(listening);
        let mut listening = self.lifecycle.write();
        let done = self.join_channel(connection, serializer, join)?;
        if is_admin {
            for channel in self.channels().iter().take(SNAPSHOT_MAX) {
                let event = admin_feed::list(channel);
                done.member
                    .push(&done.channel.topic, event.event, &event.payload.to_string());
            }
            *listening = done.channel.member_count();
        }
        if done.opened {
            self.tell_admins(&admin_feed::added(
                done.channel.topic.as_str(),
                self.some_topics(),
            ));
        }
        if let Some(old) = &done.old {
            self.tell_admins(&admin_feed::left(&done.channel, old));
        }
        self.tell_admins(&admin_feed::joined(&done.channel, &done.member));
        Ok(done.lifecycle)
    }

    fn join_channel(
        &self,
        connection: &Arc<Connection>,
        serializer: Serializer,
        join: Join,
    ) -> Result<Joined, Reason> {
        let Join {
            topic,
            join_ref,
            reference,
            user,
            standing,
            metadata,
        } = join;
        let now = self.now_ms();
        let user: Arc<str> = user.into();
        let before = connection
            .joined_channel(topic.as_str())
            .and_then(|c| c.tracked(connection))
            .filter(|old| old.user == user)
            .map(|old| old.meta.phx_ref.clone());
        let mut member = Member {
            connection: connection.clone(),
            serializer,
            join_ref,
            standing,
            joined_at: now,
            tracked: self.track(user, metadata, before, now),
        };
        loop {
            let (channel, opened) = self.channels.get_or_insert(&topic, || {
                self.channel_count.fetch_add(1, Ordering::Relaxed);
                Arc::new(Channel::new(
                    topic.clone(),
                    self.definitions.of(topic.as_str()),
                    now,
                ))
            });
            if opened && self.channel_count.load(Ordering::Relaxed) > self.limits.channels {
                self.forget_if_empty(&channel);
                return Err(Reason::TooManyTopics);
            }
            match channel.join(member.clone(), &reference) {
                Err(back) => member = back,
                Ok(old) => {
                    if old.is_none() {
                        self.member_count.fetch_add(1, Ordering::Relaxed);
                    }
                    self.watch_joined(&channel);
                    self.presence_changed(&channel);
                    let mut lifecycle = Vec::with_capacity(2);
                    lifecycle.extend(old.as_ref().and_then(|m| told(&topic, Change::Leave, m)));
                    lifecycle.extend(told(&topic, Change::Join, &member));
                    return Ok(Joined {
                        channel,
                        opened,
                        member,
                        old,
                        lifecycle,
                    });
                }
            }
        }
    }

    fn track(
        &self,
        user: Arc<str>,
        mut metadata: Map<String, Value>,
        before: Option<String>,
        now_ms: u64,
    ) -> Tracked {
        for own in ["phx_ref", "phx_ref_prev", "online_at"] {
            metadata.remove(own);
        }
        let sequence = self.next_presence.fetch_add(1, Ordering::Relaxed);
        let meta = Meta {
            phx_ref: format!("{}{sequence:x}", self.presence_prefix),
            phx_ref_prev: before,
            online_at: now_ms / 1000,
            extra: metadata,
        };
        Tracked {
            sequence,
            user,
            meta: Arc::new(meta),
        }
    }

    /// Leaves a channel: queues nothing, the caller answers. Empty when it was not joined.
    pub fn leave(&self, connection: &Arc<Connection>, topic: &str) -> Vec<Lifecycle> {
        let channel = connection.joined_channel(topic);
        channel
            .map(|c| self.remove(&c, connection, None))
            .unwrap_or_default()
    }

    /// Replaces a member's presence metadata; `false` when the channel is not joined.
    pub fn update_presence(
        &self,
        connection: &Arc<Connection>,
        topic: &str,
        metadata: Map<String, Value>,
    ) -> bool {
        let Some((channel, old)) = connection
            .joined_channel(topic)
            .and_then(|c| c.tracked(connection).map(|t| (c, t)))
        else {
            return false;
        };
        let before = Some(old.meta.phx_ref.clone());
        let done = channel.update(
            connection,
            self.track(old.user, metadata, before, self.now_ms()),
        );
        self.presence_changed(&channel);
        done
    }

    fn remove(
        &self,
        channel: &Arc<Channel>,
        connection: &Connection,
        said: Option<&str>,
    ) -> Vec<Lifecycle> {
        let listening = self.lifecycle.read();
        if *listening == 0 {
            return self
                .remove_member(channel, connection, said)
                .map(|(l, ..)| l)
                .unwrap_or_default();
        }
        drop(listening);
        let mut listening = self.lifecycle.write();
        let Some((lifecycle, member, closed)) = self.remove_member(channel, connection, said)
        else {
            return Vec::new();
        };
        if channel.topic.as_str() == "admin" {
            *listening = channel.member_count();
        }
        self.tell_admins(&admin_feed::left(channel, &member));
        if closed {
            self.tell_admins(&admin_feed::removed(
                channel.topic.as_str(),
                self.some_topics(),
            ));
        }
        lifecycle
    }

    fn remove_member(
        &self,
        channel: &Arc<Channel>,
        connection: &Connection,
        said: Option<&str>,
    ) -> Option<(Vec<Lifecycle>, Member, bool)> {
        let member = channel.remove(connection, said)?;
        self.member_count.fetch_sub(1, Ordering::Relaxed);
        let closed = self.forget_if_empty(channel);
        if !closed {
            self.presence_changed(channel);
        }
        let lifecycle = told(&channel.topic, Change::Leave, &member)
            .into_iter()
            .collect();
        Some((lifecycle, member, closed))
    }

    fn forget_if_empty(&self, channel: &Arc<Channel>) -> bool {
        let gone = self.channels.remove_if(channel.topic.as_str(), |found| {
            let mut state = found.state.lock();
            let empty = Arc::ptr_eq(found, channel) && state.members.is_empty();
            state.closed |= empty;
            empty
        });
        if gone {
            self.channel_count.fetch_sub(1, Ordering::Relaxed);
            if let Some(watched) = channel.topic.as_str().strip_prefix(WATCH_PREFIX) {
                self.watches.write().remove(watched);
                self.watch_count
                    .store(self.watches.read().len(), Ordering::Relaxed);
            }
        }
        gone
    }

    /// An event from the bus for the members of a topic. Gives how many got it.
    pub fn deliver(&self, topic: &Topic, event: &Event, payload: &Payload) -> usize {
        self.stats.events_from_bus.add(1);
        if event.is_reserved() || is_reserved_topic(topic.as_str()) {
            self.stats.dropped(Drop::BusName, 1);
            return 0;
        }
        self.broadcast(topic.as_str(), event.as_str(), payload)
    }

    /// An event of the gateway itself for the members of a topic.
    pub fn broadcast(&self, topic: &str, event: &str, payload: &Payload) -> usize {
        self.watch(topic, Direction::To, event, payload, None);
        self.send(topic, event, payload, None, Lane::Data)
    }

    /// An event from a member has reached the bus: counts it, shows it to watchers, and passes
    /// it to the other members where the channel relays.
    pub fn passed_up(&self, connection: &Connection, topic: &str, event: &str, payload: &Payload) {
        self.stats.events_from_clients.add(1);
        self.watch(topic, Direction::From, event, payload, Some(&connection.id));
        if let Some(channel) = self.channels.get(topic) {
            channel.count_from(self.now_ms());
            if channel.definition().relay {
                self.send(topic, event, payload, Some(connection.key), Lane::Data);
            }
        }
    }

    fn send(
        &self,
        topic: &str,
        event: &str,
        payload: &Payload,
        except: Option<u64>,
        lane: Lane,
    ) -> usize {
        let Some(channel) = self.channels.get(topic) else {
            return 0;
        };
        let Delivered {
            frames,
            no_binary,
            slow,
        } = channel.broadcast(event, payload, except, lane, self.now_ms());
        self.stats.deliveries.add(frames);
        self.stats.dropped(Drop::NoBinary, no_binary);
        self.stats.dropped(Drop::SlowConsumer, slow);
        frames
    }

    fn tell_admins(&self, event: &AdminEvent) {
        self.send("admin", event.event, &event.payload(), None, Lane::Control);
    }

    fn some_topics(&self) -> Vec<String> {
        self.channels()
            .iter()
            .take(LIST_MAX)
            .map(|c| c.topic.to_string())
            .collect()
    }

    fn watch(
        &self,
        topic: &str,
        direction: Direction,
        event: &str,
        payload: &Payload,
        connection: Option<&str>,
    ) {
        if self.watch_count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(watch) = self.watches.read().get(topic).cloned() else {
            return;
        };
        let time = self.now_ms();
        if let Some(shown) = watch.see(&Passed {
            time,
            direction,
            event,
            payload,
            connection,
        }) && let Ok(json) = serde_json::to_string(&shown)
        {
            let watching = format!("{WATCH_PREFIX}{topic}");
            self.send(
                &watching,
                "event",
                &Payload::Json(json.into()),
                None,
                Lane::Data,
            );
        }
    }

    fn watch_joined(&self, channel: &Channel) {
        if let Some(watched) = channel.topic.as_str().strip_prefix(WATCH_PREFIX) {
            let mut watches = self.watches.write();
            watches.entry(watched.to_owned()).or_default();
            self.watch_count.store(watches.len(), Ordering::Relaxed);
        }
    }

    /// To be called once a second: tells watchers what really flowed.
    pub fn tell_rates(&self) {
        let watches: Vec<_> = self
            .watches
            .read()
            .iter()
            .map(|(topic, watch)| (topic.clone(), watch.take_rate()))
            .collect();
        for (topic, rate) in watches {
            if let Ok(json) = serde_json::to_string(&rate) {
                let watching = format!("{WATCH_PREFIX}{topic}");
                self.send(
                    &watching,
                    "rate",
                    &Payload::Json(json.into()),
                    None,
                    Lane::Data,
                );
            }
        }
    }

    fn presence_changed(&self, channel: &Arc<Channel>) {
        if channel.flush_presence(self.now_ms(), self.limits.presence_interval_ms, false) {
            self.unflushed.lock().push(channel.clone());
        }
    }

    /// To be called at least once per presence interval: sends the diffs that were held back.
    pub fn flush_presence(&self) {
        let unflushed = std::mem::take(&mut *self.unflushed.lock());
        let now = self.now_ms();
        for channel in unflushed {
            if channel.flush_presence(now, self.limits.presence_interval_ms, true) {
                self.unflushed.lock().push(channel);
            }
        }
    }

    /// Adds or replaces a definition and lets it hold at once. Members who may not stay are
    /// removed and told; the rest notice nothing.
    pub fn define(&self, definition: Definition) -> Result<Vec<Lifecycle>, DefinitionError> {
        self.definitions.put(definition)?;
        Ok(self.redefine())
    }

    /// Removes the definition of this pattern; `None` if there was none.
    pub fn undefine(&self, pattern: &TopicPattern) -> Option<Vec<Lifecycle>> {
        self.definitions
            .remove(pattern.as_str())
            .then(|| self.redefine())
    }

    fn redefine(&self) -> Vec<Lifecycle> {
        let now = self.now_ms();
        let mut lifecycle = Vec::new();
        for channel in self.channels() {
            let definition = self.definitions.of(channel.topic.as_str());
            if *definition == *channel.definition() {
                continue;
            }
            let needed = match definition.join {
                JoinRule::Public => Standing::Anonymous,
                JoinRule::Token => Standing::Token,
                JoinRule::Admin => Standing::Admin,
            };
            channel.define(definition, now);
            for member in channel.members().iter().filter(|m| m.standing < needed) {
                let told = Reason::Unauthorized.to_json();
                lifecycle.extend(self.remove(&channel, &member.connection, Some(&told)));
            }
        }
        lifecycle
    }

    /// Removes one member by its id; its client gets `phx_close` with the reason.
    pub fn remove_by_id(&self, topic: &str, id: &str, why: &str) -> Option<Vec<Lifecycle>> {
        let channel = self.channels.get(topic)?;
        let member = channel
            .members()
            .into_iter()
            .find(|m| m.id(&channel.topic) == id)?;
        let said = serde_json::json!({ "reason": why }).to_string();
        Some(self.remove(&channel, &member.connection, Some(&said)))
    }

    /// Removes every member of a channel, which ends it. `None` if there is no such channel.
    pub fn close_channel(&self, topic: &str, why: &str) -> Option<Vec<Lifecycle>> {
        let channel = self.channels.get(topic)?;
        let said = serde_json::json!({ "reason": why }).to_string();
        let members = channel.members();
        Some(
            members
                .iter()
                .flat_map(|m| self.remove(&channel, &m.connection, Some(&said)))
                .collect(),
        )
    }

    /// Asks a connection to end; its socket task does the rest. `false` if there is none.
    pub fn close_connection(&self, id: &str, close: Close) -> bool {
        let found = self.connections.get(id);
        found
            .inspect(|connection| connection.outbox.close(close))
            .is_some()
    }

    /// Asks every connection to end.
    pub fn close_all(&self, close: Close) {
        for connection in self.connections() {
            connection.outbox.close(close);
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

struct Joined {
    channel: Arc<Channel>,
    opened: bool,
    member: Member,
    old: Option<Member>,
    lifecycle: Vec<Lifecycle>,
}

fn told(topic: &Topic, change: Change, member: &Member) -> Option<Lifecycle> {
    (!is_reserved_topic(topic.as_str())).then(|| Lifecycle {
        topic: topic.clone(),
        change,
        user: member.tracked.user.to_string(),
        connection: member.connection.id.clone(),
    })
}
