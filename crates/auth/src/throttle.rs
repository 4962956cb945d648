//! Slowing down whoever guesses passwords.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Tries that cost nothing: people mistype.
const FREE_TRIES: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// After this long without a try an address starts afresh.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
/// Addresses remembered; beyond that the oldest is forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Failed tries per address.
#[derive(Debug, Default)]
pub struct Throttle {
    failed: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn wait(self) -> Duration {
        let over = self.count.saturating_sub(FREE_TRIES);
        if over == 0 {
            return Duration::ZERO;
        }
        Duration::from_secs(1 << over.saturating_sub(1).min(6)).min(LONGEST_WAIT)
    }
}

/// Whoever has an address of IPv6 has a whole network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

impl Throttle {
    /// How long this address must still wait before its next try counts as one.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let failures = *self.failed.lock().get(&network(address))?;
        let left = failures
            .wait()
            .checked_sub(now.saturating_duration_since(failures.last))?;
        (left > Duration::ZERO).then_some(left)
    }

    /// Remembers a failed try.
    pub fn failed(&self, address: IpAddr, now: Instant) {
        let address = network(address);
        let mut failed = self.failed.lock();
        failed.retain(|_, f| now.saturating_duration_since(f.last) < FORGET_AFTER);
        if failed.len() >= MAX_ADDRESSES
            && !failed.contains_key(&address)
            && let Some(oldest) = failed.iter().min_by_key(|(_, f)| f.last).map(|(a, _)| *a)
        {
            failed.remove(&oldest);
        }
        let failures = failed.entry(address).or_insert(Failures {
            count: 0,
            last: now,
        });
        failures.count += 1;
        failures.last = now;
    }

    /// Forgets the failed tries of this address.
    pub fn succeeded(&self, address: IpAddr) {
        self.failed.lock().remove(&network(address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_after_the_free_tries_and_end_with_a_success() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let address = IpAddr::from([192, 0, 2, 1]);
        let waits: Vec<_> = (0..11)
            .map(|_| {
                throttle.failed(address, start);
                throttle.wait(address, start).map_or(0, |w| w.as_secs())
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(throttle.wait(address, start + LONGEST_WAIT), None);
        assert_eq!(throttle.wait(IpAddr::from([192, 0, 2, 2]), start), None);
        throttle.succeeded(address);
        assert_eq!(throttle.wait(address, start), None);
    }

    #[test]
    fn a_network_of_ipv6_is_one_guesser() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for n in 1..=5 {
            throttle.failed(address(&format!("2001:db8::{n}")), start);
        }
        assert!(throttle.wait(address("2001:db8::ffff"), start).is_some());
        assert_eq!(throttle.wait(address("2001:db8:0:1::1"), start), None);
    }

    #[test]
    fn the_memory_is_bounded() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for n in 0..10_050_u32 {
            let address = IpAddr::from(n.to_be_bytes());
            throttle.failed.lock().insert(
                address,
                Failures {
                    count: 1,
                    last: start,
                },
            );
            if n >= 10_000 {
                throttle.failed(IpAddr::from([10, 0, (n >> 8) as u8, n as u8]), start);
            }
        }
        throttle.failed(IpAddr::from([192, 0, 2, 9]), start + FORGET_AFTER);
        assert_eq!(throttle.failed.lock().len(), 1);
    }
}
