//! Looking into a channel: a sample of its events, and the rate at which they really flow.

use parking_lot::Mutex;
use tidegate_protocol::admin::{
    WATCHED_PAYLOAD_CHARS, WATCHED_PER_SECOND, WatchedEvent, WatchedRate,
};
use tidegate_protocol::{Direction, Payload};

/// The prefix of topics on which a watched channel is shown.
pub(crate) const WATCH_PREFIX: &str = "admin:watch:";

/// What one watched topic did in the present second.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    rate: Mutex<WatchedRate>,
}

/// An event that passed.
pub(crate) struct Passed<'a> {
    pub(crate) time: u64,
    pub(crate) direction: Direction,
    pub(crate) event: &'a str,
    pub(crate) payload: &'a Payload,
    pub(crate) connection: Option<&'a str>,
}

impl Watch {
    /// Counts an event; gives what to show of it while there is room in this second.
    pub(crate) fn see(&self, passed: &Passed<'_>) -> Option<WatchedEvent> {
        let size = passed.payload.len() as u64;
        {
            let mut rate = self.rate.lock();
            rate.events += 1;
            rate.bytes += size;
            if rate.shown >= u64::from(WATCHED_PER_SECOND) {
                return None;
            }
            rate.shown += 1;
        }
        let payload = match passed.payload.as_json() {
            Some(json) => json.chars().take(WATCHED_PAYLOAD_CHARS).collect(),
            None => format!("{size} bytes of binary data"),
        };
        Some(WatchedEvent {
            time: passed.time,
            direction: match passed.direction {
                Direction::To => "to".to_owned(),
                Direction::From | Direction::Sent => "from".to_owned(),
            },
            event: passed.event.to_owned(),
            payload,
            size,
            connection: passed.connection.map(str::to_owned),
        })
    }

    /// The second is over.
    pub(crate) fn take_rate(&self) -> WatchedRate {
        std::mem::take(&mut *self.rate.lock())
    }
}
