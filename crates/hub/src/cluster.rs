//! This gateway among others: what it tells them of its members, and what it takes from them.
//!
//! Members of other gateways are shown in presence like its own. They are not members of the
//! channels here: nothing is sent to them, their own gateway does that.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tidegate_protocol::peer::{PeerChange, PeerMember, Says};
use tidegate_protocol::{Event, Payload, PresenceMode, Topic};

use crate::channel::{Lane, To};
use crate::hub::Hub;
use crate::members::Member;
use crate::membership::{Change, Lifecycle};
use crate::presence::Tracked;
use crate::remote::{Moved, RemoteMember};
use crate::stats::Drop;

/// Changes that wait to be told; above it everything is told anew.
const MAX_CHANGES: usize = 100_000;

/// What other gateways have not been told yet.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// Alone, a gateway has nobody to tell.
    on: AtomicBool,
    changes: Mutex<Changes>,
}

#[derive(Debug, Default)]
struct Changes {
    list: Vec<PeerChange>,
    too_many: bool,
}

/// What is to be told now.
#[derive(Debug, PartialEq)]
pub enum ToTell {
    /// Nothing.
    Nothing,
    /// These changes.
    Changes(Vec<PeerChange>),
    /// Everything: there were too many changes.
    All,
}

/// What a message of another gateway asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    None,
    /// That this gateway tells everything.
    TellAll,
    /// That this gateway asks: it has missed something.
    Ask,
}

impl Outgoing {
    fn put(&self, change: impl FnOnce() -> PeerChange) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let mut changes = self.changes.lock();
        if changes.list.len() < MAX_CHANGES {
            changes.list.push(change());
        } else {
            changes.too_many = true;
        }
    }

    pub(crate) fn joined(&self, topic: &Topic, member: &Member) {
        self.put(|| PeerChange::Join(peer_member(topic, member)));
    }

    pub(crate) fn left(&self, tracked: &Tracked) {
        self.put(|| PeerChange::Leave(tracked.meta.phx_ref.clone()));
    }
}

fn peer_member(topic: &Topic, member: &Member) -> PeerMember {
    PeerMember {
        topic: topic.clone(),
        user: member.tracked.user.to_string(),
        key: member.tracked.key.as_deref().map(str::to_owned),
        hidden: member.tracked.hidden,
        connection: member.connection.id.to_string(),
        meta: (*member.tracked.meta).clone(),
    }
}

impl Hub {
    /// This gateway's name among others: new with each start.
    pub fn node(&self) -> &str {
        &self.presence_prefix
    }

    /// From here on other gateways are to be told of members.
    pub fn join_cluster(&self) {
        self.outgoing.on.store(true, Ordering::Relaxed);
    }

    /// Takes what other gateways are to be told.
    pub fn to_tell(&self) -> ToTell {
        let changes = std::mem::take(&mut *self.outgoing.changes.lock());
        match changes {
            Changes { too_many: true, .. } => ToTell::All,
            Changes { list, .. } if list.is_empty() => ToTell::Nothing,
            Changes { list, .. } => ToTell::Changes(list),
        }
    }

    /// All members of this gateway that others are to know of.
    pub fn all_members(&self) -> Vec<PeerMember> {
        // Told anew with everything else.
        *self.outgoing.changes.lock() = Changes::default();
        let shown =
            |channel: &Arc<crate::Channel>| channel.definition().presence != PresenceMode::Off;
        self.channels()
            .iter()
            .filter(|channel| shown(channel))
            .flat_map(|channel| {
                let members = channel.members();
                let topic = channel.topic.clone();
                members
                    .into_iter()
                    .map(move |member| peer_member(&topic, &member))
            })
            .collect()
    }

    /// Other gateways that are heard.
    pub fn peer_count(&self) -> usize {
        self.remote.nodes()
    }

    /// Members of other gateways.
    pub fn remote_member_count(&self) -> usize {
        self.remote.members()
    }

    /// Takes what another gateway says.
    pub fn peer_says(&self, node: &str, says: Says) -> Answer {
        if node == self.node() {
            return Answer::None;
        }
        let (now, room) = (self.now_ms(), self.limits.remote_members);
        let track = |member| self.track_remote(member);
        let moved = match says {
            Says::Hello => return Answer::TellAll,
            Says::Alive(number) => self.remote.alive(node, number, now),
            Says::Changes { number, changes } => {
                self.remote.changes(node, number, changes, now, room, track)
            }
            Says::All {
                number,
                first,
                last,
                members,
            } => self
                .remote
                .all(node, number, (first, last), members, now, room, track),
            Says::Bye => self.remote.bye(node),
            // Carries bytes and is taken apart by whoever knows the bus.
            Says::Relay { .. } => return Answer::None,
        };
        let ask = moved.ask;
        self.show(&moved);
        if ask { Answer::Ask } else { Answer::None }
    }

    /// An event that a client of another gateway pushed on a channel that relays.
    pub fn relayed(&self, topic: &Topic, event: &Event, payload: &Payload) {
        if self
            .channels
            .get(topic.as_str())
            .is_some_and(|c| c.definition().relay)
        {
            self.send(topic.as_str(), event.as_str(), payload, To::All, Lane::Data);
        }
    }

    /// To be called now and then: gateways that have been silent for so long are gone, and their
    /// members with them. Gives what backends are to be told, where it is for this gateway to
    /// tell them.
    pub fn expire_peers(&self, lease_ms: u64) -> Vec<Lifecycle> {
        let before = self.remote.nodes();
        let moved = self.remote.expire(self.now_ms(), lease_ms);
        let lost = before.saturating_sub(self.remote.nodes());
        self.stats.lost_peers.add(lost);
        self.show(&moved);
        if self.remote.has_before(self.node()) {
            return Vec::new();
        }
        let left = moved.left.into_iter();
        left.map(|(topic, member)| Lifecycle {
            topic,
            change: Change::Leave,
            user: member.tracked.user.to_string(),
            connection: member.connection,
        })
        .collect()
    }

    /// The bus is back: nobody could be heard meanwhile.
    pub fn renew_peers(&self) {
        self.remote.renew(self.now_ms());
    }

    fn track_remote(&self, member: PeerMember) -> RemoteMember {
        RemoteMember {
            tracked: Tracked {
                sequence: self.next_presence.fetch_add(1, Ordering::Relaxed),
                user: member.user.into(),
                key: member.key.map(Into::into),
                hidden: member.hidden,
                meta: Arc::new(member.meta),
            },
            connection: member.connection,
        }
    }

    /// Lets the members here see who came and went elsewhere.
    fn show(&self, moved: &Moved) {
        if moved.refused > 0 {
            self.stats.dropped(Drop::RemoteMember, moved.refused);
        }
        let mut topics = HashSet::new();
        for (topic, member) in &moved.left {
            if let Some(channel) = self.channels.get(topic.as_str()) {
                channel.state.lock().presence.left(member.tracked.clone());
                topics.insert(topic);
            }
        }
        for (topic, member) in &moved.joined {
            if let Some(channel) = self.channels.get(topic.as_str()) {
                channel.state.lock().presence.joined(member.tracked.clone());
                topics.insert(topic);
            }
        }
        for topic in topics {
            if let Some(channel) = self.channels.get(topic.as_str()) {
                self.presence_changed(&channel);
            }
        }
    }
}
