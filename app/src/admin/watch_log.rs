//! The events of a watched channel: the last few hundred that were shown.

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_protocol::admin::{WatchedEvent, WatchedRate};

/// How many events are kept.
pub(super) const MAX_EVENTS: usize = 500;

/// One event and its number.
#[derive(Debug, PartialEq)]
pub(super) struct Watched {
    pub(super) number: u64,
    pub(super) event: WatchedEvent,
    /// What a filter looks through, in lower case.
    search: String,
}

/// Newest last; read it backwards.
#[derive(Debug, Default)]
pub(super) struct WatchLog {
    events: VecDeque<Arc<Watched>>,
    count: u64,
    /// Events that came while paused.
    pub(super) skipped: u64,
    /// Whether new events are only counted.
    pub(super) paused: bool,
}

impl WatchLog {
    pub(super) fn add(&mut self, event: WatchedEvent) {
        self.count += 1;
        if self.paused {
            self.skipped += 1;
            return;
        }
        let search = format!("{} {}", event.event, event.payload).to_lowercase();
        self.events.push_back(Arc::new(Watched {
            number: self.count,
            event,
            search,
        }));
        if self.events.len() > MAX_EVENTS {
            self.events.pop_front();
        }
    }

    pub(super) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        if paused {
            self.skipped = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.skipped = 0;
    }

    /// Newest first, those that hold the text.
    pub(super) fn matching(&self, filter: &str) -> Vec<Arc<Watched>> {
        let needle = filter.trim().to_lowercase();
        let found = |watched: &&Arc<Watched>| needle.is_empty() || watched.search.contains(&needle);
        self.events.iter().rev().filter(found).cloned().collect()
    }
}

/// What flows, in a sentence.
pub(super) fn rate_words(rate: WatchedRate) -> String {
    let events = match rate.events {
        1 => "1 event".to_owned(),
        n => format!("{} events", crate::format::grouped(n.cast_signed())),
    };
    let bytes = crate::format::bytes(rate.bytes as f64);
    if rate.shown < rate.events {
        format!(
            "{events} in the last second ({bytes}), {} of them shown here",
            rate.shown
        )
    } else {
        format!("{events} in the last second ({bytes})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> WatchedEvent {
        WatchedEvent {
            time: 0,
            direction: "to".into(),
            event: name.into(),
            payload: r#"{"Text":"x"}"#.into(),
            size: 12,
            connection: None,
        }
    }

    #[test]
    fn the_log_is_bounded_filtered_and_pausable() {
        let mut log = WatchLog::default();
        for _ in 0..MAX_EVENTS + 1 {
            log.add(event("position"));
        }
        log.add(event("alarm"));
        assert_eq!(log.matching("").len(), MAX_EVENTS);
        assert_eq!(log.matching("ALARM")[0].number, MAX_EVENTS as u64 + 2);
        assert_eq!(log.matching("text").len(), MAX_EVENTS);
        log.set_paused(true);
        log.add(event("alarm"));
        assert_eq!((log.skipped, log.matching("alarm").len()), (1, 1));
    }

    #[test]
    fn the_true_rate_is_said_when_not_all_is_shown() {
        let rate = |events, shown| WatchedRate {
            events,
            shown,
            bytes: 2048,
        };
        assert_eq!(
            rate_words(rate(1, 1)),
            "1 event in the last second (2.00 KiB)"
        );
        assert!(rate_words(rate(500, 20)).contains("20 of them shown"));
    }
}
