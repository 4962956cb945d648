//! How long to wait before the next attempt: doubling, bounded, and spread so that a hundred
//! plugins do not return at the same instant.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// The first wait, before jitter.
const SHORTEST: Duration = Duration::from_millis(100);

/// The longest wait, before jitter.
pub(crate) const LONGEST: Duration = Duration::from_secs(5);

/// Waits that double from 100 ms to 5 s.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    /// Starts with the shortest wait.
    pub(crate) fn new() -> Self {
        Self(SHORTEST)
    }

    /// The next wait: between one half and the whole of the current step.
    pub(crate) fn next(&mut self) -> Duration {
        let step = self.0;
        self.0 = (step * 2).min(LONGEST);
        // std seeds each RandomState differently: good enough to spread waits.
        let random = RandomState::new().build_hasher().finish();
        step / 2 + (step / 2).mul_f64(random as f64 / u64::MAX as f64)
    }

    /// Back to the shortest wait, once a connection has proved to be worth something.
    pub(crate) fn reset(&mut self) {
        self.0 = SHORTEST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits grow, never beyond the bound, and start over after a reset.
    #[test]
    fn doubles_up_to_the_bound() {
        let mut backoff = Backoff::new();
        let first = backoff.next();
        assert!(first >= SHORTEST / 2 && first <= SHORTEST);
        let last = (0..20).map(|_| backoff.next()).last().unwrap();
        assert!(last >= LONGEST / 2 && last <= LONGEST);
        backoff.reset();
        assert!(backoff.next() <= SHORTEST);
    }
}
