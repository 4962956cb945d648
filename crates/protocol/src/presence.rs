//! What `presence_state` and `presence_diff` carry, and how a client folds one into the other.
//!
//! The shapes are those of Phoenix: a key (the user's id) has one meta per member, and every
//! meta has its own `phx_ref`. [`Presences`] is the client's side of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The largest `presence` object a client may give at join, in bytes of JSON.
pub const MAX_METADATA_BYTES: usize = 1024;

/// One member's part of a presence: what it gave at join, and the three fields below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Unique among all metas of all gateways.
    pub phx_ref: String,
    /// The `phx_ref` this one replaces, after an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phx_ref_prev: Option<String>,
    /// When the member joined, in seconds since 1970.
    #[serde(default)]
    pub online_at: u64,
    /// What the client gave. Fields named as those above are dropped before they get here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// All metas under one key.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Entry {
    /// One per member, oldest first.
    pub metas: Vec<Meta>,
}

/// Key to entry: the payload of `presence_state`, and both halves of a diff.
pub type State = BTreeMap<String, Entry>;

/// The payload of `presence_diff`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Diff {
    /// Who came.
    pub joins: State,
    /// Who went.
    pub leaves: State,
}

/// The payload of `presence_count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How many members the channel has.
    pub count: u64,
}

/// A client's view of who is there. Diffs that arrive before the first state wait for it, as in
/// phoenix.js; call [`Presences::reset`] when the channel is joined anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Presences {
    state: State,
    synced: bool,
    pending: Vec<Diff>,
}

/// How many diffs wait for the first state; a gateway that sends more without one is broken.
const MAX_PENDING: usize = 64;

impl Presences {
    /// Who is there.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Forgets that a state has come; diffs wait again.
    pub fn reset(&mut self) {
        self.synced = false;
        self.pending.clear();
    }

    /// Takes a `presence_state`.
    pub fn apply_state(&mut self, state: State) {
        self.state = state;
        self.synced = true;
        for diff in std::mem::take(&mut self.pending) {
            self.apply(diff);
        }
    }

    /// Takes a `presence_diff`.
    pub fn apply_diff(&mut self, diff: Diff) {
        if self.synced {
            self.apply(diff);
        } else if self.pending.len() < MAX_PENDING {
            self.pending.push(diff);
        }
    }

    fn apply(&mut self, diff: Diff) {
        for (key, joined) in diff.joins {
            let entry = self.state.entry(key).or_default();
            entry
                .metas
                .retain(|old| !joined.metas.iter().any(|new| new.phx_ref == old.phx_ref));
            entry.metas.extend(joined.metas);
        }
        for (key, left) in diff.leaves {
            if let Some(entry) = self.state.get_mut(&key) {
                entry
                    .metas
                    .retain(|old| !left.metas.iter().any(|gone| gone.phx_ref == old.phx_ref));
                if entry.metas.is_empty() {
                    self.state.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(refs: &[&str]) -> Entry {
        let meta = |r: &&str| Meta {
            phx_ref: (*r).to_owned(),
            phx_ref_prev: None,
            online_at: 1,
            extra: Map::new(),
        };
        Entry {
            metas: refs.iter().map(meta).collect(),
        }
    }

    fn state(entries: &[(&str, &[&str])]) -> State {
        entries
            .iter()
            .map(|(key, refs)| ((*key).to_owned(), entry(refs)))
            .collect()
    }

    #[test]
    fn diffs_before_the_state_wait_for_it() {
        let mut presences = Presences::default();
        presences.apply_diff(Diff {
            joins: state(&[("bob", &["b"])]),
            leaves: State::new(),
        });
        assert!(presences.state().is_empty());
        presences.apply_state(state(&[("alice", &["a"])]));
        assert_eq!(
            presences.state(),
            &state(&[("alice", &["a"]), ("bob", &["b"])])
        );
    }

    #[test]
    fn the_same_ref_twice_is_one_presence_and_an_unknown_leave_is_nothing() {
        let mut presences = Presences::default();
        presences.apply_state(state(&[("alice", &["a"])]));
        presences.apply_diff(Diff {
            joins: state(&[("alice", &["a", "a2"])]),
            leaves: state(&[("carol", &["c"])]),
        });
        assert_eq!(presences.state(), &state(&[("alice", &["a", "a2"])]));
        presences.apply_diff(Diff {
            joins: State::new(),
            leaves: state(&[("alice", &["a", "a2"])]),
        });
        assert!(presences.state().is_empty());
    }
}
