//! Members of other gateways on the same bus: who they are, and until when they count.
//!
//! Each gateway is believed as long as it is heard. Its changes are numbered; after a gap nothing
//! more is believed until it has told everything again, and what it told before stands meanwhile.
//! A gateway that falls silent takes its members with it. Those of channels without presence are
//! known for that alone: nobody is shown them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tidegate_protocol::Topic;
use tidegate_protocol::peer::{PeerChange, PeerMember};

use crate::presence::Tracked;

/// All that is known of other gateways.
#[derive(Debug, Default)]
pub(crate) struct Remote(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    nodes: HashMap<String, Node>,
    topics: HashMap<Topic, OfTopic>,
    members: usize,
}

/// The members of one topic.
#[derive(Debug, Default)]
struct OfTopic {
    /// By `phx_ref`.
    members: BTreeMap<Arc<str>, RemoteMember>,
    /// How many of them are in a channel without presence.
    off: usize,
}

#[derive(Debug, Default)]
struct Node {
    /// When it was heard first, and last.
    since: u64,
    heard_at: u64,
    /// From when on its silence counts.
    leased_at: u64,
    /// The number of the last changes that are in.
    number: u64,
    /// Whether its members are known up to that number.
    whole: bool,
    /// Where each of its members is.
    refs: HashMap<Arc<str>, Topic>,
    /// Parts of everything that have come so far.
    parts: Vec<PeerMember>,
    /// Members of these parts for which there was no room.
    left_out: usize,
}

/// One member of another gateway.
#[derive(Debug, Clone)]
pub(crate) struct RemoteMember {
    pub(crate) tracked: Tracked,
    /// Its channel has no presence.
    pub(crate) off: bool,
    pub(crate) connection: String,
}

/// What a message has changed, for the channels that have members here.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    pub(crate) joined: Vec<(Topic, RemoteMember)>,
    pub(crate) left: Vec<(Topic, RemoteMember)>,
    /// Something is missing: the node must tell everything.
    pub(crate) ask: bool,
    /// Members for which there was no room.
    pub(crate) refused: usize,
}

impl Remote {
    /// How many members other gateways have.
    pub(crate) fn members(&self) -> usize {
        self.0.lock().members
    }

    /// How many other gateways are heard.
    pub(crate) fn nodes(&self) -> usize {
        self.0.lock().nodes.len()
    }

    /// The members of a topic on other gateways that presence may show.
    pub(crate) fn of(&self, topic: &Topic) -> Vec<Tracked> {
        let state = self.0.lock();
        let shown = state.of(topic).filter(|member| !member.off);
        shown.map(|member| member.tracked.clone()).collect()
    }

    /// How many members of a topic are on other gateways, as presence counts them.
    pub(crate) fn shown(&self, topic: &Topic) -> usize {
        let state = self.0.lock();
        let of = |of: &OfTopic| of.members.len() - of.off;
        state.topics.get(topic).map_or(0, of)
    }

    /// How many members of a topic are on other gateways.
    pub(crate) fn count(&self, topic: &Topic) -> usize {
        let state = self.0.lock();
        state.topics.get(topic).map_or(0, |of| of.members.len())
    }

    /// How many members of a topic on other gateways are those that are meant, by user and
    /// connection.
    pub(crate) fn count_where(
        &self,
        topic: &Topic,
        mut means: impl FnMut(&str, &str) -> bool,
    ) -> usize {
        let state = self.0.lock();
        state
            .of(topic)
            .filter(|member| means(&member.tracked.user, &member.connection))
            .count()
    }

    /// Whether a node with a smaller name is there, which then does what one is to do for all. One
    /// that was not there at `witness_ms` does not know what happened then.
    pub(crate) fn has_before(&self, own: &str, witness_ms: u64) -> bool {
        self.heard_before(own, witness_ms, 0)
    }

    /// Whether such a node was heard since then.
    pub(crate) fn heard_before(&self, own: &str, witness_ms: u64, since_ms: u64) -> bool {
        let state = self.0.lock();
        let mut before = state.nodes.iter().filter(|(name, _)| name.as_str() < own);
        before.any(|(_, node)| node.since <= witness_ms && node.heard_at >= since_ms)
    }

    /// A node lives and its last changes had this number.
    pub(crate) fn alive(&self, node: &str, number: u64, now_ms: u64) -> Moved {
        let mut state = self.0.lock();
        let node = state.heard(node, now_ms);
        Moved {
            ask: !node.whole || node.number != number,
            ..Moved::default()
        }
    }

    /// Changes of a node.
    pub(crate) fn changes(
        &self,
        name: &str,
        number: u64,
        changes: Vec<PeerChange>,
        now_ms: u64,
        room: usize,
        mut track: impl FnMut(PeerMember) -> RemoteMember,
    ) -> Moved {
        let mut state = self.0.lock();
        let node = state.heard(name, now_ms);
        if !node.whole || number != node.number + 1 {
            // What is known already may come again after everything was told.
            let ask = !node.whole || number > node.number;
            node.whole &= !ask;
            return Moved {
                ask,
                ..Moved::default()
            };
        }
        node.number = number;
        let mut moved = Moved::default();
        for change in changes {
            match change {
                PeerChange::Join(member) => state.add(name, member, room, &mut track, &mut moved),
                PeerChange::Leave(phx_ref) => state.remove(name, &phx_ref, &mut moved),
            }
        }
        moved
    }

    /// A part of all members of a node.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn all(
        &self,
        name: &str,
        number: u64,
        (first, last): (bool, bool),
        members: Vec<PeerMember>,
        now_ms: u64,
        room: usize,
        mut track: impl FnMut(PeerMember) -> RemoteMember,
    ) -> Moved {
        let mut state = self.0.lock();
        let node = state.heard(name, now_ms);
        if first {
            node.parts.clear();
            node.left_out = 0;
        }
        // What finds no room is left out. The rest holds, and the node is not asked again.
        let fit = room.saturating_sub(node.parts.len()).min(members.len());
        node.left_out += members.len() - fit;
        node.parts.extend(members.into_iter().take(fit));
        if !last {
            return Moved::default();
        }
        let all = std::mem::take(&mut node.parts);
        let mut moved = Moved {
            refused: std::mem::take(&mut node.left_out),
            ..Moved::default()
        };
        node.number = number;
        node.whole = true;
        let mut gone: HashMap<Arc<str>, ()> = node
            .refs
            .keys()
            .map(|phx_ref| (phx_ref.clone(), ()))
            .collect();
        let known = |state: &State, member: &PeerMember| {
            let of = state.topics.get(&member.topic)?;
            of.members.get(member.meta.phx_ref.as_str()).map(|m| m.off)
        };
        let mut new = Vec::new();
        for member in all {
            // One whose channel has got presence, or has lost it, comes anew.
            if known(&state, &member) == Some(member.off) {
                gone.remove(member.meta.phx_ref.as_str());
            } else {
                new.push(member);
            }
        }
        // First who is gone: it makes room.
        for phx_ref in gone.keys() {
            state.remove(name, phx_ref, &mut moved);
        }
        for member in new {
            state.add(name, member, room, &mut track, &mut moved);
        }
        moved
    }

    /// A node has stopped.
    pub(crate) fn bye(&self, name: &str) -> Moved {
        let mut moved = Moved::default();
        self.0.lock().forget(name, &mut moved);
        moved
    }

    /// Forgets the nodes that have been silent for so long: each with when it was heard last, and
    /// what its end changes.
    pub(crate) fn expire(&self, now_ms: u64, lease_ms: u64) -> Vec<(String, u64, Moved)> {
        let mut state = self.0.lock();
        let silent: Vec<(String, u64)> = state
            .nodes
            .iter()
            .filter(|(_, node)| now_ms.saturating_sub(node.leased_at) >= lease_ms)
            .map(|(name, node)| (name.clone(), node.heard_at))
            .collect();
        let mut expired = Vec::with_capacity(silent.len());
        for (name, heard_at) in silent {
            let mut moved = Moved::default();
            state.forget(&name, &mut moved);
            expired.push((name, heard_at, moved));
        }
        expired
    }

    /// Nobody could be heard until now: everybody gets a new lease.
    pub(crate) fn renew(&self, now_ms: u64) {
        for node in self.0.lock().nodes.values_mut() {
            node.leased_at = now_ms;
        }
    }
}

impl State {
    fn of(&self, topic: &Topic) -> impl Iterator<Item = &RemoteMember> {
        let of = self.topics.get(topic).into_iter();
        of.flat_map(|of| of.members.values())
    }

    fn heard(&mut self, name: &str, now_ms: u64) -> &mut Node {
        if !self.nodes.contains_key(name) {
            let node = Node {
                since: now_ms,
                ..Node::default()
            };
            self.nodes.insert(name.to_owned(), node);
        }
        let node = self.nodes.entry(name.to_owned()).or_default();
        (node.heard_at, node.leased_at) = (now_ms, now_ms);
        node
    }

    fn add(
        &mut self,
        name: &str,
        member: PeerMember,
        room: usize,
        track: &mut impl FnMut(PeerMember) -> RemoteMember,
        moved: &mut Moved,
    ) {
        if self.members >= room {
            moved.refused += 1;
            return;
        }
        let phx_ref: Arc<str> = member.meta.phx_ref.as_str().into();
        let topic = member.topic.clone();
        let Some(node) = self.nodes.get_mut(name) else {
            return;
        };
        if node.refs.insert(phx_ref.clone(), topic.clone()).is_some() {
            return;
        }
        let member = track(member);
        self.members += 1;
        let of = self.topics.entry(topic.clone()).or_default();
        of.off += usize::from(member.off);
        of.members.insert(phx_ref, member.clone());
        moved.joined.push((topic, member));
    }

    fn remove(&mut self, name: &str, phx_ref: &str, moved: &mut Moved) {
        let Some(topic) = self
            .nodes
            .get_mut(name)
            .and_then(|node| node.refs.remove(phx_ref))
        else {
            return;
        };
        let Some(of) = self.topics.get_mut(&topic) else {
            return;
        };
        if let Some(member) = of.members.remove(phx_ref) {
            self.members -= 1;
            of.off -= usize::from(member.off);
            if of.members.is_empty() {
                self.topics.remove(&topic);
            }
            moved.left.push((topic, member));
        }
    }

    fn forget(&mut self, name: &str, moved: &mut Moved) {
        let refs: Vec<Arc<str>> = self
            .nodes
            .get(name)
            .map(|node| node.refs.keys().cloned().collect())
            .unwrap_or_default();
        for phx_ref in refs {
            self.remove(name, &phx_ref, moved);
        }
        self.nodes.remove(name);
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
