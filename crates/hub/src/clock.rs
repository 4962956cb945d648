//! The time, as a seam: tests of coalescing and of rates move it by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells milliseconds since 1970.
pub trait Clock: Send + Sync + 'static {
    /// Now, for whoever measures how long something takes: it never jumps.
    fn now_ms(&self) -> u64;

    /// The date, for whoever is shown it: as right as the machine's.
    fn date_ms(&self) -> u64 {
        self.now_ms()
    }
}

/// The machine's clock. Somebody may set it at any time, forwards or back: what is measured goes by
/// the time since this was made instead, or sockets would seem idle and peers dead all at once.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    made: Instant,
    made_ms: u64,
}

impl SystemClock {
    /// Begins with the machine's date.
    pub fn new() -> Self {
        Self::starting_at(date_ms())
    }

    fn starting_at(made_ms: u64) -> Self {
        Self {
            made: Instant::now(),
            made_ms,
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let since = u64::try_from(self.made.elapsed().as_millis());
        self.made_ms.saturating_add(since.unwrap_or(u64::MAX))
    }

    fn date_ms(&self) -> u64 {
        date_ms()
    }
}

fn date_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A clock that stands still until it is moved.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Moves it on by so many milliseconds.
    pub fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 3600 * 1000;

    /// A14: a machine whose clock is set makes nobody idle and no peer dead.
    #[test]
    fn what_is_measured_does_not_follow_a_clock_that_is_set() {
        let real = date_ms();
        // As if the machine's clock had been set by a day since, forwards and back.
        for began in [real - DAY_MS, real + DAY_MS] {
            let clock = SystemClock::starting_at(began);
            assert!((began..began + DAY_MS / 2).contains(&clock.now_ms()));
            assert!((real..real + DAY_MS / 2).contains(&clock.date_ms()));
        }
    }

    #[test]
    fn it_goes_on_from_the_date() {
        let clock = SystemClock::new();
        let first = clock.now_ms();
        while clock.now_ms() == first {
            std::thread::yield_now();
        }
        assert!(clock.now_ms() > first);
        assert!(clock.now_ms().abs_diff(clock.date_ms()) < DAY_MS);
    }
}
