//! How long to wait before trying again: phoenix.js' tables, spread so that a thousand clients of
//! one gateway do not come back in the same instant.

/// Before a reconnect, in milliseconds; the last one holds for ever.
const RECONNECT_MS: [u64; 10] = [10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000];

/// Before joining a channel again, in milliseconds; the last one holds for ever.
const REJOIN_MS: [u64; 4] = [1000, 2000, 5000, 10_000];

/// A small generator (xorshift64*), so that the state machine stays deterministic under test.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        // Zero is the one state the generator cannot leave.
        Self(seed | 1)
    }

    /// `base` times a factor between a half and one and a half.
    fn spread(&mut self, base: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        base / 2 + ((base * random) >> 32)
    }

    /// After how many milliseconds try number `attempt` (from 1) to reconnect begins.
    pub(crate) fn reconnect_ms(&mut self, attempt: u32) -> u64 {
        self.spread(entry(&RECONNECT_MS, attempt))
    }

    /// After how many milliseconds try number `attempt` (from 1) to join again begins.
    pub(crate) fn rejoin_ms(&mut self, attempt: u32) -> u64 {
        self.spread(entry(&REJOIN_MS, attempt))
    }
}

fn entry(table: &[u64], attempt: u32) -> u64 {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    table
        .get(index)
        .or(table.last())
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_follow_the_tables_within_a_half() {
        let mut jitter = Jitter::new(7);
        for (attempt, base) in [(1, 10), (2, 50), (9, 2000), (10, 5000), (1000, 5000)] {
            for _ in 0..100 {
                let delay = jitter.reconnect_ms(attempt);
                assert!(
                    (base / 2..=base * 3 / 2).contains(&delay),
                    "{attempt}: {delay}"
                );
            }
        }
        assert!((500..=1500).contains(&jitter.rejoin_ms(1)));
        assert!((5000..=15_000).contains(&jitter.rejoin_ms(99)));
    }

    #[test]
    fn two_clients_do_not_come_back_together() {
        let (mut one, mut other) = (Jitter::new(1), Jitter::new(0xdead_beef));
        let delays =
            |jitter: &mut Jitter| (0..8).map(|_| jitter.reconnect_ms(10)).collect::<Vec<_>>();
        assert_ne!(delays(&mut one), delays(&mut other));
    }
}
