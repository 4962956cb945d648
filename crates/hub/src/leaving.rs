//! Sending everybody away without sending them all at once.
//!
//! Clients come back as soon as they are gone. If ten thousand go in one instant, ten thousand
//! come back in one instant, so those who must go do it a few at a time, in no order that they
//! could share.

use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom as _;
use tidegate_protocol::Close;

use crate::connection::Connection;
use crate::hub::Hub;

/// The connections that are still to be told, in random order.
#[derive(Debug)]
pub struct Leaving {
    left: Vec<Arc<Connection>>,
    all: usize,
}

impl Leaving {
    /// How many were there at first.
    pub fn all(&self) -> usize {
        self.all
    }

    /// How many have not been told yet.
    pub fn left(&self) -> usize {
        self.left.len()
    }

    /// How long to wait before the next few: about so long, and never twice the same.
    pub fn pause(&self, about: Duration) -> Duration {
        about.mul_f64(rand::random_range(0.5..1.5))
    }

    /// Tells as many as are due after this share of the time, 0 to 1.
    pub fn tell(&mut self, share: f64, close: Close) {
        let due = (self.all as f64 * share.clamp(0.0, 1.0)).ceil() as usize;
        for connection in self
            .left
            .drain(self.all.saturating_sub(due).min(self.left.len())..)
        {
            connection.outbox.leave(close);
        }
    }
}

impl Hub {
    /// Everybody who is connected now.
    pub fn leaving(&self) -> Leaving {
        let mut left = self.connections();
        left.shuffle(&mut rand::rng());
        Leaving {
            all: left.len(),
            left,
        }
    }
}

/// How long it takes to tell `connections` clients, `each` apart, in at most `most`.
pub fn spread(connections: usize, each: Duration, most: Duration) -> Duration {
    let connections = u32::try_from(connections).unwrap_or(u32::MAX);
    each.saturating_mul(connections).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionDetails, Definitions, Limits, ManualClock};

    /// A16: everybody is told once, a few at a time, the last at the end.
    #[test]
    #[allow(clippy::unwrap_used, reason = "tests")]
    fn everybody_is_told_a_few_at_a_time() {
        let definitions = Definitions::new(Vec::new(), 10).unwrap();
        let hub = Hub::new(
            Limits::default(),
            definitions,
            Arc::new(ManualClock::default()),
        );
        let connections: Vec<_> = (0..100)
            .map(|port| {
                let details = ConnectionDetails {
                    address: [127, 0, 0, 1].into(),
                    port,
                    user_agent: None,
                };
                hub.connect(details, None).unwrap()
            })
            .collect();
        let told = || {
            let leaving = |c: &&Arc<Connection>| c.outbox.leaving().is_some();
            connections.iter().filter(leaving).count()
        };
        let mut leaving = hub.leaving();
        for (share, expected) in [(0.0, 0), (0.1, 10), (0.1, 10), (0.555, 56), (2.0, 100)] {
            leaving.tell(share, Close::Restart);
            assert_eq!((told(), leaving.left()), (expected, 100 - expected));
        }
        assert_eq!(leaving.all(), 100);
    }

    #[test]
    fn a_few_clients_do_not_take_the_whole_time() {
        let each = Duration::from_millis(20);
        let most = Duration::from_secs(4);
        assert_eq!(spread(2, each, most), Duration::from_millis(40));
        assert_eq!(spread(usize::MAX, each, most), most);
    }
}
