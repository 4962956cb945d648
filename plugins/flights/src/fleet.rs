//! The aircraft that are in the air at one moment of the recording, and which of them changed.
//!
//! The fleet knows no clock: it is moved to a position in the recording and says what happened
//! on the way. Beyond its end the recording starts again with an empty sky.

use std::collections::BTreeMap;

use crate::recording::{Aircraft, Recording};

/// An aircraft that has not reported for so long, in milliseconds of the recording, is gone.
pub(crate) const STALE_AFTER: u64 = 60_000;

/// What a move brought.
#[derive(Debug, PartialEq)]
pub(crate) struct Step<'a> {
    /// The time of the recording, in milliseconds UTC.
    pub(crate) time: u64,
    /// Whether the recording started again on the way.
    pub(crate) restarted: bool,
    /// The aircraft that reported on the way, as they were last.
    pub(crate) changed: Vec<&'a Aircraft>,
}

/// The last report of each aircraft.
#[derive(Debug)]
pub(crate) struct Fleet {
    recording: Recording,
    /// How often the recording was played to its end.
    round: u64,
    /// The first report that is still to come in this round.
    next: usize,
    /// The time of the recording, in milliseconds UTC.
    time: u64,
    /// By address, the place of the last report in the recording.
    last: BTreeMap<String, usize>,
}

impl Fleet {
    /// An empty sky at the beginning of the recording.
    pub(crate) fn new(recording: Recording) -> Self {
        let time = recording.begins();
        Self {
            recording,
            round: 0,
            next: 0,
            time,
            last: BTreeMap::new(),
        }
    }

    /// Plays on to `position`, in milliseconds since the very first beginning, all rounds
    /// counted. A position that was passed already changes nothing.
    pub(crate) fn move_to(&mut self, position: u64) -> Step<'_> {
        let length = self.recording.length();
        let round = position / length;
        let restarted = round > self.round;
        if restarted {
            self.round = round;
            self.next = 0;
            self.last.clear();
            self.time = self.recording.begins();
        }
        if round == self.round {
            self.time = self.time.max(self.recording.begins() + position % length);
        }
        let passed = self.next;
        let reports = self.recording.reports();
        while let Some(report) = reports.get(self.next)
            && report.seen <= self.time
        {
            self.last.insert(report.icao24.clone(), self.next);
            self.next += 1;
        }
        let time = self.time;
        self.last
            .retain(|_, place| reports[*place].seen + STALE_AFTER >= time);
        let changed = self.last.values().filter(|place| **place >= passed);
        Step {
            time,
            restarted,
            changed: changed.map(|place| &reports[*place]).collect(),
        }
    }

    /// The time of the recording, in milliseconds UTC.
    pub(crate) fn time(&self) -> u64 {
        self.time
    }

    /// Every aircraft that is not stale, by address.
    pub(crate) fn aircraft(&self) -> impl Iterator<Item = &Aircraft> {
        self.last
            .values()
            .map(|place| &self.recording.reports()[*place])
    }

    /// The recording that is played.
    pub(crate) fn recording(&self) -> &Recording {
        &self.recording
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fleet() -> Fleet {
        Fleet::new(Recording::built_in().unwrap())
    }

    /// Second by second, each report of the recording is told once, in its own second, and
    /// nothing else is.
    #[test]
    fn only_what_changed_is_told() {
        let mut fleet = fleet();
        let mut told = 0;
        for second in 0..1200 {
            let step = fleet.move_to(second * 1000);
            assert_eq!(step.time, 1_633_613_400_000 + second * 1000);
            assert!(!step.restarted);
            for aircraft in &step.changed {
                assert_eq!(aircraft.seen, step.time, "{}", aircraft.icao24);
            }
            told += step.changed.len();
        }
        assert_eq!(told, 9447);
        assert!(fleet.move_to(1_199_000).changed.is_empty());
    }

    /// A stride over many seconds tells each aircraft once, as it was last.
    #[test]
    fn a_stride_tells_the_last_state() {
        let mut fleet = fleet();
        fleet.move_to(0);
        let step = fleet.move_to(30_000);
        let addresses: BTreeSet<_> = step.changed.iter().map(|a| &a.icao24).collect();
        assert_eq!(addresses.len(), step.changed.len());
        assert!(step.changed.iter().all(|a| a.seen > step.time - 6_000));
    }

    /// What has not reported for 60 s is gone; what has is there.
    #[test]
    fn the_stale_are_dropped() {
        let mut fleet = fleet();
        let mut ever = BTreeSet::new();
        for second in (0..1200).step_by(10) {
            fleet.move_to(second * 1000);
            let time = fleet.time();
            assert!(fleet.aircraft().all(|a| a.seen + STALE_AFTER >= time));
            ever.extend(fleet.aircraft().map(|a| a.icao24.clone()));
        }
        assert_eq!(ever.len(), 60);
        assert!((20..45).contains(&fleet.aircraft().count()));
    }

    /// After its end the recording starts again: an empty sky, said so once.
    #[test]
    fn it_starts_again() {
        let mut fleet = fleet();
        let beginning: Vec<_> = fleet.move_to(0).changed.into_iter().cloned().collect();
        fleet.move_to(1_199_000);
        let step = fleet.move_to(1_200_000);
        assert!(step.restarted);
        assert_eq!(step.time, 1_633_613_400_000);
        assert_eq!(
            step.changed.into_iter().cloned().collect::<Vec<_>>(),
            beginning
        );
        assert_eq!(fleet.aircraft().count(), beginning.len());
        assert!(!fleet.move_to(1_201_000).restarted);
        // Several rounds at one stride are one restart.
        let step = fleet.move_to(5 * 1_200_000 + 7_000);
        assert!(step.restarted);
        assert_eq!(step.time, 1_633_613_407_000);
    }
}
