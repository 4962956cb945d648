//! The same read by the same principal within a minute is one record, with how often it was made.
//!
//! So a page that asks every second leaves a record a minute, and each of its requests still counts.
//! The first one is written down at once, what follows at the next [`Repeats::settle`]. At most
//! [`MOST`] different ones are followed at the same time; a further one is a record of its own.

use std::collections::HashMap;

use parking_lot::Mutex;
use tidegate_store::{Activity, Repeat};

use super::records::Record;

/// Records that are followed at the same time.
const MOST: usize = 1_000;
/// How long a record is added to, in milliseconds.
const SPAN_MS: i64 = 60_000;

/// What makes two requests the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Same {
    principal: String,
    action: String,
    target: String,
    address: String,
    status: i64,
}

/// A record, and what was not added to it yet.
#[derive(Debug)]
struct Followed {
    id: String,
    since: i64,
    times: i64,
    last_at: i64,
    took_us: i64,
}

/// The records that are added to.
#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<HashMap<Same, Followed>>);

impl Followed {
    /// What is to be added to the record.
    fn rest(&mut self, same: &Same) -> Option<Record> {
        let times = std::mem::take(&mut self.times);
        (times > 0).then(|| {
            Record::Again(Repeat {
                id: self.id.clone(),
                principal: same.principal.clone(),
                refused: same.status >= 400,
                times,
                last_at: self.last_at,
                took_us: self.took_us,
            })
        })
    }
}

impl Repeats {
    /// Counts a request: nothing is to be written where it is the same again.
    pub(super) fn count(&self, activity: Activity) -> Vec<Record> {
        let same = Same {
            principal: activity.principal.clone(),
            action: activity.action.clone(),
            target: activity.target.clone(),
            address: activity.address.clone(),
            status: activity.status,
        };
        let mut records = Vec::new();
        let mut followed = self.0.lock();
        if let Some(known) = followed.get_mut(&same) {
            if activity.at - known.since < SPAN_MS {
                known.times += 1;
                known.last_at = activity.at;
                known.took_us = activity.took_us;
                return records;
            }
            records.extend(known.rest(&same));
        }
        if followed.len() < MOST || followed.contains_key(&same) {
            let fresh = Followed {
                id: activity.id.clone(),
                since: activity.at,
                times: 0,
                last_at: activity.at,
                took_us: activity.took_us,
            };
            followed.insert(same, fresh);
        }
        records.push(Record::Activity(activity));
        records
    }

    /// What is to be added to records now; those that are old enough are left alone from now on.
    pub(super) fn settle(&self, now: i64) -> Vec<Record> {
        let mut records = Vec::new();
        self.0.lock().retain(|same, followed| {
            records.extend(followed.rest(same));
            now - followed.since < SPAN_MS
        });
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(at: i64, target: &str) -> Activity {
        Activity {
            id: format!("{target}@{at}"),
            at,
            principal: "admin".to_owned(),
            action: "GET /api/v1/overview".to_owned(),
            target: target.to_owned(),
            outcome: "OK".to_owned(),
            status: 200,
            took_us: at,
            address: "127.0.0.1".to_owned(),
            times: 1,
            last_at: at,
        }
    }

    /// Ids of new records, and what was added to which.
    fn told(records: Vec<Record>) -> Vec<(String, i64)> {
        let told = records.into_iter().map(|record| match record {
            Record::Activity(activity) => (activity.id, 0),
            Record::Again(repeat) => (repeat.id, repeat.times),
            Record::Token(_) => unreachable!(),
        });
        told.collect()
    }

    /// P16: each request counts, and a minute of them is one record.
    #[test]
    fn a_minute_of_the_same_is_one_record() {
        let repeats = Repeats::default();
        let name = |text: &str, times| (text.to_owned(), times);
        assert_eq!(told(repeats.count(read(0, "a"))), [name("a@0", 0)]);
        assert_eq!(told(repeats.count(read(1, "b"))), [name("b@1", 0)]);
        for at in 1..=30 {
            assert_eq!(told(repeats.count(read(at * 1_000, "a"))), []);
        }
        assert_eq!(told(repeats.settle(30_000)), [name("a@0", 30)]);
        assert_eq!(told(repeats.settle(31_000)), []);
        assert_eq!(told(repeats.count(read(59_999, "a"))), []);
        let next = told(repeats.count(read(60_000, "a")));
        assert_eq!(next, [name("a@0", 1), name("a@60000", 0)]);
        assert_eq!(told(repeats.settle(130_000)), []);
        assert_eq!(repeats.0.lock().len(), 0);
    }

    #[test]
    fn what_is_followed_is_bounded() {
        let repeats = Repeats::default();
        for n in 0..5_000 {
            repeats.count(read(n, &n.to_string()));
            assert!(repeats.0.lock().len() <= MOST);
        }
        assert_eq!(told(repeats.count(read(5_000, "0"))), []);
        assert_eq!(told(repeats.count(read(5_000, "4000"))).len(), 1);
    }
}
