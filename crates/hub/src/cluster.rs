//! This gateway among others: what it tells them of its members, and what it takes from them.
//!
//! Members of other gateways are shown in presence like its own. They are not members of the
//! channels here: nothing is sent to them, their own gateway does that. Those of channels without
//! presence are told as well, so that backends learn of their end when their gateway is lost.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tidegate_protocol::peer::{PeerMember, Says};
use tidegate_protocol::{Event, Payload, Topic, is_reserved_topic};

use crate::channel::{Lane, To};
use crate::hub::Hub;
use crate::membership::{Change, Lifecycle, told};
use crate::outgoing::{ToTell, peer_member};
use crate::presence::Tracked;
use crate::remote::{Moved, RemoteMember};
use crate::stats::Drop;

/// What a message of another gateway asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    None,
    /// That this gateway tells everything.
    TellAll {
        /// Backends, too: they were told that the members here had left.
        backends: bool,
    },
    /// That this gateway asks that one: it has missed something.
    Ask {
        /// That one had been given up, and this gateway has told backends so.
        given_up: bool,
    },
}

impl Hub {
    /// This gateway's name among others: new with each start.
    pub fn node(&self) -> &str {
        &self.presence_prefix
    }

    /// From here on other gateways are to be told of members.
    pub fn join_cluster(&self) {
        self.outgoing.begin();
    }

    /// Takes what other gateways are to be told.
    pub fn to_tell(&self) -> ToTell {
        self.outgoing.take()
    }

    /// Everything is about to be told anew, topic by topic: what waits to be told is part of that.
    /// What changes from now on is told afterwards, and is no news where it is part of it, too.
    pub fn tell_all(&self) -> Vec<Topic> {
        self.outgoing.take();
        self.topics_of_clients()
    }

    /// The members of a topic, as others are told of them.
    pub fn peer_members(&self, topic: &Topic) -> Vec<PeerMember> {
        let Some(channel) = self.channels.get(topic.as_str()) else {
            return Vec::new();
        };
        let mode = channel.definition().presence;
        let members = channel.members().into_iter();
        members
            .map(|member| peer_member(topic, &member, mode))
            .collect()
    }

    /// Topics that have members here of whom backends and other gateways are told.
    pub fn topics_of_clients(&self) -> Vec<Topic> {
        let channels = self.channels();
        let topics = channels.iter().map(|channel| channel.topic.clone());
        topics
            .filter(|topic| !is_reserved_topic(topic.as_str()))
            .collect()
    }

    /// Backends were told that the members of this topic had left, which was not so: gives who is
    /// here to `tell`, and then those of them who have left meanwhile, so that whatever was told
    /// in between, the last word is true.
    pub fn tell_backends_anew(&self, topic: &Topic, tell: impl Fn(Vec<Lifecycle>)) {
        let Some(channel) = self.channels.get(topic.as_str()) else {
            return;
        };
        let members = channel.members();
        let joins = members.iter();
        tell(joins.filter_map(|m| told(topic, Change::Join, m)).collect());
        let gone = members.iter().filter(|member| {
            let now = channel.tracked(&member.connection);
            now.is_none_or(|now| now.user != member.tracked.user)
        });
        tell(gone.filter_map(|m| told(topic, Change::Leave, m)).collect());
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
        // The others are answered in another way, and these follow.
        let is_news = matches!(
            says,
            Says::Alive(_) | Says::Changes { .. } | Says::All { .. }
        );
        let given_up = is_news && self.untold.is_back(node);
        let (now, room) = (self.now_ms(), self.limits.remote_members);
        let track = |member| self.track_remote(member);
        let moved = match says {
            Says::Hello => return Answer::TellAll { backends: false },
            Says::Ask { node, given_up } if node == self.node() => {
                return Answer::TellAll { backends: given_up };
            }
            Says::Ask { .. } => return Answer::None,
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
        let ask = moved.ask || given_up;
        self.show(&moved);
        if ask {
            Answer::Ask { given_up }
        } else {
            Answer::None
        }
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
        let now = self.now_ms();
        for (node, heard_at, moved) in self.remote.expire(now, lease_ms) {
            self.stats.lost_peers.add(1);
            self.show(&moved);
            let left = moved.left.into_iter();
            let leaves = left.map(|(topic, member)| Lifecycle {
                topic,
                change: Change::Leave,
                user: member.tracked.user.to_string(),
                connection: member.connection,
            });
            self.untold.keep(node, heard_at, now, leaves.collect());
        }
        let (remote, own) = (&self.remote, self.node());
        let tell = self.untold.take(|heard| !remote.has_before(own, heard));
        // Half a lease later that one has noticed for itself.
        let has_told = |heard, since| remote.heard_before(own, heard, since + lease_ms / 2);
        let dropped = self.untold.leave_to_another(has_told);
        self.stats.dropped(Drop::Lifecycle, dropped);
        tell
    }

    /// Nobody could be heard meanwhile: the bus was away, or this gateway stood still.
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
            off: member.off,
            connection: member.connection,
        }
    }

    /// Lets the members here see who came and went elsewhere.
    fn show(&self, moved: &Moved) {
        if moved.refused > 0 {
            self.stats.dropped(Drop::RemoteMember, moved.refused);
        }
        let mut topics = HashSet::new();
        let shown = |(_, member): &&(Topic, RemoteMember)| !member.off;
        for (topic, member) in moved.left.iter().filter(shown) {
            if let Some(channel) = self.channels.get(topic.as_str()) {
                channel.state.lock().presence.left(member.tracked.clone());
                topics.insert(topic);
            }
        }
        for (topic, member) in moved.joined.iter().filter(shown) {
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
