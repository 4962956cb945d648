//! Members of gateways that fell silent, until backends have been told that they left.
//!
//! Of the gateways that have known a silent one, the one with the smallest name tells. It may be dead
//! as well and not known to be yet, so the others keep what is to be told until they have heard it
//! again, or one of them is the smallest. A gateway that comes back finds that it was given up: backends
//! were told, and it is for itself to tell them otherwise.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::membership::Lifecycle;

/// Leaves that wait; what does not fit is counted as dropped.
const MAX_LEAVES: usize = 100_000;
/// Gateways that are remembered as given up.
const MAX_GIVEN_UP: usize = 1_000;

/// What backends have not been told, and of whom they have been told.
#[derive(Debug, Default)]
pub(crate) struct Untold(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    kept: Vec<Kept>,
    given_up: VecDeque<String>,
}

#[derive(Debug)]
struct Kept {
    node: String,
    /// When the node was heard last.
    heard_ms: u64,
    /// When it was given up.
    since_ms: u64,
    leaves: Vec<Lifecycle>,
}

impl Untold {
    /// This node is silent, and these were its members.
    pub(crate) fn keep(&self, node: String, heard_ms: u64, since_ms: u64, leaves: Vec<Lifecycle>) {
        if !leaves.is_empty() {
            self.0.lock().kept.push(Kept {
                node,
                heard_ms,
                since_ms,
                leaves,
            });
        }
    }

    /// What this gateway tells now: of which nodes is known by when these were heard last.
    pub(crate) fn take(&self, is_for_this_one: impl Fn(u64) -> bool) -> Vec<Lifecycle> {
        let mut state = self.0.lock();
        let mut leaves = Vec::new();
        let (told, kept) = std::mem::take(&mut state.kept)
            .into_iter()
            .partition(|kept| is_for_this_one(kept.heard_ms));
        state.kept = kept;
        let told: Vec<Kept> = told;
        for kept in told {
            leaves.extend(kept.leaves);
            if state.given_up.len() == MAX_GIVEN_UP {
                state.given_up.pop_front();
            }
            state.given_up.push_back(kept.node);
        }
        leaves
    }

    /// The rest is for somebody else: forgets what that one has told by now, by when a node was heard
    /// last and when it was given up, and what is too much. Gives how many the latter are.
    pub(crate) fn leave_to_another(&self, has_told: impl Fn(u64, u64) -> bool) -> usize {
        let mut state = self.0.lock();
        let waits = |kept: &Kept| !has_told(kept.heard_ms, kept.since_ms);
        state.kept.retain(waits);
        let mut room = MAX_LEAVES;
        let mut dropped = 0;
        for kept in &mut state.kept {
            let fit = room.min(kept.leaves.len());
            dropped += kept.leaves.len() - fit;
            kept.leaves.truncate(fit);
            room -= fit;
        }
        state.kept.retain(|kept| !kept.leaves.is_empty());
        dropped
    }

    /// A node is heard. Whether it had been given up, and backends were told by this gateway.
    pub(crate) fn is_back(&self, node: &str) -> bool {
        let mut state = self.0.lock();
        if state.kept.is_empty() && state.given_up.is_empty() {
            return false;
        }
        state.kept.retain(|kept| kept.node != node);
        let before = state.given_up.len();
        state.given_up.retain(|gone| gone != node);
        state.given_up.len() < before
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tidegate_protocol::Topic;

    use super::*;
    use crate::membership::Change;

    fn leaves(count: usize) -> Vec<Lifecycle> {
        let one = Lifecycle {
            topic: Topic::new("room").unwrap(),
            change: Change::Leave,
            user: "ann".to_owned(),
            connection: "c".to_owned(),
        };
        vec![one; count]
    }

    #[test]
    fn what_another_has_told_is_forgotten_and_the_rest_waits() {
        let untold = Untold::default();
        untold.keep("a".to_owned(), 1, 1_000, leaves(1));
        untold.keep("b".to_owned(), 2, 2_000, leaves(2));
        untold.keep("c".to_owned(), 3, 3_000, leaves(3));
        assert_eq!(untold.leave_to_another(|_, since| since < 2_000), 0);
        assert_eq!(untold.take(|heard| heard == 2).len(), 2);
        assert!(untold.take(|heard| heard == 2).is_empty());
        assert_eq!(untold.leave_to_another(|heard, _| heard == 3), 0);
        assert!(untold.take(|_| true).is_empty());
        assert!(!untold.is_back("a") && untold.is_back("b") && !untold.is_back("b"));
    }

    #[test]
    fn who_comes_back_before_anybody_told_was_never_gone() {
        let untold = Untold::default();
        untold.keep("a".to_owned(), 1, 1_000, leaves(1));
        assert!(!untold.is_back("a"));
        assert!(untold.take(|_| true).is_empty());
    }

    #[test]
    fn there_is_room_for_so_many_leaves() {
        let untold = Untold::default();
        untold.keep("a".to_owned(), 0, 0, leaves(MAX_LEAVES - 1));
        untold.keep("b".to_owned(), 0, 0, leaves(3));
        untold.keep("c".to_owned(), 0, 0, leaves(1));
        assert_eq!(untold.leave_to_another(|_, _| false), 3);
        assert_eq!(untold.take(|_| true).len(), MAX_LEAVES);
        for n in 0..=MAX_GIVEN_UP {
            untold.keep(n.to_string(), 0, 0, leaves(1));
        }
        untold.take(|_| true);
        assert!(!untold.is_back("0") && untold.is_back("1"));
    }
}
