//! Pushes that are paid for before they are made.
//!
//! All connections of an address share one counter, and a busy server's cores would fight for it at
//! each push. So a connection that pushes often takes several at once and spends them by itself: a
//! push costs a decrement then. One that does not push often takes them one by one, and nobody takes
//! more than are left: the limit is exact.

use std::num::NonZeroU32;

use super::Limit;
use super::cells::Cell;

/// The most that is taken at once.
const MOST: u32 = 64;
/// Who comes back for more within so many milliseconds gets twice as much.
const SOON_MS: u64 = 100;

/// What one connection has taken of a limit.
#[derive(Debug)]
pub(crate) struct Lease {
    cell: Cell,
    paid: u32,
    size: u32,
    taken_at: u64,
}

impl Lease {
    pub(super) fn new(cell: Cell) -> Self {
        Self {
            cell,
            paid: 0,
            size: 1,
            taken_at: 0,
        }
    }

    /// Counts one push of the limit that the lease is of; `false` when it is reached.
    #[inline]
    pub(crate) fn take(&mut self, limit: &Limit, now_ms: u64) -> bool {
        if self.paid > 0 {
            self.paid -= 1;
            return true;
        }
        self.take_more(limit, now_ms)
    }

    fn take_more(&mut self, limit: &Limit, now_ms: u64) -> bool {
        let soon = now_ms.saturating_sub(self.taken_at) < SOON_MS;
        self.taken_at = now_ms;
        self.size = if soon { (self.size * 2).min(MOST) } else { 1 };
        let many = NonZeroU32::new(self.size).unwrap_or(NonZeroU32::MIN);
        if limit.take_many(&self.cell, many) {
            self.paid = many.get() - 1;
            return true;
        }
        self.size = 1;
        let one = limit.take_many(&self.cell, NonZeroU32::MIN);
        if !one {
            limit.refused.add(1);
        }
        one
    }

    /// Whether both count with the same cell.
    pub(crate) fn is_of(&self, other: &Lease) -> bool {
        self.cell == other.cell
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::limits::{Limits, RateLimits};

    fn limits(pushes: u32) -> Limits {
        Limits::new(RateLimits {
            window: Duration::from_secs(3600),
            requests_per_address: 0,
            requests_per_principal: 0,
            pushes_per_address: pushes,
            pushes_per_principal: 0,
            keys: 1_000,
        })
    }

    /// P14: what is taken at once changes nothing about how much there is.
    #[test]
    fn connections_of_one_address_share_exactly_so_many() {
        for allowed in [1, 2, 3, 5, 64, 100, 1_000] {
            let limits = limits(allowed);
            let mut leases: Vec<_> = (0..3)
                .map(|_| limits.pushes_from([192, 0, 2, 1].into()).unwrap())
                .collect();
            let mut passed = 0;
            for n in 0..10_000_u64 {
                for lease in &mut leases {
                    passed += u32::from(lease.take(&limits.pushes_by_address, n));
                }
            }
            assert_eq!(passed, allowed);
            assert!(limits.pushes_by_address.refused.get() > 0);
        }
    }

    /// Who pushes now and then holds nothing that others could use.
    #[test]
    fn a_slow_one_takes_them_one_by_one() {
        let limits = limits(10);
        let mut lease = limits.pushes_from([192, 0, 2, 1].into()).unwrap();
        for n in 1..=10 {
            assert!(lease.take(&limits.pushes_by_address, n * 1_000));
            assert_eq!(lease.paid, 0);
        }
        assert!(!lease.take(&limits.pushes_by_address, 20_000));
    }

    /// What a push costs, for docs/PERFORMANCE.md: `cargo test --release -- --ignored lease`.
    #[test]
    #[ignore = "measures"]
    fn what_a_push_costs() {
        const PUSHES: u32 = 10_000_000;
        let limits = limits(u32::MAX);
        let mut lease = limits.pushes_from([192, 0, 2, 1].into()).unwrap();
        let began = Instant::now();
        let mut passed = 0;
        for n in 0..PUSHES {
            passed += u32::from(lease.take(&limits.pushes_by_address, u64::from(n / 100)));
        }
        let each = began.elapsed().as_nanos() as f64 / f64::from(PUSHES);
        assert_eq!(passed, PUSHES);
        assert!(each < 100.0, "{each} ns");
        std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("{each:.2} ns a push\n").as_bytes(),
        )
        .unwrap();
    }
}
