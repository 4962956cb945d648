//! What was published by the API a moment ago, so that a repeat delivers nothing (idempotency).
//!
//! A program that did not hear the answer sends its request again. An event that it has named is
//! then found here, and answered as it was the first time. Only so much is remembered, for so
//! long, and on this gateway alone. An event that the bus refused is forgotten: it may be sent
//! again.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tidegate_hub::Counter;
use tidegate_protocol::publish::PublishedEvent;

/// The bounds of `POST /api/v1/publish`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublishLimits {
    /// Events in one request.
    pub(crate) events: usize,
    /// Bytes of one request.
    pub(crate) bytes: usize,
    /// Names of events that are remembered.
    pub(crate) keys: usize,
    /// For how long.
    pub(crate) keep: Duration,
}

/// What an event was named by, and what tells it from another event of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) fingerprint: u64,
}

/// Why a request cannot be a repeat, nor be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// The name belongs to another event.
    Reused,
    /// The first request of this name is not answered yet.
    UnderWay,
}

/// What was published, and how often what happened.
pub(crate) struct Publishes {
    pub(crate) limits: PublishLimits,
    window: Mutex<Window>,
    pub(crate) sent: Counter,
    pub(crate) failed: Counter,
    /// Repeats: answered, not delivered.
    pub(crate) repeated: Counter,
    /// Names that went before their time, as there were too many.
    pub(crate) forgotten: Counter,
    /// Requests with too many events.
    pub(crate) too_many: Counter,
    /// Requests with too many bytes.
    pub(crate) too_large: Counter,
}

#[derive(Default)]
struct Window {
    entries: HashMap<String, Entry>,
    /// In the order of coming, with the number of the entry.
    order: VecDeque<(String, u64)>,
    next: u64,
}

struct Entry {
    number: u64,
    fingerprint: u64,
    at: Instant,
    /// `None` while it is being published.
    outcome: Option<PublishedEvent>,
}

impl Publishes {
    pub(crate) fn new(limits: PublishLimits) -> Self {
        Self {
            limits,
            window: Mutex::default(),
            sent: Counter::default(),
            failed: Counter::default(),
            repeated: Counter::default(),
            forgotten: Counter::default(),
            too_many: Counter::default(),
            too_large: Counter::default(),
        }
    }

    /// How many names are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.window.lock().entries.len()
    }

    /// Takes a request's events, each with its names: gives what each was answered before, where
    /// it was, and holds the names of the others until [`Publishes::end`]. All of them or none.
    pub(crate) fn begin(
        &self,
        events: &[Vec<Key>],
    ) -> Result<Vec<Option<PublishedEvent>>, Conflict> {
        let mut window = self.window.lock();
        self.shrink(&mut window, 0);
        let mut answers = Vec::with_capacity(events.len());
        for keys in events {
            let mut answer = None;
            for key in keys {
                match window.entries.get(&key.name) {
                    None => {}
                    Some(entry) if entry.fingerprint != key.fingerprint => {
                        return Err(Conflict::Reused);
                    }
                    Some(entry) => match &entry.outcome {
                        Some(outcome) => answer = Some(outcome.clone()),
                        None => return Err(Conflict::UnderWay),
                    },
                }
            }
            answers.push(answer);
        }
        for (keys, answer) in events.iter().zip(&answers) {
            if answer.is_none() {
                keys.iter().for_each(|key| window.put(key));
            }
        }
        self.shrink(&mut window, self.limits.keys);
        Ok(answers)
    }

    /// Remembers how it went with an event, or forgets it where it may be sent again.
    pub(crate) fn end(&self, keys: &[Key], outcome: Option<&PublishedEvent>) {
        let mut window = self.window.lock();
        for key in keys {
            match outcome {
                Some(outcome) => {
                    if let Some(entry) = window.entries.get_mut(&key.name) {
                        entry.outcome = Some(outcome.clone());
                    }
                }
                None => {
                    window.entries.remove(&key.name);
                }
            }
        }
    }

    /// Lets go of what is too old, and, where `most` is not 0, of the oldest that are too many.
    fn shrink(&self, window: &mut Window, most: usize) {
        let now = Instant::now();
        while let Some((name, number)) = window.order.front() {
            let entry = window.entries.get(name).filter(|e| e.number == *number);
            let old = entry.is_none_or(|e| now.duration_since(e.at) >= self.limits.keep);
            let too_many = most > 0 && window.entries.len() > most;
            if !old && !too_many {
                break;
            }
            if entry.is_some() {
                self.forgotten.add(usize::from(!old));
                window.entries.remove(&name.clone());
            }
            window.order.pop_front();
        }
    }
}

impl Window {
    fn put(&mut self, key: &Key) {
        self.next += 1;
        let entry = Entry {
            number: self.next,
            fingerprint: key.fingerprint,
            at: Instant::now(),
            outcome: None,
        };
        self.order.push_back((key.name.clone(), self.next));
        self.entries.insert(key.name.clone(), entry);
    }
}

#[cfg(test)]
mod tests {
    use tidegate_protocol::publish::PublishOutcome;

    use super::*;

    fn publishes(keys: usize, keep: Duration) -> Publishes {
        Publishes::new(PublishLimits {
            events: 10,
            bytes: 1000,
            keys,
            keep,
        })
    }

    fn key(name: &str, fingerprint: u64) -> Vec<Key> {
        vec![Key {
            name: name.to_owned(),
            fingerprint,
        }]
    }

    fn sent() -> PublishedEvent {
        PublishedEvent {
            topic: "a".to_owned(),
            event: "b".to_owned(),
            id: None,
            outcome: PublishOutcome::Sent,
            members: 3,
            reason: None,
        }
    }

    /// A repeat is answered as the first was; another event of the name, and one that comes too
    /// early, are refused.
    #[test]
    fn a_repeat_is_known() {
        let publishes = publishes(10, Duration::from_secs(60));
        assert_eq!(publishes.begin(&[key("x", 1)]), Ok(vec![None]));
        assert_eq!(publishes.begin(&[key("x", 1)]), Err(Conflict::UnderWay));
        publishes.end(&key("x", 1), Some(&sent()));
        assert_eq!(publishes.begin(&[key("x", 1)]), Ok(vec![Some(sent())]));
        assert_eq!(publishes.begin(&[key("x", 2)]), Err(Conflict::Reused));
        // Nothing of a request that is refused is held.
        assert_eq!(
            publishes.begin(&[key("new", 1), key("x", 2)]),
            Err(Conflict::Reused)
        );
        assert_eq!(publishes.begin(&[key("new", 1)]), Ok(vec![None]));
        publishes.end(&key("new", 1), None);
        assert_eq!(publishes.begin(&[key("new", 2)]), Ok(vec![None]));
    }

    /// So many names are remembered, for so long.
    #[test]
    fn the_window_is_bounded() {
        let few = publishes(2, Duration::from_secs(60));
        for name in ["a", "b", "c"] {
            assert_eq!(few.begin(&[key(name, 1)]), Ok(vec![None]));
            few.end(&key(name, 1), Some(&sent()));
        }
        assert_eq!((few.remembered(), few.forgotten.get()), (2, 1));
        assert_eq!(few.begin(&[key("a", 2)]), Ok(vec![None]), "a is forgotten");
        let short = publishes(10, Duration::ZERO);
        assert_eq!(short.begin(&[key("a", 1)]), Ok(vec![None]));
        short.end(&key("a", 1), Some(&sent()));
        assert_eq!(short.begin(&[key("a", 2)]), Ok(vec![None]));
    }
}
