//! How long things took, in fixed buckets.
//!
//! Whoever measures adds one to a bucket and its time to a sum: two relaxed additions, no lock, no
//! allocation. The buckets follow 1, 2, 5 from ten microseconds to ten seconds, so that a quantile
//! that is read off them is known to within a factor of about two, and the same everywhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the buckets, in microseconds; above the last one there is one bucket more.
pub const BOUNDS_US: [u64; 19] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000,
    500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000,
];

const BUCKETS: usize = BOUNDS_US.len() + 1;

/// Counts durations.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

/// What a [`Histogram`] held at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many were in each bucket: not those of the buckets before it.
    pub buckets: [u64; BUCKETS],
    /// All of them together, in nanoseconds.
    pub sum_ns: u64,
}

impl Histogram {
    /// Counts one.
    pub fn observe(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| bound.saturating_mul(1000) < ns);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// Reads it. What is counted meanwhile may be in the buckets and not yet in the sum.
    pub fn read(&self) -> Durations {
        Durations {
            buckets: std::array::from_fn(|n| self.buckets[n].load(Ordering::Relaxed)),
            sum_ns: self.sum_ns.load(Ordering::Relaxed),
        }
    }
}

impl Durations {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Those that came after an earlier reading of the same histogram.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            buckets: std::array::from_fn(|n| self.buckets[n].saturating_sub(before.buckets[n])),
            sum_ns: self.sum_ns.saturating_sub(before.sum_ns),
        }
    }

    /// The time within which this share of them (0 to 1) ended, in microseconds: as if they lay
    /// evenly in their bucket, and never more than the last bound. `None` without any.
    pub fn quantile_us(&self, share: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let wanted = (count as f64 * share.clamp(0.0, 1.0)).max(1.0);
        let mut below = 0;
        for (at, &here) in self.buckets.iter().enumerate() {
            if here > 0 && (below + here) as f64 >= wanted {
                let low = at.checked_sub(1).map_or(0, |at| BOUNDS_US[at]);
                let high = BOUNDS_US.get(at).copied().unwrap_or(low);
                let part = (wanted - below as f64) / here as f64;
                return Some(low + ((high - low) as f64 * part) as u64);
            }
            below += here;
        }
        BOUNDS_US.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        let histogram = Histogram::default();
        for us in [0, 10, 11, 10_000_000, 10_000_001] {
            histogram.observe(Duration::from_micros(us));
        }
        let read = histogram.read();
        assert_eq!((read.buckets[0], read.buckets[1]), (2, 1));
        assert_eq!(
            (read.buckets[BUCKETS - 2], read.buckets[BUCKETS - 1]),
            (1, 1)
        );
        assert_eq!(read.count(), 5);
        assert_eq!(read.sum_ns, 20_000_022_000);
    }

    #[test]
    fn quantiles_lie_in_their_bucket() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().quantile_us(0.5), None);
        for _ in 0..99 {
            histogram.observe(Duration::from_micros(150));
        }
        let before = histogram.read();
        histogram.observe(Duration::from_millis(30));
        let all = histogram.read();
        let median = all.quantile_us(0.5).unwrap();
        assert!((100..=200).contains(&median), "{median}");
        let highest = all.quantile_us(1.0).unwrap();
        assert!((20_000..=50_000).contains(&highest), "{highest}");
        // Only what came since.
        let since = all.since(&before);
        assert_eq!(since.count(), 1);
        assert!(since.quantile_us(0.5).unwrap() > 20_000);
        histogram.observe(Duration::from_secs(100));
        assert_eq!(histogram.read().quantile_us(1.0), BOUNDS_US.last().copied());
    }
}
