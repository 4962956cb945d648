//! One channel's presence: what its members have not been told yet, and when they will be.
//!
//! Changes within the interval become one diff. A member that came and went within it is never
//! mentioned, unless somebody was shown a state with it in the meantime.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tidegate_protocol::presence::{Count, Meta};

use crate::state_text::StateText;

/// A meta under its key, numbered in the order of joining within this process.
#[derive(Debug, Clone)]
pub(crate) struct Tracked {
    pub(crate) sequence: u64,
    /// Whose member it is.
    pub(crate) user: Arc<str>,
    /// What it is shown under, where that is not the user.
    pub(crate) key: Option<Arc<str>>,
    /// It is a member that is not shown.
    pub(crate) hidden: bool,
    pub(crate) meta: Arc<Meta>,
}

impl Tracked {
    /// What it is shown under.
    pub(crate) fn key(&self) -> &Arc<str> {
        self.key.as_ref().unwrap_or(&self.user)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Pending {
    joins: BTreeMap<u64, Tracked>,
    leaves: BTreeMap<u64, Tracked>,
    /// A state that holds the pending joins was shown to somebody since the last diff.
    shown: bool,
    count_changed: bool,
    last_flush_ms: u64,
    /// Whether the channel already stands in the hub's list of those to flush.
    pub(crate) scheduled: bool,
    /// What who joins is shown.
    pub(crate) text: StateText,
}

#[derive(Serialize)]
struct EntryRef<'a> {
    metas: Vec<&'a Meta>,
}

type StateRef<'a> = BTreeMap<&'a str, EntryRef<'a>>;

#[derive(Serialize)]
struct DiffRef<'a> {
    joins: StateRef<'a>,
    leaves: StateRef<'a>,
}

fn group<'a>(tracked: impl Iterator<Item = &'a Tracked>) -> StateRef<'a> {
    let mut state = StateRef::new();
    for one in tracked.filter(|one| !one.hidden) {
        state
            .entry(one.key())
            .or_insert_with(|| EntryRef { metas: Vec::new() })
            .metas
            .push(&one.meta);
    }
    state
}

fn to_json(value: &impl Serialize) -> String {
    // Maps with string keys and finite numbers cannot fail to serialise.
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// The payload of `presence_state`.
pub(crate) fn state_json<'a>(members: impl Iterator<Item = &'a Tracked>) -> String {
    to_json(&group(members))
}

/// The payload of `presence_count`.
pub(crate) fn count_json(count: usize) -> String {
    to_json(&Count {
        count: count as u64,
    })
}

impl Pending {
    pub(crate) fn joined(&mut self, tracked: Tracked) {
        self.count_changed = true;
        if tracked.hidden {
            return;
        }
        self.text.joined(&tracked);
        self.joins.insert(tracked.sequence, tracked);
    }

    pub(crate) fn left(&mut self, tracked: Tracked) {
        self.count_changed = true;
        if tracked.hidden {
            return;
        }
        self.text.forget();
        let untold = self.joins.remove(&tracked.sequence).is_some() && !self.shown;
        if !untold {
            self.leaves.insert(tracked.sequence, tracked);
        }
    }

    /// Somebody was shown a state with everything that is pending in it.
    pub(crate) fn state_shown(&mut self) {
        self.shown = !self.joins.is_empty();
    }

    /// Asks to be flushed later; `true` for the first one who does.
    pub(crate) fn schedule(&mut self) -> bool {
        !std::mem::replace(&mut self.scheduled, true)
    }

    /// Whether the interval since the last diff is over.
    pub(crate) fn due(&self, now_ms: u64, interval_ms: u64) -> bool {
        now_ms.saturating_sub(self.last_flush_ms) >= interval_ms
    }

    /// Whether nothing waits to be told.
    pub(crate) fn is_empty(&self) -> bool {
        !self.count_changed && self.joins.is_empty() && self.leaves.is_empty()
    }

    /// The payload of the `presence_diff` that tells everything pending, if there is anything.
    pub(crate) fn take_diff(&mut self, now_ms: u64) -> Option<String> {
        let diff = DiffRef {
            joins: group(self.joins.values()),
            leaves: group(self.leaves.values()),
        };
        let json = (!diff.joins.is_empty() || !diff.leaves.is_empty()).then(|| to_json(&diff));
        self.clear(now_ms);
        json
    }

    /// Forgets what is pending.
    pub(crate) fn clear(&mut self, now_ms: u64) {
        self.joins.clear();
        self.leaves.clear();
        self.shown = false;
        self.count_changed = false;
        self.last_flush_ms = now_ms;
    }
}
