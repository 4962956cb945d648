//! Slowing down whoever guesses passwords.
//!
//! A failed try counts twice: for the network that it came from, and for the name that was tried from
//! there. Who signs in clears the count of the own name and no other, and the network's count only
//! fades: whoever has an account cannot use it to guess at the accounts of others without waiting.
//! A try counts as failed from the moment it begins, and is taken back when it was good: who hangs up
//! before the answer has tried all the same.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Tries that cost nothing: people mistype.
const FREE_TRIES: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// After this long one failure of a network is forgiven: as long as the longest wait, so that who
/// guesses on and on comes no faster.
const FORGIVE_ONE: Duration = LONGEST_WAIT;
/// After this long without a try a name starts afresh.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
/// Networks remembered, and as many names; beyond that the oldest is forgotten.
const MOST: usize = 10_000;

/// Failed tries per network, and per name within one.
#[derive(Debug, Default)]
pub struct Throttle {
    counts: Mutex<Counts>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Counts {
    networks: HashMap<IpAddr, Failures>,
    /// By the hash of the name: however long it is, it takes no more room.
    names: HashMap<(IpAddr, u64), Failures>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
    /// Up to when failures were forgiven.
    forgiven: Instant,
}

/// A try that counts as failed, unless it is given back to [`Throttle::succeeded`].
#[derive(Debug)]
#[must_use = "what came of it has to be told"]
pub struct Try {
    network: IpAddr,
    name: u64,
    at: Instant,
    /// The last failure of the network before it.
    before: Option<Instant>,
}

impl Failures {
    fn none(now: Instant) -> Self {
        Self {
            count: 0,
            last: now,
            forgiven: now,
        }
    }

    /// How long to wait after the last one.
    fn wait(self) -> Duration {
        let over = self.count.saturating_sub(FREE_TRIES);
        if over == 0 {
            return Duration::ZERO;
        }
        Duration::from_secs(1 << over.saturating_sub(1).min(6)).min(LONGEST_WAIT)
    }

    fn left(self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.last);
        self.wait().saturating_sub(passed)
    }

    /// As it is by now, with what was forgiven meanwhile.
    fn faded(mut self, now: Instant) -> Self {
        let since = now.saturating_duration_since(self.forgiven);
        let times = u32::try_from(since.as_secs() / FORGIVE_ONE.as_secs()).unwrap_or(u32::MAX);
        if times >= self.count {
            self.count = 0;
            self.forgiven = now;
        } else {
            self.count -= times;
            self.forgiven += FORGIVE_ONE * times;
        }
        self
    }

    fn add(&mut self, now: Instant) {
        self.count = self.count.saturating_add(1);
        self.last = now;
    }
}

/// Whoever has an address of IPv6 has a whole network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

/// The entry of this key; where there are too many the oldest one makes room.
fn entry<K: Copy + Eq + Hash>(
    of: &mut HashMap<K, Failures>,
    key: K,
    now: Instant,
) -> &mut Failures {
    if of.len() >= MOST
        && !of.contains_key(&key)
        && let Some(oldest) = of.iter().min_by_key(|(_, f)| f.last).map(|(k, _)| *k)
    {
        of.remove(&oldest);
    }
    of.entry(key).or_insert_with(|| Failures::none(now))
}

impl Throttle {
    /// Begins a try from this address at this name; or says how long it must wait before it may.
    pub fn begin(&self, address: IpAddr, name: &str, now: Instant) -> Result<Try, Duration> {
        let (network, name) = (network(address), self.hasher.hash_one(name));
        let mut counts = self.counts.lock();
        let Counts { networks, names } = &mut *counts;
        let of_network = networks.get(&network).map(|failures| failures.faded(now));
        let of_name = names.get(&(network, name)).copied();
        let left = [of_network, of_name]
            .into_iter()
            .flatten()
            .map(|failures| failures.left(now))
            .max()
            .unwrap_or_default();
        if left > Duration::ZERO {
            return Err(left);
        }
        networks.retain(|_, failures| {
            *failures = failures.faded(now);
            failures.count > 0
        });
        names.retain(|_, f| now.saturating_duration_since(f.last) < FORGET_AFTER);
        entry(networks, network, now).add(now);
        entry(names, (network, name), now).add(now);
        Ok(Try {
            network,
            name,
            at: now,
            before: of_network.map(|failures| failures.last),
        })
    }

    /// It failed, and the wait begins now: looking at it may have taken longer than the wait.
    pub fn failed(&self, tried: Try, now: Instant) {
        let mut counts = self.counts.lock();
        let Counts { networks, names } = &mut *counts;
        let network = networks.get_mut(&tried.network);
        let name = names.get_mut(&(tried.network, tried.name));
        for failures in [network, name].into_iter().flatten() {
            failures.last = failures.last.max(now);
        }
    }

    /// It was good: it did not fail, and the earlier failures of its name are forgotten.
    pub fn succeeded(&self, tried: Try) {
        let mut counts = self.counts.lock();
        counts.names.remove(&(tried.network, tried.name));
        let Some(failures) = counts.networks.get_mut(&tried.network) else {
            return;
        };
        failures.count = failures.count.saturating_sub(1);
        // Nor does anybody wait on its account.
        if let Some(before) = tried.before.filter(|_| failures.last == tried.at) {
            failures.last = before;
        }
        if failures.count == 0 {
            counts.networks.remove(&tried.network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How long the next try would have to wait, in seconds. It counts as none.
    fn wait(throttle: &Throttle, from: IpAddr, name: &str, now: Instant) -> u64 {
        match throttle.begin(from, name, now) {
            Err(left) => left.as_secs(),
            Ok(tried) => {
                // Back as it was: only the name starts afresh, which no test goes on with.
                throttle.succeeded(tried);
                0
            }
        }
    }

    #[test]
    fn waits_double_after_the_free_tries() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let here = address("192.0.2.1");
        let mut waits = Vec::new();
        for _ in 0..11 {
            let _failed = throttle.begin(here, "alice", now).unwrap();
            let counts = throttle.counts.lock();
            let left = counts.names.values().map(|f| f.left(now)).sum::<Duration>();
            waits.push(left.as_secs());
            now += left;
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(wait(&throttle, address("192.0.2.2"), "alice", now), 0);
    }

    /// However long it takes to look at a try, who waits for that has not waited for the next one.
    #[test]
    fn the_wait_begins_when_a_try_has_failed() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let here = address("192.0.2.1");
        let later = start + Duration::from_secs(5);
        let tries: Vec<_> = (0..4)
            .map(|_| throttle.begin(here, "alice", start).unwrap())
            .collect();
        for tried in tries {
            throttle.failed(tried, later);
        }
        assert_eq!(wait(&throttle, here, "alice", later), 1);
        assert_eq!(wait(&throttle, here, "bob", later), 1);
    }

    /// Whoever has an account fails at another name, signs in as the own, and begins again: that
    /// other name's count stays, and so does the network's.
    #[test]
    fn a_sign_in_of_ones_own_releases_nothing_else() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let here = address("192.0.2.1");
        let (mut now, mut guesses) = (start, 0);
        while now < start + Duration::from_secs(3600) {
            match throttle.begin(here, "admin", now) {
                Ok(_failed) => guesses += 1,
                Err(_) => now += Duration::from_secs(1),
            }
            if let Ok(own) = throttle.begin(here, "mallory", now) {
                throttle.succeeded(own);
            }
        }
        assert!((60..80).contains(&guesses), "{guesses} guesses in an hour");
    }

    #[test]
    fn a_success_clears_its_own_name_and_costs_nothing() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let here = address("192.0.2.1");
        for _ in 0..3 {
            let _failed = throttle.begin(here, "alice", start).unwrap();
        }
        for _ in 0..20 {
            let good = throttle.begin(here, "alice", start).unwrap();
            throttle.succeeded(good);
        }
        let counts = throttle.counts.lock();
        assert_eq!(counts.networks[&here].count, 3);
        assert!(counts.names.is_empty());
    }

    /// A good try leaves no wait behind which those before it had served already.
    #[test]
    fn nobody_waits_for_a_good_try() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let here = address("192.0.2.1");
        for _ in 0..4 {
            let _failed = throttle.begin(here, "alice", start).unwrap();
        }
        let later = start + Duration::from_secs(2);
        let good = throttle.begin(here, "alice", later).unwrap();
        throttle.succeeded(good);
        assert_eq!(wait(&throttle, here, "bob", later), 0);
    }

    /// The failures of a network fade one by one, whatever is tried in between.
    #[test]
    fn a_network_is_forgiven_one_failure_a_minute() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let here = address("192.0.2.1");
        let count = |now| {
            let good = throttle.begin(here, "carol", now).unwrap();
            throttle.succeeded(good);
            let counts = throttle.counts.lock();
            counts.networks.get(&here).map_or(0, |f| f.count)
        };
        for _ in 0..3 {
            let _failed = throttle.begin(here, "alice", start).unwrap();
        }
        let seconds = |n| start + Duration::from_secs(n);
        assert_eq!(
            [59, 60, 119, 121, 181].map(|n| count(seconds(n))),
            [3, 2, 2, 1, 0]
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_guesser() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for n in 1..=4 {
            let from = address(&format!("2001:db8::{n}"));
            let _failed = throttle.begin(from, &n.to_string(), start).unwrap();
        }
        assert_eq!(wait(&throttle, address("2001:db8::ffff"), "x", start), 1);
        assert_eq!(wait(&throttle, address("2001:db8:0:1::1"), "x", start), 0);
    }

    #[test]
    fn the_memory_is_bounded() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for n in 0..10_010_u32 {
            let from = IpAddr::from(n.to_be_bytes());
            let mut counts = throttle.counts.lock();
            if n < 10_000 {
                counts.networks.insert(
                    from,
                    Failures {
                        count: 1,
                        ..Failures::none(start)
                    },
                );
                let name = throttle.hasher.hash_one("alice");
                counts.names.insert(
                    (from, name),
                    Failures {
                        count: 1,
                        ..Failures::none(start)
                    },
                );
                continue;
            }
            drop(counts);
            let _failed = throttle.begin(from, "alice", start).unwrap();
        }
        let sizes = || {
            let counts = throttle.counts.lock();
            (counts.networks.len(), counts.names.len())
        };
        assert_eq!(sizes(), (MOST, MOST));
        let _failed = throttle
            .begin(address("192.0.2.9"), "alice", start + FORGET_AFTER)
            .unwrap();
        assert_eq!(sizes(), (1, 1));
    }
}
