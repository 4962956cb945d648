//! What other gateways have not been told yet.
//!
//! Each change of a channel's members is noted while its state is held, so a member's end is told
//! after its beginning. Beyond a bound everything is told anew instead.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tidegate_protocol::peer::{PeerChange, PeerMember};
use tidegate_protocol::presence::Meta;
use tidegate_protocol::{PresenceMode, Topic, is_reserved_topic};

use crate::members::Member;
use crate::presence::Tracked;

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
    /// Everything: there were too many changes, or a channel has got presence or has lost it.
    All,
}

impl Outgoing {
    /// From here on there may be somebody to tell.
    pub(crate) fn begin(&self) {
        self.on.store(true, Ordering::Relaxed);
    }

    /// Takes what is to be told.
    pub(crate) fn take(&self) -> ToTell {
        let changes = std::mem::take(&mut *self.changes.lock());
        match changes {
            Changes { too_many: true, .. } => ToTell::All,
            Changes { list, .. } if list.is_empty() => ToTell::Nothing,
            Changes { list, .. } => ToTell::Changes(list),
        }
    }

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

    /// To be called while the channel's state is held, so that changes are told in the order in
    /// which they happen.
    pub(crate) fn joined(&self, topic: &Topic, member: &Member, mode: PresenceMode) {
        if !is_reserved_topic(topic.as_str()) {
            self.put(|| PeerChange::Join(peer_member(topic, member, mode)));
        }
    }

    /// As [`Outgoing::joined`].
    pub(crate) fn left(&self, topic: &Topic, tracked: &Tracked) {
        if !is_reserved_topic(topic.as_str()) {
            self.put(|| PeerChange::Leave(tracked.meta.phx_ref.clone()));
        }
    }

    /// What was told of some channel is no longer so.
    pub(crate) fn tell_anew(&self) {
        if self.on.load(Ordering::Relaxed) {
            self.changes.lock().too_many = true;
        }
    }
}

/// A member as other gateways are told of it.
pub(crate) fn peer_member(topic: &Topic, member: &Member, mode: PresenceMode) -> PeerMember {
    let off = mode == PresenceMode::Off;
    let meta = &member.tracked.meta;
    PeerMember {
        topic: topic.clone(),
        user: member.tracked.user.to_string(),
        key: member.tracked.key.as_deref().map(str::to_owned),
        hidden: member.tracked.hidden,
        off,
        connection: member.connection.id.to_string(),
        meta: match off {
            false => Meta::clone(meta),
            // Nobody is shown it: its name is enough.
            true => Meta {
                phx_ref: meta.phx_ref.clone(),
                phx_ref_prev: None,
                online_at: meta.online_at,
                extra: serde_json::Map::new(),
            },
        },
    }
}
