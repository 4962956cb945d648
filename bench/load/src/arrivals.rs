//! Numbered messages, and what has arrived of a series of them.

use std::time::Instant;

use memchr::memmem;

use crate::error::LoadError;
use crate::latencies::Latencies;

/// What a message's payload looks like: a number of fixed width, and as much as is asked for.
const HEAD: &str = r#"{"n":"#;
const MIDDLE: &str = r#","p":""#;
const TAIL: &str = r#""}"#;
const DIGITS: usize = 10;

/// The smallest payload that holds its number.
pub(crate) const SMALLEST: usize = HEAD.len() + DIGITS + MIDDLE.len() + TAIL.len();

/// Numbers begin here so that each has as many digits.
pub(crate) const FIRST: u64 = 1_000_000_000;

/// A payload of so many bytes.
pub(crate) fn payload(number: u64, bytes: usize) -> String {
    format!(
        "{HEAD}{number}{MIDDLE}{}{TAIL}",
        "x".repeat(bytes.saturating_sub(SMALLEST))
    )
}

/// What has arrived of a series of messages.
pub(crate) struct Arrivals {
    /// The number of the first message of the series.
    first: u64,
    /// Each message that was put in: when it was due, and how many clients have yet to get it.
    sent: Vec<(Instant, u32)>,
    /// The number of the next message that each client should get.
    next: Vec<u64>,
    /// Where in a frame the number was the last time: mostly where it is the next time.
    at: usize,
    pub(crate) count: u64,
    /// Messages that have arrived at every client.
    pub(crate) complete: u64,
    pub(crate) out_of_order: u64,
    pub(crate) last: Instant,
    pub(crate) latencies: Latencies,
}

impl Arrivals {
    pub(crate) fn new(first: u64, messages: u32, clients: usize) -> Result<Self, LoadError> {
        Ok(Self {
            first,
            sent: Vec::with_capacity(messages as usize),
            next: vec![first; clients],
            at: 0,
            count: 0,
            complete: 0,
            out_of_order: 0,
            last: Instant::now(),
            latencies: Latencies::new()?,
        })
    }

    /// How many messages were put in.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.len() as u64
    }

    /// The next message goes in, and was due then; returns its number.
    pub(crate) fn send(&mut self, due: Instant) -> u64 {
        let number = self.first + self.sent();
        self.sent.push((due, self.next.len() as u32));
        self.last = self.last.max(due);
        number
    }

    /// A data frame came to a client.
    pub(crate) fn take(&mut self, client: usize, frame: &[u8], now: Instant) {
        let Some(number) = self.number(frame) else {
            return;
        };
        let Some((due, left)) = number
            .checked_sub(self.first)
            .and_then(|n| self.sent.get_mut(n as usize))
        else {
            return;
        };
        if number < self.next[client] {
            self.out_of_order += 1;
            return;
        }
        self.next[client] = number + 1;
        self.count += 1;
        *left -= 1;
        self.complete += u64::from(*left == 0);
        self.last = now;
        self.latencies.add(now.saturating_duration_since(*due));
    }

    /// The number of a message, from its frame.
    fn number(&mut self, frame: &[u8]) -> Option<u64> {
        let here = frame.get(self.at..)?;
        if !here.starts_with(HEAD.as_bytes()) {
            self.at = memmem::find(frame, HEAD.as_bytes())?;
        }
        let start = self.at + HEAD.len();
        let digits = frame.get(start..start + DIGITS)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload has the length that was asked for, is JSON, and gives its number back, wherever
    /// in a frame it stands.
    #[test]
    fn a_payload_holds_its_number() {
        let mut arrivals = Arrivals::new(FIRST, 1, 1).unwrap();
        for (bytes, head) in [
            (SMALLEST, r#"[null,null,"bench","message","#),
            (200, r#"[null,null,"bench","message","#),
            (200, "42"),
            (4096, r#"[null,null,"another","message","#),
        ] {
            let payload = payload(FIRST + 42, bytes);
            assert_eq!(payload.len(), bytes);
            let value: serde_json::Value = serde_json::from_str(&payload).unwrap();
            assert_eq!(value["n"], FIRST + 42);
            let frame = format!("{head}{payload}]");
            assert_eq!(arrivals.number(frame.as_bytes()), Some(FIRST + 42));
        }
        let reply = br#"[null,"h","phoenix","phx_reply",{"status":"ok","response":{}}]"#;
        assert_eq!(arrivals.number(reply), None);
        assert_eq!(arrivals.number(b""), None);
    }

    /// Gaps are not counted as deliveries, repetitions are counted apart, strangers not at all; a
    /// message is complete when every client has it.
    #[test]
    fn arrivals_are_counted_once() {
        let mut arrivals = Arrivals::new(FIRST, 3, 2).unwrap();
        let now = Instant::now();
        for number in 0..3 {
            assert_eq!(arrivals.send(now), FIRST + number);
        }
        for (client, number) in [(0, 0), (0, 2), (0, 1), (0, 2), (1, 0), (1, 7)] {
            arrivals.take(client, payload(FIRST + number, 200).as_bytes(), now);
        }
        assert_eq!(arrivals.sent(), 3);
        assert_eq!(arrivals.count, 3);
        assert_eq!(arrivals.complete, 1);
        assert_eq!(arrivals.out_of_order, 2);
        assert_eq!(arrivals.latencies.count(), 3);
    }
}
