//! How often a connection has pushed to channels that have a rate of their own.
//!
//! A client that leaves and joins again finds its count as it left it. There are as many counts as
//! channels that a connection may join; one that is full again says nothing and makes room.

use std::collections::HashMap;

use tidegate_hub::Bucket;
use tidegate_protocol::{PushRate, Topic};

/// The counts of one connection. Costs a pointer until it pushes to such a channel.
#[derive(Default)]
#[expect(
    clippy::box_collection,
    reason = "most connections have none: a pointer in the place of 48 bytes"
)]
pub(super) struct PushRates(Option<Box<HashMap<Topic, Bucket>>>);

impl PushRates {
    /// Counts one push, or says that it is one too many. `most` is how many channels are counted.
    pub(super) fn take(&mut self, topic: &Topic, rate: PushRate, most: usize, now_ms: u64) -> bool {
        let counts = self.0.get_or_insert_default();
        let new = || Bucket::every(rate.pushes, rate.seconds, now_ms);
        if let Some(bucket) = counts.get_mut(topic) {
            if !bucket.is_for(rate.pushes, rate.seconds) {
                *bucket = new();
            }
            return bucket.take(now_ms);
        }
        if counts.len() >= most {
            counts.retain(|_, bucket| !bucket.is_full(now_ms));
        }
        // Others than those that it has joined now are still being counted: it has to wait.
        counts.len() < most && counts.entry(topic.clone()).or_insert_with(new).take(now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: PushRate = PushRate {
        pushes: 2,
        seconds: 10,
    };

    fn topic(name: &str) -> Topic {
        Topic::new(name).unwrap()
    }

    #[test]
    fn each_channel_has_its_count_and_a_new_rate_begins_anew() {
        let mut rates = PushRates::default();
        let mut take = |name: &str, rate, now| rates.take(&topic(name), rate, 9, now);
        assert!(take("a", RATE, 0) && take("a", RATE, 0) && !take("a", RATE, 0));
        assert!(take("b", RATE, 0));
        assert!(!take("a", RATE, 4_999) && take("a", RATE, 5_000));
        let more = PushRate { pushes: 3, ..RATE };
        assert!(take("a", more, 5_000));
    }

    #[test]
    fn counts_are_bounded_and_the_full_ones_make_room() {
        let mut rates = PushRates::default();
        let mut take = |name: &str, now| rates.take(&topic(name), RATE, 2, now);
        assert!(take("a", 0) && take("b", 1) && !take("c", 2));
        assert!(take("c", 5_000) && !take("d", 5_000) && take("d", 5_001));
        assert_eq!(rates.0.unwrap().len(), 2);
    }
}
