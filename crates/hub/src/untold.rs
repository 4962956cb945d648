//! Members of gateways that fell silent, until backends have been told that they left.
//!
//! Of the gateways that are left, the one with the smallest name tells. It may be dead as well and
//! not known to be yet, so the others keep what is to be told until they have heard it again, or
//! one of them is the smallest. A gateway that comes back finds that it was given up: backends
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
    since_ms: u64,
    leaves: Vec<Lifecycle>,
}

impl Untold {
    /// This node is silent, and these were its members.
    pub(crate) fn keep(&self, node: String, since_ms: u64, leaves: Vec<Lifecycle>) {
        if !leaves.is_empty() {
            self.0.lock().kept.push(Kept {
                node,
                since_ms,
                leaves,
            });
        }
    }

    /// Everything that waits, for this gateway tells it now.
    pub(crate) fn take(&self) -> Vec<Lifecycle> {
        let mut state = self.0.lock();
        let mut leaves = Vec::new();
        for kept in std::mem::take(&mut state.kept) {
            leaves.extend(kept.leaves);
            if state.given_up.len() == MAX_GIVEN_UP {
                state.given_up.pop_front();
            }
            state.given_up.push_back(kept.node);
        }
        leaves
    }

    /// Somebody else tells: forgets what that one has told by now, and what is too much. Gives how
    /// many the latter are.
    pub(crate) fn leave_to_another(&self, has_told: impl Fn(u64) -> bool) -> usize {
        let mut state = self.0.lock();
        state.kept.retain(|kept| !has_told(kept.since_ms));
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
        untold.keep("a".to_owned(), 1_000, leaves(1));
        untold.keep("b".to_owned(), 2_000, leaves(2));
        assert_eq!(untold.leave_to_another(|since| since < 2_000), 0);
        assert_eq!(untold.take().len(), 2);
        assert!(untold.take().is_empty());
        assert!(!untold.is_back("a") && untold.is_back("b") && !untold.is_back("b"));
    }

    #[test]
    fn who_comes_back_before_anybody_told_was_never_gone() {
        let untold = Untold::default();
        untold.keep("a".to_owned(), 1_000, leaves(1));
        assert!(!untold.is_back("a"));
        assert!(untold.take().is_empty());
    }

    #[test]
    fn there_is_room_for_so_many_leaves() {
        let untold = Untold::default();
        untold.keep("a".to_owned(), 0, leaves(MAX_LEAVES - 1));
        untold.keep("b".to_owned(), 0, leaves(3));
        untold.keep("c".to_owned(), 0, leaves(1));
        assert_eq!(untold.leave_to_another(|_| false), 3);
        assert_eq!(untold.take().len(), MAX_LEAVES);
        for n in 0..=MAX_GIVEN_UP {
            untold.keep(n.to_string(), 0, leaves(1));
        }
        untold.take();
        assert!(!untold.is_back("0") && untold.is_back("1"));
    }
}
