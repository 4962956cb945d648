//! A token bucket: so many in so many seconds, all of which may come at once.

/// Counts what one principal may do. Not shared: its owner holds it by value.
#[derive(Debug, Clone)]
pub struct Bucket {
    many: u32,
    seconds: u32,
    /// One thing is `seconds * 1000` of these, and a millisecond brings `many` of them: slow refills
    /// are not lost to rounding.
    level: u64,
    last_ms: u64,
}

impl Bucket {
    /// So many in each second. Full at first; 0 means no limit.
    pub fn new(per_second: u32, now_ms: u64) -> Self {
        Self::every(per_second, 1, now_ms)
    }

    /// So many in so many seconds. Full at first; no limit where either is 0.
    pub fn every(many: u32, seconds: u32, now_ms: u64) -> Self {
        let mut bucket = Self {
            many,
            seconds,
            level: 0,
            last_ms: now_ms,
        };
        bucket.level = bucket.full();
        bucket
    }

    /// Whether it counts so many in so many seconds.
    pub fn is_for(&self, many: u32, seconds: u32) -> bool {
        (self.many, self.seconds) == (many, seconds)
    }

    /// Whether nothing is missing from it: it counts as a new one would.
    pub fn is_full(&self, now_ms: u64) -> bool {
        self.level_at(now_ms) == self.full()
    }

    /// Takes one, or says that there is none left.
    pub fn take(&mut self, now_ms: u64) -> bool {
        let one = u64::from(self.seconds) * 1000;
        if self.many == 0 || one == 0 {
            return true;
        }
        self.level = self.level_at(now_ms);
        self.last_ms = now_ms;
        if self.level < one {
            return false;
        }
        self.level -= one;
        true
    }

    fn full(&self) -> u64 {
        u64::from(self.many) * u64::from(self.seconds) * 1000
    }

    fn level_at(&self, now_ms: u64) -> u64 {
        let elapsed = now_ms.saturating_sub(self.last_ms);
        let refill = elapsed.saturating_mul(u64::from(self.many));
        self.level.saturating_add(refill).min(self.full())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(10, 0);
        assert_eq!((0..20).filter(|_| bucket.take(0)).count(), 10);
        assert!(!bucket.take(99) && bucket.take(100) && !bucket.take(100));
        assert_eq!((0..20).filter(|_| bucket.take(10_000)).count(), 10);
    }

    #[test]
    fn zero_is_no_limit() {
        let mut bucket = Bucket::new(0, 0);
        assert!((0..1000).all(|_| bucket.take(0)));
    }

    #[test]
    fn a_slow_rate_is_kept_to_the_millisecond() {
        let mut bucket = Bucket::every(3, 60, 0);
        assert_eq!((0..9).filter(|_| bucket.take(0)).count(), 3);
        assert!(!bucket.take(19_999) && bucket.take(20_000) && !bucket.take(20_000));
        assert!(!bucket.is_full(79_999) && bucket.is_full(80_000));
        assert!(bucket.is_for(3, 60) && !bucket.is_for(60, 3));
        // As large as a definition may make it.
        let mut largest = Bucket::every(100_000, 3_600, 0);
        assert!((0..100_000).all(|_| largest.take(u64::MAX)) && !largest.take(u64::MAX));
    }
}
