//! One channel: its members, in one place, under one short lock.
//!
//! Whatever must be seen in one order by everybody (a join's reply, the state that follows it,
//! the diffs and events after that) is queued while the lock is held.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use tidegate_protocol::{
    Definition, Encoded, Payload, PresenceMode, Ref, Serializer, Standing, Status, Topic,
};

use crate::connection::Connection;
use crate::presence::{Pending, Tracked, count_json, state_json};

/// A topic that somebody has joined.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub topic: Topic,
    /// When its first member joined, in milliseconds since 1970.
    pub opened_at: u64,
    pub(crate) events_to: AtomicU64,
    pub(crate) events_from: AtomicU64,
    definition: RwLock<Arc<Definition>>,
    pub(crate) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) members: Vec<Member>,
    index: HashMap<u64, usize>,
    pub(crate) presence: Pending,
    rate: Rate,
    /// Set when the last member has gone and the hub has forgotten the channel.
    pub(crate) closed: bool,
}

/// One join of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) connection: Arc<Connection>,
    pub(crate) serializer: Serializer,
    pub(crate) join_ref: Ref,
    pub(crate) standing: Standing,
    pub(crate) joined_at: u64,
    pub(crate) tracked: Tracked,
}

impl Member {
    /// `<connection>:<topic>:<join_ref>`.
    pub(crate) fn id(&self, topic: &Topic) -> String {
        format!(
            "{}:{}:{}",
            self.connection.id,
            topic,
            self.join_ref.to_text()
        )
    }

    pub(crate) fn push(&self, topic: &Topic, event: &str, payload: &str) {
        let codec = self.serializer.codec();
        self.connection
            .outbox
            .control(codec.push(&self.join_ref, topic.as_str(), event, payload));
    }

    fn end(&self, topic: &Topic, payload: &str) {
        let codec = self.serializer.codec();
        let frame = codec.end(&self.join_ref, topic.as_str(), "phx_close", payload);
        self.connection.outbox.control(frame);
    }
}

/// One join, as its own connection needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Names the join.
    pub join_ref: Ref,
    /// What was shown.
    pub standing: Standing,
}

/// What a broadcast did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) frames: usize,
    pub(crate) no_binary: usize,
    pub(crate) slow: usize,
}

/// The lane of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Control,
    Data,
}

/// Events in this second and in the one before.
#[derive(Debug, Default)]
struct Rate {
    second: u64,
    current: u64,
    previous: u64,
}

impl Rate {
    fn roll(&mut self, now_ms: u64) {
        let second = now_ms / 1000;
        if second != self.second {
            self.previous = if second == self.second + 1 {
                self.current
            } else {
                0
            };
            self.current = 0;
            self.second = second;
        }
    }
}

impl Channel {
    pub(crate) fn new(topic: Topic, definition: Arc<Definition>, now_ms: u64) -> Self {
        Self {
            topic,
            opened_at: now_ms,
            events_to: AtomicU64::new(0),
            events_from: AtomicU64::new(0),
            definition: RwLock::new(definition),
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

    /// The connection's present join; `None` if it has none.
    pub fn membership(&self, connection: &Connection) -> Option<Membership> {
        let state = self.state.lock();
        let member = state.member(connection.key)?;
        Some(Membership {
            join_ref: member.join_ref.clone(),
            standing: member.standing,
        })
    }

    /// Whose the connection's member is.
    pub fn user_of(&self, connection: &Connection) -> Option<String> {
        self.state
            .lock()
            .member(connection.key)
            .map(|m| m.tracked.user.to_string())
    }

    pub(crate) fn tracked(&self, connection: &Connection) -> Option<Tracked> {
        self.state
            .lock()
            .member(connection.key)
            .map(|m| m.tracked.clone())
    }

    /// Counts an event from a client.
    pub(crate) fn count_from(&self, now_ms: u64) {
        self.events_from.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state.lock();
        state.rate.roll(now_ms);
        state.rate.current += 1;
    }

    /// Events in the last full second.
    pub(crate) fn rate(&self, now_ms: u64) -> u64 {
        let mut state = self.state.lock();
        state.rate.roll(now_ms);
        state.rate.previous
    }

    /// Adds a member, or replaces the connection's old one, and queues everything it is to see:
    /// the reply, the end of the old join, the presence state. `Err` gives the member back when
    /// the channel has closed in the meantime.
    #[allow(clippy::result_large_err)]
    pub(crate) fn join(
        self: &Arc<Self>,
        member: Member,
        reference: &Ref,
    ) -> Result<Option<Member>, Member> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(member);
        }
        let mode = self.definition.read().presence;
        let key = member.connection.key;
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
        member
            .connection
            .joined
            .lock()
            .insert(self.topic.clone(), self.clone());
        let old = state.put(key, member.clone());
        member.connection.outbox.control(reply);
        if let Some(old) = &old {
            // An unchanged join_ref would make the client close its new channel.
            if old.join_ref != member.join_ref {
                old.end(&self.topic, "{}");
            }
            state.presence.left(old.tracked.clone());
        }
        state.presence.joined(member.tracked.clone());
        state.show_presence(mode, std::slice::from_ref(&member), &self.topic);
        Ok(old)
    }

    /// Removes the connection's member. With `told`, a `phx_close` with this payload is queued.
    pub(crate) fn remove(&self, connection: &Connection, told: Option<&str>) -> Option<Member> {
        let mut state = self.state.lock();
        let member = state.take(connection.key)?;
        connection.joined.lock().remove(&self.topic);
        if let Some(payload) = told {
            member.end(&self.topic, payload);
        }
        state.presence.left(member.tracked.clone());
        Some(member)
    }

    /// Replaces the metadata of a member's presence.
    pub(crate) fn update(&self, connection: &Connection, tracked: Tracked) -> bool {
        let mut state = self.state.lock();
        let Some(&at) = state.index.get(&connection.key) else {
            return false;
        };
        let old = std::mem::replace(&mut state.members[at].tracked, tracked.clone());
        state.presence.left(old);
        state.presence.joined(tracked);
        true
    }

    /// Puts one event into the queue of every member, encoded at most once per serializer.
    pub(crate) fn broadcast(
        &self,
        event: &str,
        payload: &Payload,
        except: Option<u64>,
        lane: Lane,
        now_ms: u64,
    ) -> Delivered {
        let mut state = self.state.lock();
        state.rate.roll(now_ms);
        state.rate.current += 1;
        self.events_to.fetch_add(1, Ordering::Relaxed);
        state.fan_out(self.topic.as_str(), event, payload, except, lane)
    }

    /// Tells the members what has changed in presence. `true` when it must be asked again later
    /// because the interval is not over; the caller then schedules the channel, once.
    pub(crate) fn flush_presence(&self, now_ms: u64, interval_ms: u64, scheduled: bool) -> bool {
        let mut state = self.state.lock();
        if scheduled {
            state.presence.scheduled = false;
        }
        if state.presence.is_empty() {
            return false;
        }
        if !state.presence.due(now_ms, interval_ms) {
            return !std::mem::replace(&mut state.presence.scheduled, true);
        }
        let mode = self.definition.read().presence;
        let told = match mode {
            PresenceMode::Full => state
                .presence
                .take_diff(now_ms)
                .map(|json| ("presence_diff", json)),
            PresenceMode::Count => {
                state.presence.clear(now_ms);
                Some(("presence_count", count_json(state.members.len())))
            }
            PresenceMode::Off => {
                state.presence.clear(now_ms);
                None
            }
        };
        if let Some((event, json)) = told {
            let payload = Payload::Json(json.into());
            state.fan_out(self.topic.as_str(), event, &payload, None, Lane::Control);
        }
        false
    }

    /// Changes what holds. Members that get to see presence only now are shown it.
    pub(crate) fn define(&self, definition: Arc<Definition>, now_ms: u64) {
        let mut state = self.state.lock();
        let mode = definition.presence;
        let old = std::mem::replace(&mut *self.definition.write(), definition);
        if old.presence != mode {
            state.presence.clear(now_ms);
            let members = state.members.clone();
            state.show_presence(mode, &members, &self.topic);
        }
    }

    /// The members, as they are at this moment.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.state.lock().members.clone()
    }
}

impl State {
    fn member(&self, key: u64) -> Option<&Member> {
        self.index.get(&key).and_then(|&at| self.members.get(at))
    }

    fn put(&mut self, key: u64, member: Member) -> Option<Member> {
        if let Some(&at) = self.index.get(&key) {
            return Some(std::mem::replace(&mut self.members[at], member));
        }
        self.index.insert(key, self.members.len());
        self.members.push(member);
        None
    }

    fn take(&mut self, key: u64) -> Option<Member> {
        let at = self.index.remove(&key)?;
        let member = self.members.swap_remove(at);
        if let Some(moved) = self.members.get(at) {
            self.index.insert(moved.connection.key, at);
        }
        Some(member)
    }

    fn show_presence(&mut self, mode: PresenceMode, to: &[Member], topic: &Topic) {
        let (event, json) = match mode {
            PresenceMode::Full => (
                "presence_state",
                state_json(self.members.iter().map(|m| &m.tracked)),
            ),
            PresenceMode::Count => ("presence_count", count_json(self.members.len())),
            PresenceMode::Off => return,
        };
        for member in to {
            member.push(topic, event, &json);
        }
        self.presence.state_shown();
    }

    fn fan_out(
        &self,
        topic: &str,
        event: &str,
        payload: &Payload,
        except: Option<u64>,
        lane: Lane,
    ) -> Delivered {
        let mut frames: [Option<Option<Encoded>>; Serializer::COUNT] = Default::default();
        let mut delivered = Delivered::default();
        for member in &self.members {
            if except == Some(member.connection.key) {
                continue;
            }
            let frame = frames[member.serializer.index()]
                .get_or_insert_with(|| member.serializer.codec().broadcast(topic, event, payload));
            match (frame, lane) {
                (None, _) => delivered.no_binary += 1,
                (Some(frame), Lane::Control) => {
                    member.connection.outbox.control(frame.clone());
                    delivered.frames += 1;
                }
                (Some(frame), Lane::Data) => {
                    if member.connection.outbox.data(frame.clone()) {
                        delivered.frames += 1;
                    } else {
                        delivered.slow += 1;
                    }
                }
            }
        }
        delivered
    }
}
