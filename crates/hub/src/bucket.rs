//! A token bucket: so many per second, with a burst of one second's worth.

/// Counts what one principal may do per second. Not shared: its owner holds it by value.
#[derive(Debug, Clone)]
pub struct Bucket {
    per_second: u32,
    /// In thousandths, so that slow refills are not lost to rounding.
    level: u64,
    last_ms: u64,
}

impl Bucket {
    /// Full at first. `per_second` 0 means no limit.
    pub fn new(per_second: u32, now_ms: u64) -> Self {
        Self {
            per_second,
            level: u64::from(per_second) * 1000,
            last_ms: now_ms,
        }
    }

    /// Takes one, or says that there is none left in this second.
    pub fn take(&mut self, now_ms: u64) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let elapsed = now_ms.saturating_sub(self.last_ms).min(1000);
        self.last_ms = now_ms;
        let full = u64::from(self.per_second) * 1000;
        self.level = (self.level + elapsed * u64::from(self.per_second)).min(full);
        if self.level < 1000 {
            return false;
        }
        self.level -= 1000;
        true
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
}
