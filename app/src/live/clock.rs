//! The recording's clock, followed from the messages that carry it.
//!
//! Messages come about once a second and not quite evenly, and a replay may run at any speed. The
//! clock runs on between them at the speed that it has observed, and takes their lateness out
//! gently. It is told the page's own monotonic time; both are milliseconds.

use std::collections::VecDeque;

/// How many messages the speed is measured over.
const SAMPLES: usize = 12;
/// The page's time that the samples must span before they are believed.
const SPAN: f64 = 2_500.0;
/// What part of the deviation a message corrects.
const GAIN: f64 = 0.15;
/// Deviations above this many of the page's milliseconds are jumps: the clock follows at once.
const JUMP: f64 = 3_000.0;
/// How far back a message must be to mean that the recording has begun again.
const BACK: f64 = 30_000.0;

/// Follows the time of the recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clock {
    anchor: Option<(f64, f64)>,
    rate: Option<f64>,
    samples: VecDeque<(f64, f64)>,
}

impl Clock {
    /// The time of the recording at the page's time `page`; nothing before the first message.
    pub fn at(&self, page: f64) -> Option<f64> {
        self.anchor.map(|(p, r)| r + (page - p) * self.rate())
    }

    /// How fast the recording runs: 1 is real time.
    pub fn rate(&self) -> f64 {
        self.rate.unwrap_or(1.0)
    }

    /// Whether this time of the recording can only come from a new beginning.
    pub fn is_restart(&self, recording: f64, page: f64) -> bool {
        self.at(page)
            .is_some_and(|now| recording < now - BACK * self.rate().max(1.0))
    }

    /// A message of this time has come.
    pub fn sync(&mut self, recording: f64, page: f64) {
        let Some(predicted) = self.at(page) else {
            self.anchor = Some((page, recording));
            self.samples.push_back((page, recording));
            return;
        };
        let error = recording - predicted;
        if error.abs() > JUMP * self.rate().max(1.0) {
            self.anchor = Some((page, recording));
            // Before the speed is known a fast replay looks like a row of jumps: learn from them.
            if self.rate.take().is_some() {
                self.samples.clear();
            }
        } else {
            self.anchor = Some((page, predicted + error * GAIN));
        }
        self.samples.push_back((page, recording));
        if self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
        if let (Some(first), Some(last)) = (self.samples.front(), self.samples.back())
            && last.0 - first.0 >= SPAN
        {
            self.rate = Some(((last.1 - first.1) / (last.0 - first.0)).clamp(0.0, 1000.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(rate: f64, seconds: usize) -> Clock {
        let mut clock = Clock::default();
        for i in 0..seconds {
            let jitter = if i % 2 == 0 { 0.0 } else { 80.0 };
            let page = i as f64 * 1000.0;
            clock.sync(1e12 + page * rate, page + jitter);
        }
        clock
    }

    #[test]
    fn it_runs_on_between_messages() {
        let clock = fed(1.0, 20);
        let page = 19_500.0;
        assert!((clock.at(page).unwrap() - (1e12 + page)).abs() < 150.0);
    }

    #[test]
    fn it_learns_the_speed_of_the_replay() {
        let clock = fed(20.0, 20);
        assert!((clock.rate() - 20.0).abs() < 0.5, "{}", clock.rate());
        let page = 19_500.0;
        assert!((clock.at(page).unwrap() - (1e12 + page * 20.0)).abs() < 3_000.0);
    }

    #[test]
    fn going_far_back_is_a_new_beginning() {
        let clock = fed(1.0, 20);
        assert!(clock.is_restart(1e12 - 60_000.0, 20_000.0));
        assert!(!clock.is_restart(1e12 + 15_000.0, 20_000.0));
        assert!(!Clock::default().is_restart(0.0, 0.0));
    }

    #[test]
    fn a_gap_is_followed_at_once() {
        let mut clock = fed(1.0, 20);
        clock.sync(1e12 + 100_000.0, 30_000.0);
        assert_eq!(clock.at(30_000.0), Some(1e12 + 100_000.0));
    }
}
