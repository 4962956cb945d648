//! What a rate limiter remembers of each address and each principal, within a bound.
//!
//! There are two generations. A cell that is used moves into the young one; when a window has
//! passed, the old one is dropped and the young one becomes old. What is dropped so has not been used
//! for a whole window and would be full again: nothing is lost. When half of the bound is reached
//! sooner, as under a flood of addresses, the generations change at once: who was forgotten that way
//! starts afresh, which is counted. Either way each key costs the same, however many there are.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, Reference as _};
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use parking_lot::Mutex;
use tidegate_hub::Counter;

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    V4(u32),
    /// The network of 64 bits that one customer has at least.
    V6(u64),
    /// The hash of a name, under a random key.
    Principal(u64),
}

/// The state of one of them: when its next request would be on time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell(Arc<InMemoryState>);

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cell {}

impl Hash for Cell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl Cell {
    /// Whether a socket counts with it as well.
    fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// Tells governor that a cell is its own key: it was looked up before.
#[derive(Debug)]
pub(super) struct ByCell;

impl StateStore for ByCell {
    type Key = Cell;

    fn measure_and_replace<T, F, E>(&self, cell: &Cell, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        cell.0.measure_and_replace(&NotKeyed::NonKey, measure)
    }
}

/// The time of the kernel's last tick, a few milliseconds old: it costs a read of memory, where the
/// exact one costs ten times that.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CoarseClock;

impl Clock for CoarseClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
        let since_start = Duration::try_from(now).unwrap_or_default();
        u64::try_from(since_start.as_nanos())
            .unwrap_or(u64::MAX)
            .into()
    }
}

/// The cells of one limiter.
#[derive(Debug)]
pub(super) struct Cells {
    most: usize,
    window: Nanos,
    generations: Mutex<Generations>,
    /// Keys that were forgotten before their window was over.
    pub(super) forgotten: Counter,
}

#[derive(Debug)]
struct Generations {
    young: HashMap<Key, Cell>,
    old: HashMap<Key, Cell>,
    since: Nanos,
}

impl Generations {
    /// Drops the old generation, but for some of what sockets count with: who comes back to such a
    /// cell must find it.
    fn turn(&mut self, now: Nanos, most: usize) {
        let old = std::mem::take(&mut self.old);
        self.old = std::mem::take(&mut self.young);
        let held = old.into_iter().filter(|(_, cell)| cell.is_held());
        self.young.extend(held.take(most / 4));
        self.since = now;
    }
}

impl Cells {
    pub(super) fn new(most: usize, window: Duration, now: Nanos) -> Self {
        Self {
            most,
            window: window.into(),
            generations: Mutex::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
                since: now,
            }),
            forgotten: Counter::default(),
        }
    }

    /// The cell of this key.
    pub(super) fn get(&self, key: Key, now: Nanos) -> Cell {
        let mut generations = self.generations.lock();
        self.age(&mut generations, now);
        if let Some(cell) = generations.young.get(&key) {
            return cell.clone();
        }
        let cell = generations.old.remove(&key).unwrap_or_default();
        if generations.young.len() >= (self.most / 2).max(1) {
            self.forgotten.add(generations.old.len());
            generations.turn(now, self.most);
        }
        generations.young.insert(key, cell.clone());
        cell
    }

    /// Lets go of what was not used for a window, although nobody asks.
    pub(super) fn sweep(&self, now: Nanos) {
        self.age(&mut self.generations.lock(), now);
    }

    fn age(&self, generations: &mut Generations, now: Nanos) {
        if now.duration_since(generations.since) >= self.window {
            generations.turn(now, self.most);
        }
    }

    /// How many keys are remembered.
    pub(super) fn count(&self) -> usize {
        let generations = self.generations.lock();
        generations.young.len() + generations.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);

    fn seconds(n: u64) -> Nanos {
        Duration::from_secs(n).into()
    }

    /// P14: a flood of addresses takes no more memory than the bound; who is known stays known while
    /// it comes, and what nobody uses goes.
    #[test]
    fn a_flood_of_addresses_is_bounded_and_passes() {
        let cells = Cells::new(1_000, WINDOW, seconds(0));
        let known = cells.get(Key::V6(1), seconds(0));
        for n in 0..100_000 {
            cells.get(Key::V4(n), seconds(1));
            assert!(cells.count() <= 1_000, "{n}");
            if n % 400 == 0 {
                assert_eq!(cells.get(Key::V6(1), seconds(1)), known);
            }
        }
        assert!(cells.forgotten.get() > 90_000);
        drop(known);
        cells.sweep(seconds(11));
        cells.sweep(seconds(21));
        cells.sweep(seconds(31));
        assert_eq!(cells.count(), 0);
    }

    #[test]
    fn a_cell_outlives_a_window_in_which_it_was_used_and_no_more() {
        let cells = Cells::new(1_000, WINDOW, seconds(0));
        let first = Arc::downgrade(&cells.get(Key::V4(1), seconds(9)).0);
        let again = |at| Arc::ptr_eq(&cells.get(Key::V4(1), at).0, &first.upgrade().unwrap());
        assert!(again(seconds(10)), "used a second ago");
        assert!(again(seconds(20)));
        assert!(first.upgrade().is_some());
        cells.get(Key::V4(2), seconds(30));
        cells.get(Key::V4(2), seconds(40));
        assert!(first.upgrade().is_none(), "not used since 20");
        assert_eq!(cells.forgotten.get(), 0);
    }

    #[test]
    fn what_a_socket_holds_is_found_again() {
        let cells = Cells::new(1_000, WINDOW, seconds(0));
        let held = cells.get(Key::Principal(7), seconds(0));
        for window in 1..10 {
            cells.sweep(seconds(10 * window));
        }
        assert_eq!(cells.get(Key::Principal(7), seconds(100)), held);
    }
}
