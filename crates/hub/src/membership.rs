//! Joining and leaving: every way in which a channel gets or loses a member.
//!
//! All of it goes through two functions, one for each direction, so that counts, presence, the
//! `admin` topic and what backends are told cannot disagree.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value};
use tidegate_protocol::presence::Meta;
use tidegate_protocol::{Reason, Ref, Serializer, Standing, Topic, is_reserved_topic};

use crate::admin_feed;
use crate::channel::{Channel, NotJoined};
use crate::connection::Connection;
use crate::grant::Grant;
use crate::hub::Hub;
use crate::members::Member;
use crate::origin::Origin;
use crate::presence::Tracked;
use crate::watch::WATCH_PREFIX;

/// A checked request to join.
#[derive(Debug)]
pub struct Join {
    /// The channel.
    pub topic: Topic,
    /// Names this join; never null.
    pub join_ref: Ref,
    /// What the reply echoes.
    pub reference: Ref,
    /// Who joins.
    pub user: String,
    /// What presence shows it under, where that is not the user.
    pub key: Option<String>,
    /// What was shown.
    pub standing: Standing,
    /// What is left of the token, where one was shown.
    pub grant: Option<Arc<Grant>>,
    /// Metadata for presence.
    pub metadata: Map<String, Value>,
    /// What it asks for beside.
    pub options: JoinOptions,
}

/// What a join asks for beside the channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JoinOptions {
    /// Its own events come back to it where the channel relays.
    pub echo: bool,
    /// It is not told of presence, and not shown in it until it gives metadata.
    pub no_presence: bool,
}

/// Why a join did not become a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The client is to be told why.
    #[error("the join is refused, the reason is to be answered: {0}")]
    Refused(Reason),
    /// The connection has ended: there is nobody to be told.
    #[error("the connection has ended; nothing is to be done")]
    Gone,
}

impl From<Reason> for JoinError {
    fn from(reason: Reason) -> Self {
        JoinError::Refused(reason)
    }
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

impl Hub {
    /// Joins a channel, opening it if need be, and queues the reply.
    pub fn join(
        &self,
        connection: &Arc<Connection>,
        serializer: Serializer,
        join: Join,
    ) -> Result<Vec<Lifecycle>, JoinError> {
        if connection.joined(join.topic.as_str()).is_none()
            && connection.joined_count() >= self.limits.channels_per_connection
        {
            return Err(Reason::TooManyChannels.into());
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
            self.begin_snapshot(&done.channel.topic, &done.member);
            *listening = done.channel.member_count();
        }
        if done.opened {
            self.tell_admins(&admin_feed::added(
                done.channel.topic.as_str(),
                self.some_topics(),
            ));
        }
        if let Some(old) = &done.old {
            self.tell_admins(&admin_feed::left(&done.channel, old, self.empty_list()));
        }
        self.tell_admins(&admin_feed::joined(
            &done.channel,
            &done.member,
            self.empty_list(),
        ));
        Ok(done.lifecycle)
    }

    fn join_channel(
        &self,
        connection: &Arc<Connection>,
        serializer: Serializer,
        join: Join,
    ) -> Result<Joined, JoinError> {
        let Join {
            topic,
            join_ref,
            reference,
            user,
            key,
            standing,
            grant,
            metadata,
            options,
        } = join;
        let now = self.date_ms();
        let user: Arc<str> = user.into();
        let before = connection
            .joined(topic.as_str())
            .and_then(|joined| joined.channel.tracked(connection))
            .filter(|old| old.user == user && !old.hidden)
            .map(|old| old.meta.phx_ref.clone());
        let mut tracked = self.track(user, metadata, before, now);
        tracked.key = key.map(Into::into);
        tracked.hidden = options.no_presence;
        let mut member = Member {
            connection: connection.clone(),
            serializer,
            join_ref,
            standing,
            grant,
            options,
            joined_at: now,
            tracked,
        };
        loop {
            let (channel, opened) = self.channels.get_or_insert(&topic, || {
                self.channel_count.fetch_add(1, Ordering::Relaxed);
                Arc::new(Channel::new(
                    topic.clone(),
                    Origin::new(
                        self.next_key.fetch_add(1, Ordering::Relaxed),
                        self.stats.drops.clone(),
                    ),
                    self.definitions.of(topic.as_str()),
                    self.limits.deflate_min_bytes,
                    self.crew.clone(),
                    now,
                ))
            });
            if opened && self.channel_count.load(Ordering::Relaxed) > self.limits.channels {
                self.forget_if_empty(&channel);
                return Err(Reason::TooManyTopics.into());
            }
            match channel.join(member.clone(), &reference, &self.remote, &self.outgoing) {
                Err(NotJoined::Closed(back)) => member = *back,
                Err(NotJoined::Gone) => {
                    self.forget_if_empty(&channel);
                    return Err(JoinError::Gone);
                }
                Ok(old) => {
                    // Now that whoever looks for ends finds it.
                    self.next_expiry.note(member.grant.as_deref());
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
        date_ms: u64,
    ) -> Tracked {
        for own in ["phx_ref", "phx_ref_prev", "online_at"] {
            metadata.remove(own);
        }
        let sequence = self.next_presence.fetch_add(1, Ordering::Relaxed);
        let meta = Meta {
            phx_ref: format!("{}{sequence:x}", self.presence_prefix),
            phx_ref_prev: before,
            online_at: date_ms / 1000,
            extra: metadata,
        };
        Tracked {
            sequence,
            user,
            key: None,
            hidden: false,
            meta: Arc::new(meta),
        }
    }

    /// Leaves a channel: queues nothing, the caller answers. Empty when it was not joined.
    pub fn leave(&self, connection: &Arc<Connection>, topic: &str) -> Vec<Lifecycle> {
        connection
            .joined(topic)
            .map(|joined| self.remove(&joined.channel, connection, None))
            .unwrap_or_default()
    }

    /// Gives a member the standing of a newer token; `false` when the channel is not joined.
    pub fn renew(
        &self,
        connection: &Arc<Connection>,
        topic: &str,
        standing: Standing,
        grant: Option<&Arc<Grant>>,
    ) -> bool {
        let renewed = connection
            .joined(topic)
            .is_some_and(|joined| joined.channel.renew(connection, standing, grant));
        self.next_expiry.note(grant.map(Arc::as_ref));
        renewed
    }

    /// Replaces a member's presence metadata, and shows the member if it was hidden; `false` when
    /// the channel is not joined.
    pub fn update_presence(
        &self,
        connection: &Arc<Connection>,
        topic: &str,
        metadata: Map<String, Value>,
    ) -> bool {
        self.retrack(connection, topic, Some(metadata))
    }

    /// Shows a member no longer in presence, though it stays one; `false` when the channel is not
    /// joined.
    pub fn hide_presence(&self, connection: &Arc<Connection>, topic: &str) -> bool {
        self.retrack(connection, topic, None)
    }

    fn retrack(
        &self,
        connection: &Arc<Connection>,
        topic: &str,
        metadata: Option<Map<String, Value>>,
    ) -> bool {
        let Some((channel, old)) = connection
            .joined(topic)
            .and_then(|j| j.channel.tracked(connection).map(|t| (j.channel, t)))
        else {
            return false;
        };
        let hidden = metadata.is_none();
        if hidden && old.hidden {
            return true;
        }
        let before = (!old.hidden).then(|| old.meta.phx_ref.clone());
        let metadata = metadata.unwrap_or_default();
        let tracked = Tracked {
            key: old.key,
            hidden,
            ..self.track(old.user, metadata, before, self.date_ms())
        };
        if !channel.update(connection, tracked, &self.outgoing) {
            return false;
        }
        self.presence_changed(&channel);
        true
    }

    pub(crate) fn remove(
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
        self.tell_admins(&admin_feed::left(channel, &member, self.empty_list()));
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
        let member = channel.remove(connection, said, &self.outgoing)?;
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

    pub(crate) fn presence_changed(&self, channel: &Arc<Channel>) {
        self.tell_presence(channel, self.now_ms(), false);
    }

    /// To be called at least once per presence interval: sends the diffs that were held back.
    pub fn flush_presence(&self) {
        let unflushed = std::mem::take(&mut *self.unflushed.lock());
        let now = self.now_ms();
        for channel in unflushed {
            self.tell_presence(&channel, now, true);
        }
    }

    fn tell_presence(&self, channel: &Arc<Channel>, now_ms: u64, scheduled: bool) {
        let interval = self.limits.presence_interval_ms;
        let flushed = channel.flush_presence(now_ms, interval, scheduled, &self.remote);
        if flushed.later {
            self.unflushed.lock().push(channel.clone());
        }
        self.stats.bytes_out.add(flushed.written);
    }
}

struct Joined {
    channel: Arc<Channel>,
    opened: bool,
    member: Member,
    old: Option<Member>,
    lifecycle: Vec<Lifecycle>,
}

pub(crate) fn told(topic: &Topic, change: Change, member: &Member) -> Option<Lifecycle> {
    (!is_reserved_topic(topic.as_str())).then(|| Lifecycle {
        topic: topic.clone(),
        change,
        user: member.tracked.user.to_string(),
        connection: member.connection.id.to_string(),
    })
}
