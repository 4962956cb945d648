//! One channel: what it is, who its members are, and the order of what they see.
//!
//! Whatever a member must see in one order (the reply to its join, the state that follows it, the
//! diffs and events after that) is sent before the next thing can be. Locks, in the order in which
//! they may be taken: the broadcasts' turn, the channel's state, a chunk of members, a
//! connection's joins, an outbox. What other gateways are to be told is noted while the state is
//! held, so that they are told of a member's end after its beginning.

mod rate;
mod sending;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use tidegate_protocol::{Definition, Payload, PresenceMode, Ref, Standing, Status, Topic};

use crate::connection::{Connection, Joined};
use crate::crew::Crew;
use crate::grant::Grant;
use crate::members::{Member, Members};
use crate::origin::Origin;
use crate::outgoing::Outgoing;
use crate::presence::{Pending, Tracked, count_json};
use crate::remote::Remote;

use self::rate::Rate;
use self::sending::Inbox;
pub(crate) use self::sending::{Delivered, Lane, To, Waiting};

/// A topic that somebody has joined.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub topic: Topic,
    /// When its first member joined, in milliseconds since 1970.
    pub opened_at: u64,
    /// From how many bytes on an event is compressed for those who can read it.
    deflate_min_bytes: usize,
    /// Who writes to many members.
    crew: Arc<Crew>,
    pub(crate) events_to: AtomicU64,
    pub(crate) events_from: AtomicU64,
    /// What a queued event of it keeps of it.
    pub(crate) origin: Arc<Origin>,
    rate: Mutex<Rate>,
    definition: RwLock<Arc<Definition>>,
    /// Events from the bus that the next broadcast takes along.
    inbox: Mutex<Inbox>,
    /// Held by whoever broadcasts, so that all members see one order.
    turn: Mutex<()>,
    pub(crate) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) members: Members,
    pub(crate) presence: Pending,
    /// Set when the last member has gone and the hub has forgotten the channel.
    pub(crate) closed: bool,
}

/// What came of telling members what has changed in presence.
#[derive(Debug, Default)]
pub(crate) struct Flushed {
    /// The interval is not over: whoever asked schedules the channel, once.
    pub(crate) later: bool,
    /// Bytes that sockets took.
    pub(crate) written: usize,
}

impl Flushed {
    fn later(state: &mut State) -> Self {
        Self {
            later: state.presence.schedule(),
            written: 0,
        }
    }
}

/// Why there is no new member.
#[derive(Debug)]
pub(crate) enum NotJoined {
    /// The channel has closed in the meantime; here is the member back.
    Closed(Box<Member>),
    /// The member's connection has ended in the meantime.
    Gone,
}

impl Channel {
    pub(crate) fn new(
        topic: Topic,
        origin: Origin,
        definition: Arc<Definition>,
        deflate_min_bytes: usize,
        crew: Arc<Crew>,
        opened_at: u64,
    ) -> Self {
        Self {
            deflate_min_bytes,
            crew,
            topic,
            opened_at,
            origin: Arc::new(origin),
            events_to: AtomicU64::new(0),
            events_from: AtomicU64::new(0),
            rate: Mutex::default(),
            definition: RwLock::new(definition),
            inbox: Mutex::default(),
            turn: Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// What holds for this channel now.
    pub fn definition(&self) -> Arc<Definition> {
        self.definition.read().clone()
    }

    /// How many members there are.
    pub fn member_count(&self) -> usize {
        self.state.lock().members.len()
    }

    /// Whose the connection's member is.
    pub fn user_of(&self, connection: &Connection) -> Option<String> {
        let state = self.state.lock();
        state
            .members
            .with(connection.key, |member| member.tracked.user.to_string())
    }

    /// The connection's member, and what it is a member of.
    pub(crate) fn member(&self, connection: &Connection) -> Option<(Topic, Member)> {
        let state = self.state.lock();
        let member = state.members.with(connection.key, |member| member.clone());
        member.map(|member| (self.topic.clone(), member))
    }

    pub(crate) fn tracked(&self, connection: &Connection) -> Option<Tracked> {
        let state = self.state.lock();
        state
            .members
            .with(connection.key, |member| member.tracked.clone())
    }

    /// Counts an event from a client.
    pub(crate) fn count_from(&self, now_ms: u64) {
        self.events_from.fetch_add(1, Ordering::Relaxed);
        self.rate.lock().count(1, now_ms);
    }

    /// Events in the last full second.
    pub(crate) fn rate(&self, now_ms: u64) -> u64 {
        self.rate.lock().previous(now_ms)
    }

    /// Adds a member, or replaces the connection's old one, and sends everything it is to see:
    /// the reply, the end of the old join, the presence state.
    pub(crate) fn join(
        self: &Arc<Self>,
        member: Member,
        reference: &Ref,
        remote: &Remote,
        outgoing: &Outgoing,
    ) -> Result<Option<Member>, NotJoined> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(NotJoined::Closed(Box::new(member)));
        }
        let mode = self.definition.read().presence;
        let response = format!(
            r#"{{"id":{}}}"#,
            serde_json::Value::from(member.id(&self.topic))
        );
        let reply = member.serializer.codec().reply(
            &member.join_ref,
            reference,
            self.topic.as_str(),
            Status::Ok,
            &response,
        );
        let live = member.connection.put_joined(Joined {
            channel: self.clone(),
            join_ref: member.join_ref.clone(),
            standing: member.standing,
            grant: member.grant.clone(),
            echo: member.options.echo,
        });
        if !live {
            return Err(NotJoined::Gone);
        }
        // Before a broadcast can find the member.
        member.connection.outbox.control(&reply);
        let old = state.members.put(member.connection.key, member.clone());
        if let Some(old) = &old {
            // An unchanged join_ref would make the client close its new channel.
            if old.join_ref != member.join_ref {
                old.end(&self.topic, "{}");
            }
            state.presence.left(old.tracked.clone());
            outgoing.left(&self.topic, &old.tracked);
        }
        state.presence.joined(member.tracked.clone());
        outgoing.joined(&self.topic, &member, mode);
        state.show_presence(mode, std::slice::from_ref(&member), &self.topic, remote);
        Ok(old)
    }

    /// Gives the connection's member another standing; `false` when there is no such member.
    pub(crate) fn renew(
        &self,
        connection: &Connection,
        standing: Standing,
        grant: Option<&Arc<Grant>>,
    ) -> bool {
        let state = self.state.lock();
        let found = state.members.with(connection.key, |member| {
            member.standing = standing;
            member.grant = grant.cloned();
            // What was never asked for stays away; what is allowed no more goes.
            member.options.no_presence |= grant.is_some_and(|grant| !grant.allow.presence);
        });
        if found.is_some() {
            connection.renew(self.topic.as_str(), standing, grant.cloned());
        }
        found.is_some()
    }

    /// Removes the connection's member. With `told`, a `phx_close` with this payload is sent.
    pub(crate) fn remove(
        &self,
        connection: &Connection,
        told: Option<&str>,
        outgoing: &Outgoing,
    ) -> Option<Member> {
        let mut state = self.state.lock();
        let member = state.members.take(connection.key)?;
        connection.take_joined(self.topic.as_str());
        if let Some(payload) = told {
            member.end(&self.topic, payload);
        }
        state.presence.left(member.tracked.clone());
        outgoing.left(&self.topic, &member.tracked);
        Some(member)
    }

    /// Replaces the metadata of a member's presence; `false` when there is no such member.
    pub(crate) fn update(
        &self,
        connection: &Connection,
        tracked: Tracked,
        outgoing: &Outgoing,
    ) -> bool {
        let mut state = self.state.lock();
        let found = state.members.with(connection.key, |member| {
            let old = std::mem::replace(&mut member.tracked, tracked.clone());
            (old, member.clone())
        });
        let Some((old, member)) = found else {
            return false;
        };
        outgoing.left(&self.topic, &old);
        outgoing.joined(&self.topic, &member, self.definition.read().presence);
        state.presence.left(old);
        state.presence.joined(tracked);
        true
    }

    /// Tells the members what has changed in presence.
    pub(crate) fn flush_presence(
        &self,
        now_ms: u64,
        interval_ms: u64,
        scheduled: bool,
        remote: &Remote,
    ) -> Flushed {
        // Diffs go out in the order in which they are taken. Whoever joins or leaves does not wait
        // for a broadcast to end; the tick that comes later does.
        let turn = if scheduled {
            self.turn.lock()
        } else {
            match self.turn.try_lock() {
                Some(turn) => turn,
                None => return Flushed::later(&mut self.state.lock()),
            }
        };
        let mut state = self.state.lock();
        if scheduled {
            state.presence.scheduled = false;
        }
        if state.presence.is_empty() {
            return Flushed::default();
        }
        if !state.presence.due(now_ms, interval_ms) {
            return Flushed::later(&mut state);
        }
        let mode = self.definition.read().presence;
        let told = match mode {
            PresenceMode::Full => state
                .presence
                .take_diff(now_ms)
                .map(|json| ("presence_diff", json)),
            PresenceMode::Count => {
                state.presence.clear(now_ms);
                let count = state.members.len() + remote.shown(&self.topic);
                Some(("presence_count", count_json(count)))
            }
            PresenceMode::Off => {
                state.presence.clear(now_ms);
                None
            }
        };
        drop(state);
        let mut flushed = Flushed::default();
        if let Some((event, json)) = told {
            let payload = Payload::Json(json.into());
            let told = self.fan_out(&turn, &[(event, &payload)], To::All, Lane::Presence);
            flushed.written = told.written;
        }
        flushed
    }

    /// Changes what holds. Members that get to see presence only now are shown it.
    pub(crate) fn define(
        &self,
        definition: Arc<Definition>,
        now_ms: u64,
        remote: &Remote,
        outgoing: &Outgoing,
    ) {
        // A diff that is on its way arrives before what is shown here.
        let _turn = self.turn.lock();
        let mut state = self.state.lock();
        let mode = definition.presence;
        let old = std::mem::replace(&mut *self.definition.write(), definition);
        if old.presence != mode {
            state.presence.clear(now_ms);
            let members = state.members.to_vec();
            state.show_presence(mode, &members, &self.topic, remote);
        }
        let off = |mode| mode == PresenceMode::Off;
        if off(old.presence) != off(mode) {
            outgoing.tell_anew();
        }
    }

    /// The members, as they are at this moment.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.state.lock().members.to_vec()
    }

    /// Looks at every member, one chunk at a time: joins and leaves do not wait for all of them.
    pub(crate) fn for_each_member(&self, mut look: impl FnMut(&Member)) {
        let chunks = self.state.lock().members.chunks();
        for chunk in chunks {
            chunk.for_each(&mut look);
        }
    }
}

impl State {
    fn show_presence(&mut self, mode: PresenceMode, to: &[Member], topic: &Topic, remote: &Remote) {
        let mut to = to.iter().filter(|member| !member.options.no_presence);
        let Some(first) = to.next() else {
            return;
        };
        let (event, json) = match mode {
            PresenceMode::Full => {
                let Self {
                    members, presence, ..
                } = self;
                let text = presence.text.get(|| {
                    let mut all = remote.of(topic);
                    all.reserve(members.len());
                    members.for_each_while(|member| {
                        all.push(member.tracked.clone());
                        true
                    });
                    all
                });
                ("presence_state", text)
            }
            PresenceMode::Count => {
                let count = self.members.len() + remote.shown(topic);
                ("presence_count", count_json(count))
            }
            PresenceMode::Off => return,
        };
        for member in std::iter::once(first).chain(to) {
            member.push(topic, event, &json);
        }
        self.presence.state_shown();
    }
}
