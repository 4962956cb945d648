//! The places of HTTP connections: so many in all, and so many of them for one address.
//!
//! When all are taken whoever comes next waits in the system's queue. An address that has its share
//! is turned away at once instead, so that the others need not wait behind it. Who comes by a trusted
//! proxy or by the Unix socket is many: there the number of all places alone holds.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tidegate_hub::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::HttpLimits;
use crate::limits::Key;

/// The places of HTTP connections, and how often their bounds were reached.
pub(crate) struct Places {
    limits: HttpLimits,
    room: Arc<Semaphore>,
    /// How many of them each address has, as far as it has any.
    shares: Mutex<HashMap<Key, usize>>,
    /// Times that all places were taken, so that whoever came next waited.
    pub(crate) full: Counter,
    /// Connections that were turned away because their address had its share.
    pub(crate) beyond_share: Counter,
    /// Connections that were cut because a request's head did not come in time.
    pub(crate) slow_heads: Counter,
    /// Requests that were refused because their body did not come in time.
    pub(crate) slow_bodies: Counter,
    /// Connections that were cut because their client did not read its answer.
    pub(crate) unread: Counter,
    /// Times that no connection could be accepted, for want of file descriptors for instance.
    pub(crate) not_accepted: Counter,
}

impl Places {
    pub(crate) fn new(limits: HttpLimits) -> Self {
        Self {
            limits,
            room: Arc::new(Semaphore::new(limits.connections)),
            shares: Mutex::default(),
            full: Counter::default(),
            beyond_share: Counter::default(),
            slow_heads: Counter::default(),
            slow_bodies: Counter::default(),
            unread: Counter::default(),
            not_accepted: Counter::default(),
        }
    }

    /// The bounds.
    pub(crate) fn limits(&self) -> HttpLimits {
        self.limits
    }

    /// Connections that are no WebSockets (yet).
    pub(crate) fn taken(&self) -> usize {
        let free = self.room.available_permits();
        self.limits.connections.saturating_sub(free)
    }

    /// Waits for a place; `None` never comes, as nobody closes the semaphore.
    pub(super) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.room.clone().try_acquire_owned() {
            return Some(place);
        }
        self.full.add(1);
        self.room.clone().acquire_owned().await.ok()
    }

    /// One more place for this address, or nothing where it has its share.
    pub(super) fn share(self: &Arc<Self>, of: Key) -> Option<Share> {
        let most = match self.limits.per_address {
            0 => usize::MAX,
            most => most,
        };
        let mut shares = self.shares.lock();
        let taken = shares.entry(of).or_default();
        if *taken >= most {
            drop(shares);
            self.beyond_share.add(1);
            return None;
        }
        *taken += 1;
        drop(shares);
        let places = self.clone();
        Some(Share { places, of })
    }
}

/// What an address has of the places by one connection; given back when this is dropped.
pub(super) struct Share {
    places: Arc<Places>,
    of: Key,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = self.places.shares.lock();
        if let Some(taken) = shares.get_mut(&self.of) {
            *taken -= 1;
            if *taken == 0 {
                shares.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::key;
    use std::time::Duration;

    fn places(per_address: usize) -> Arc<Places> {
        let second = Duration::from_secs(1);
        Arc::new(Places::new(HttpLimits {
            connections: 100,
            per_address,
            head: second,
            body: second,
            write: second,
            request: second,
        }))
    }

    #[test]
    fn an_address_has_its_share_and_gives_it_back() {
        let places = places(2);
        let of = |text: &str| key(text.parse().unwrap());
        let share = |text| places.share(of(text));
        let held = [share("2001:db8::1"), share("2001:db8::2")];
        assert!(held.iter().all(Option::is_some));
        assert!(share("2001:db8::3").is_none(), "a network is one address");
        assert!(share("2001:db8:0:1::1").is_some());
        assert_eq!(places.beyond_share.get(), 1);
        drop(held);
        assert!(share("2001:db8::3").is_some());
        assert!(places.shares.lock().is_empty());
    }

    #[test]
    fn without_a_bound_an_address_may_have_all() {
        let places = places(0);
        let of = key("192.0.2.1".parse().unwrap());
        let held: Vec<_> = (0..200).map(|_| places.share(of)).collect();
        assert!(held.iter().all(Option::is_some));
    }
}
