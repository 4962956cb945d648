//! Bytes per second from a counter that only grows.

use std::time::Instant;

/// What a counter was, and when.
#[derive(Debug, Default)]
pub(crate) struct Rate(Option<(Instant, u64)>);

impl Rate {
    /// The mean rate since the last call, per second, rounded. Zero at the first call, and when
    /// the counter went back: an interface or a disk is gone, or its counter started over.
    pub(crate) fn update(&mut self, now: Instant, total: u64) -> u64 {
        let Some((then, before)) = self.0.replace((now, total)) else {
            return 0;
        };
        let seconds = now.saturating_duration_since(then).as_secs_f64();
        if seconds <= 0.0 {
            return 0;
        }
        // `as` saturates; no counter comes near.
        (total.saturating_sub(before) as f64 / seconds).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The difference over the time, whatever the time; never a jump below zero.
    #[test]
    fn a_rate_is_a_difference_over_time() {
        let start = Instant::now();
        let mut rate = Rate::default();
        assert_eq!(rate.update(start, 1_000_000), 0);
        assert_eq!(
            rate.update(start + Duration::from_millis(500), 1_000_100),
            200
        );
        assert_eq!(
            rate.update(start + Duration::from_millis(2500), 1_001_100),
            500
        );
        assert_eq!(rate.update(start + Duration::from_millis(3500), 7), 0);
        assert_eq!(rate.update(start + Duration::from_millis(3500), 9), 0);
        assert_eq!(rate.update(start + Duration::from_millis(4500), 10), 1);
    }
}
