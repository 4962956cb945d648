//! How many requests and pushes an address and a principal may make (requirement P14).
//!
//! Each limit is so many in a window of `--rate-window-seconds`, counted by governor's GCRA: all of
//! them at once, and then one for each part of the window that passes. An IPv6 address counts as its
//! network of 64 bits.

mod cells;
mod lease;

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};
use tidegate_hub::Counter;

pub(crate) use cells::Key;
use cells::{ByCell, Cell, Cells, CoarseClock};
pub(crate) use lease::Lease;

use crate::gateway::Gateway;

/// What the operator allows; 0 is no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimits {
    pub(crate) window: Duration,
    pub(crate) requests_per_address: u32,
    pub(crate) requests_per_principal: u32,
    pub(crate) pushes_per_address: u32,
    pub(crate) pushes_per_principal: u32,
    /// Keys that each limit remembers.
    pub(crate) keys: usize,
}

/// The limits of a running gateway.
pub(crate) struct Limits {
    pub(crate) requests_by_address: Limit,
    pub(crate) requests_by_principal: Limit,
    pub(crate) pushes_by_address: Limit,
    pub(crate) pushes_by_principal: Limit,
    window: Duration,
    hasher: RandomState,
}

/// One of them.
pub(crate) struct Limit {
    /// Its name in metrics.
    pub(crate) metric: &'static str,
    /// Its name in the fields of an answer.
    pub(crate) policy: &'static str,
    allowed: u32,
    window: Duration,
    governor: Option<RateLimiter<Cell, ByCell, CoarseClock, StateInformationMiddleware>>,
    cells: Cells,
    /// How often it was reached.
    pub(crate) refused: Counter,
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// Requests that are allowed at once.
    pub(crate) remaining: u32,
    /// After how long there will be more: all of them, or the first one where none is left.
    pub(crate) after: Duration,
}

impl Limit {
    fn new(metric: &'static str, policy: &'static str, allowed: u32, limits: &RateLimits) -> Self {
        let quota = NonZeroU32::new(allowed).and_then(|allowed| {
            let each = limits.window / allowed.get();
            Some(Quota::with_period(each)?.allow_burst(allowed))
        });
        Self {
            metric,
            policy,
            allowed,
            window: limits.window,
            governor: quota.map(|quota| RateLimiter::new(quota, ByCell, CoarseClock)),
            cells: Cells::new(limits.keys, limits.window, CoarseClock.now()),
            refused: Counter::default(),
        }
    }

    /// Counts one request: what is left, or how long to wait. Nothing where there is no limit.
    fn take(&self, key: Key) -> Option<Result<Left, Left>> {
        let governor = self.governor.as_ref()?;
        let cell = self.cells.get(key, CoarseClock.now());
        Some(match governor.check_key(&cell) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.allowed.saturating_sub(remaining);
                Ok(Left {
                    remaining,
                    after: state.quota().replenish_interval() * used,
                })
            }
            Err(until) => {
                self.refused.add(1);
                Err(Left {
                    remaining: 0,
                    after: until.wait_time_from(CoarseClock.now()),
                })
            }
        })
    }

    /// A cell to count pushes with; nothing where there is no limit.
    fn lease(&self, key: Key) -> Option<Lease> {
        self.governor.as_ref()?;
        Some(Lease::new(self.cells.get(key, CoarseClock.now())))
    }

    /// Takes `n` at once, or none of them.
    fn take_many(&self, cell: &Cell, n: NonZeroU32) -> bool {
        match &self.governor {
            Some(governor) => matches!(governor.check_key_n(cell, n), Ok(Ok(_))),
            None => true,
        }
    }

    /// `"address";q=100;w=10`, as draft-ietf-httpapi-ratelimit-headers has it.
    pub(crate) fn policy_field(&self) -> String {
        let (policy, allowed) = (self.policy, self.allowed);
        format!("\"{policy}\";q={allowed};w={}", self.window.as_secs())
    }

    /// Keys that are remembered.
    pub(crate) fn keys(&self) -> usize {
        self.cells.count()
    }

    /// Keys that were forgotten too early.
    pub(crate) fn forgotten(&self) -> u64 {
        self.cells.forgotten.get()
    }
}

impl Left {
    /// `"address";r=10;t=3`.
    pub(crate) fn field(self, policy: &str) -> String {
        format!("\"{policy}\";r={};t={}", self.remaining, self.seconds())
    }

    /// The time in whole seconds, at least one where there is anything to wait for.
    pub(crate) fn seconds(self) -> u64 {
        self.after.as_secs() + u64::from(self.after.subsec_nanos() > 0)
    }
}

impl Limits {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let (address, principal) = ("address", "principal");
        Self {
            requests_by_address: Limit::new(
                "requests_per_address",
                address,
                limits.requests_per_address,
                &limits,
            ),
            requests_by_principal: Limit::new(
                "requests_per_principal",
                principal,
                limits.requests_per_principal,
                &limits,
            ),
            pushes_by_address: Limit::new(
                "pushes_per_address",
                address,
                limits.pushes_per_address,
                &limits,
            ),
            pushes_by_principal: Limit::new(
                "pushes_per_principal",
                principal,
                limits.pushes_per_principal,
                &limits,
            ),
            window: limits.window,
            hasher: RandomState::new(),
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> [&Limit; 4] {
        [
            &self.requests_by_address,
            &self.requests_by_principal,
            &self.pushes_by_address,
            &self.pushes_by_principal,
        ]
    }

    fn principal(&self, name: &str) -> Key {
        Key::Principal(self.hasher.hash_one(name))
    }

    /// Counts a request of an address.
    pub(crate) fn request_from(&self, address: IpAddr) -> Option<Result<Left, Left>> {
        self.requests_by_address.take(key(address))
    }

    /// Counts a request of a principal.
    pub(crate) fn request_of(&self, principal: &str) -> Option<Result<Left, Left>> {
        self.requests_by_principal.take(self.principal(principal))
    }

    /// To count the pushes of a connection with.
    pub(crate) fn pushes_from(&self, address: IpAddr) -> Option<Lease> {
        self.pushes_by_address.lease(key(address))
    }

    /// To count the pushes of a user with.
    pub(crate) fn pushes_of(&self, user: &str) -> Option<Lease> {
        self.pushes_by_principal.lease(self.principal(user))
    }
}

/// An address as limits know it.
pub(crate) fn key(address: IpAddr) -> Key {
    match address.to_canonical() {
        IpAddr::V4(v4) => Key::V4(v4.to_bits()),
        // The upper half.
        IpAddr::V6(v6) => Key::V6((v6.to_bits() >> 64) as u64),
    }
}

/// Forgets who does not come back, for ever.
pub(crate) async fn run(gateway: Arc<Gateway>) {
    let mut ticks = crate::system::ticks(gateway.limits.window);
    loop {
        ticks.tick().await;
        let now: Nanos = CoarseClock.now();
        for limit in gateway.limits.all() {
            limit.cells.sweep(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(requests: u32, pushes: u32) -> Limits {
        Limits::new(RateLimits {
            window: Duration::from_secs(3600),
            requests_per_address: requests,
            requests_per_principal: requests,
            pushes_per_address: pushes,
            pushes_per_principal: pushes,
            keys: 1_000,
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// P14: the (n+1)th is refused and told how long to wait; others are not.
    #[test]
    fn so_many_and_no_more() {
        let limits = limits(3, 0);
        let from = address("192.0.2.1");
        let left: Vec<_> = (0..3)
            .map(|_| limits.request_from(from).unwrap().unwrap().remaining)
            .collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = limits.request_from(from).unwrap().unwrap_err();
        assert!((1195..=1200).contains(&refused.seconds()), "{refused:?}");
        assert_eq!(limits.requests_by_address.refused.get(), 1);
        assert!(limits.request_from(address("192.0.2.2")).unwrap().is_ok());
        assert!(limits.request_of("user:alice").unwrap().is_ok());
        assert_eq!(
            limits.requests_by_address.policy_field(),
            "\"address\";q=3;w=3600"
        );
        assert_eq!(
            refused.field("address").split(";t=").next(),
            Some("\"address\";r=0")
        );
    }

    /// A customer of IPv6 has a network, and IPv4 in IPv6 is IPv4.
    #[test]
    fn ipv6_counts_by_network() {
        assert_eq!(
            key(address("2001:db8::1")),
            key(address("2001:db8::ffff:1"))
        );
        assert_ne!(key(address("2001:db8::1")), key(address("2001:db8:0:1::1")));
        assert_eq!(key(address("::ffff:192.0.2.1")), key(address("192.0.2.1")));
    }

    #[test]
    fn zero_is_no_limit() {
        let limits = limits(0, 0);
        assert_eq!(limits.request_from(address("192.0.2.1")), None);
        assert!(limits.pushes_from(address("192.0.2.1")).is_none());
        assert_eq!(limits.requests_by_address.keys(), 0);
    }
}
