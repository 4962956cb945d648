//! All aircraft that the page knows: takes messages in, says what is where, forgets what is gone.
//!
//! Plain data without a browser. Times are milliseconds: `page` is the page's monotonic time, all
//! others are the recording's.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::altitude::Band;
use super::clock::Clock;
use super::motion::{Fix, Motion};
use super::projection::{View, World};
use super::report::{Positions, Report};

/// After this long without a report an aircraft fades.
pub const STALE: f64 = 30_000.0;
/// After this long without a report it goes.
pub const GONE: f64 = 60_000.0;
/// The most aircraft that are kept; further ones are counted and left out.
pub const MOST: usize = 10_000;
/// The most reports that are kept of one aircraft; the oldest go.
pub const HISTORY: usize = 360;

/// One past report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    /// When.
    pub at: f64,
    /// Where.
    pub place: World,
    /// Feet.
    pub altitude: Option<f32>,
    /// Knots.
    pub groundspeed: Option<f32>,
    /// The colour of the trail from here on.
    pub band: Band,
}

/// One aircraft.
#[derive(Debug, Clone, PartialEq)]
pub struct Aircraft {
    /// Its address; what selections and lists hold.
    pub id: Arc<str>,
    /// Its last report.
    pub report: Report,
    /// How it moves.
    pub motion: Motion,
    /// Its reports, oldest first.
    pub history: VecDeque<Past>,
}

impl Aircraft {
    fn new(report: Report) -> Self {
        let mut it = Self {
            id: report.icao24.as_str().into(),
            motion: Motion::new(fix(&report)),
            report,
            history: VecDeque::new(),
        };
        it.remember();
        it
    }

    fn remember(&mut self) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Past {
            at: self.report.seen,
            place: self.motion.reported(),
            altitude: self.report.altitude.map(|v| v as f32),
            groundspeed: self.report.groundspeed.map(|v| v as f32),
            band: Band::of(&self.report),
        });
    }

    /// How solid it is drawn at `now`: 1 with news, falling from [`STALE`] to 0 at [`GONE`].
    pub fn presence(&self, now: f64) -> f64 {
        let age = now - self.report.seen;
        if age <= STALE {
            1.0
        } else {
            // It fades to half at once, so that the state is seen, and then to nothing.
            0.55 * ((GONE - age) / (GONE - STALE)).clamp(0.0, 1.0)
        }
    }

    /// Whether it has no news.
    pub fn is_stale(&self, now: f64) -> bool {
        now - self.report.seen > STALE
    }

    /// Where it is shown: moving, or at its last report.
    pub fn place(&self, now: f64, moving: bool) -> World {
        if moving {
            self.motion.place(now)
        } else {
            self.motion.reported()
        }
    }
}

fn fix(report: &Report) -> Fix {
    Fix {
        at: report.seen,
        place: World::from_degrees(report.latitude, report.longitude),
        groundspeed: report.groundspeed,
        track: report.track,
    }
}

/// All aircraft.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fleet {
    clock: Clock,
    aircraft: Vec<Aircraft>,
    index: HashMap<Arc<str>, usize>,
    heard: Option<f64>,
    left_out: u64,
}

impl Fleet {
    /// Takes a message in that has come at `page`.
    pub fn apply(&mut self, message: Positions, page: f64) {
        if message.restart || self.clock.is_restart(message.time, page) {
            *self = Self::default();
        }
        self.clock.sync(message.time, page);
        self.heard = Some(page);
        let now = self.clock.at(page).unwrap_or(message.time);
        for report in message.aircraft {
            if !report.is_sane() || now - report.seen > GONE {
                continue;
            }
            match self.index.get(report.icao24.as_str()) {
                Some(&i) => {
                    if let Some(known) = self.aircraft.get_mut(i)
                        && report.seen > known.report.seen
                    {
                        known.motion.report(fix(&report), now);
                        known.report = report;
                        known.remember();
                    }
                }
                None if self.aircraft.len() < MOST => {
                    let new = Aircraft::new(report);
                    self.index.insert(Arc::clone(&new.id), self.aircraft.len());
                    self.aircraft.push(new);
                }
                None => self.left_out += 1,
            }
        }
        self.forget_gone(now);
    }

    /// Forgets what has had no report for [`GONE`]; says whether there was any.
    pub fn sweep(&mut self, page: f64) -> bool {
        self.now(page).is_some_and(|now| self.forget_gone(now))
    }

    /// Whether [`Fleet::sweep`] would forget any.
    pub fn has_gone(&self, page: f64) -> bool {
        self.now(page)
            .is_some_and(|now| self.aircraft.iter().any(|a| now - a.report.seen > GONE))
    }

    fn forget_gone(&mut self, now: f64) -> bool {
        let before = self.aircraft.len();
        self.aircraft.retain(|a| now - a.report.seen <= GONE);
        if self.aircraft.len() == before {
            return false;
        }
        self.index.clear();
        self.index.extend(
            self.aircraft
                .iter()
                .enumerate()
                .map(|(i, a)| (Arc::clone(&a.id), i)),
        );
        true
    }

    /// The recording's time; nothing before the first message.
    pub fn now(&self, page: f64) -> Option<f64> {
        self.clock.at(page)
    }

    /// How fast the recording runs.
    pub fn rate(&self) -> f64 {
        self.clock.rate()
    }

    /// When the last message came, in the page's time.
    pub fn heard(&self) -> Option<f64> {
        self.heard
    }

    /// How many reports of further aircraft were left out, see [`MOST`].
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All of them, in no order that means anything.
    pub fn aircraft(&self) -> &[Aircraft] {
        &self.aircraft
    }

    /// The one with this address.
    pub fn get(&self, id: &str) -> Option<&Aircraft> {
        self.index.get(id).and_then(|i| self.aircraft.get(*i))
    }

    /// The one nearest to a place on the screen and at most `reach` pixels away.
    pub fn at(
        &self,
        view: &View,
        (x, y): (f64, f64),
        reach: f64,
        now: f64,
        moving: bool,
    ) -> Option<&Aircraft> {
        self.aircraft
            .iter()
            .map(|a| {
                let (ax, ay) = view.to_screen(a.place(now, moving));
                (a, (ax - x).hypot(ay - y))
            })
            .filter(|(_, distance)| *distance <= reach)
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(a, _)| a)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::live) fn report(icao24: &str, latitude: f64, seen: f64) -> Report {
        Report {
            icao24: icao24.into(),
            callsign: None,
            latitude,
            longitude: 2.0,
            altitude: Some(30_000.0),
            groundspeed: Some(400.0),
            track: Some(90.0),
            vertical_rate: None,
            onground: false,
            squawk: None,
            seen,
        }
    }

    fn positions(time: f64, aircraft: Vec<Report>) -> Positions {
        Positions {
            time,
            restart: false,
            aircraft,
        }
    }

    #[test]
    fn the_wire_form_is_read_with_its_gaps() {
        let json = r#"{"time":1633613400000,"aircraft":[{"icao24":"345043","callsign":null,
            "latitude":47.9,"longitude":1.4,"altitude":null,"groundspeed":null,"track":null,
            "vertical_rate":-1664,"onground":false,"squawk":"5363","seen":1633613399500}]}"#;
        let message: Positions = serde_json::from_str(json).unwrap();
        assert!(!message.restart);
        assert_eq!(message.aircraft[0].name(), "345043");
        assert_eq!(message.aircraft[0].altitude, None);
    }

    #[test]
    fn what_has_no_report_for_half_a_minute_fades_and_goes_after_one() {
        let mut fleet = Fleet::default();
        fleet.apply(positions(0.0, vec![report("a", 48.0, 0.0)]), 0.0);
        let one = fleet.get("a").unwrap();
        assert_eq!(one.presence(29_000.0), 1.0);
        assert!(!one.is_stale(30_000.0) && one.is_stale(30_001.0));
        assert!(one.presence(31_000.0) < 0.6 && one.presence(31_000.0) > one.presence(50_000.0));
        assert!(!fleet.has_gone(60_000.0));
        assert!(fleet.has_gone(60_500.0));
        assert!(fleet.sweep(60_500.0));
        assert!(fleet.get("a").is_none());
    }

    #[test]
    fn the_index_holds_after_some_have_gone() {
        let mut fleet = Fleet::default();
        let three = vec![
            report("a", 48.0, 0.0),
            report("b", 48.5, 50_000.0),
            report("c", 49.0, 50_000.0),
        ];
        fleet.apply(positions(50_000.0, three), 0.0);
        assert!(fleet.sweep(12_000.0));
        assert_eq!(fleet.get("c").unwrap().report.latitude, 49.0);
        assert_eq!(fleet.aircraft().len(), 2);
    }

    #[test]
    fn a_restart_forgets_everything() {
        let mut fleet = Fleet::default();
        fleet.apply(
            positions(1_000_000.0, vec![report("a", 48.0, 1_000_000.0)]),
            0.0,
        );
        let again = Positions {
            time: 0.0,
            restart: true,
            aircraft: vec![report("b", 48.0, 0.0)],
        };
        fleet.apply(again, 1000.0);
        assert!(fleet.get("a").is_none() && fleet.get("b").is_some());
        assert_eq!(fleet.now(1000.0), Some(0.0));
    }

    /// The page was away while the recording began again.
    #[test]
    fn a_missed_restart_is_noticed_by_the_clock() {
        let mut fleet = Fleet::default();
        fleet.apply(
            positions(1_000_000.0, vec![report("a", 48.0, 1_000_000.0)]),
            0.0,
        );
        fleet.apply(positions(5_000.0, vec![report("b", 48.0, 5_000.0)]), 1000.0);
        assert!(fleet.get("a").is_none() && fleet.get("b").is_some());
    }

    /// A snapshot may be older than what has come meanwhile.
    #[test]
    fn an_older_report_changes_nothing() {
        let mut fleet = Fleet::default();
        fleet.apply(positions(10_000.0, vec![report("a", 48.0, 10_000.0)]), 0.0);
        fleet.apply(positions(10_000.0, vec![report("a", 47.0, 9_000.0)]), 10.0);
        assert_eq!(fleet.get("a").unwrap().report.latitude, 48.0);
        assert_eq!(fleet.get("a").unwrap().history.len(), 1);
    }

    #[test]
    fn nonsense_is_left_out() {
        let mut fleet = Fleet::default();
        let mut nowhere = report("a", 48.0, 0.0);
        nowhere.longitude = f64::NAN;
        fleet.apply(
            positions(
                0.0,
                vec![nowhere, report("", 48.0, 0.0), report("b", 99.0, 0.0)],
            ),
            0.0,
        );
        assert!(fleet.aircraft().is_empty());
    }

    #[test]
    fn the_number_is_bounded_and_the_rest_counted() {
        let mut fleet = Fleet::default();
        let many = (0..MOST + 5)
            .map(|i| report(&i.to_string(), 48.0, 0.0))
            .collect();
        fleet.apply(positions(0.0, many), 0.0);
        assert_eq!(fleet.aircraft().len(), MOST);
        assert_eq!(fleet.left_out(), 5);
    }

    #[test]
    fn the_history_is_bounded() {
        let mut fleet = Fleet::default();
        for i in 0..HISTORY + 10 {
            let at = i as f64 * 4000.0;
            fleet.apply(positions(at, vec![report("a", 48.0, at)]), at);
        }
        let history = &fleet.get("a").unwrap().history;
        assert_eq!(history.len(), HISTORY);
        assert_eq!(history.back().unwrap().at, (HISTORY + 9) as f64 * 4000.0);
    }

    #[test]
    fn a_touch_takes_the_nearest_in_reach() {
        let mut fleet = Fleet::default();
        fleet.apply(
            positions(0.0, vec![report("a", 48.0, 0.0), report("b", 48.02, 0.0)]),
            0.0,
        );
        let view = View::new(48.0, 2.0, 9.0, 400.0, 400.0);
        let hit = |x, y, reach| {
            fleet
                .at(&view, (x, y), reach, 0.0, true)
                .map(|a| a.id.to_string())
        };
        assert_eq!(hit(201.0, 199.0, 18.0).as_deref(), Some("a"));
        assert_eq!(hit(200.0, 182.0, 18.0).as_deref(), Some("b"));
        assert_eq!(hit(300.0, 300.0, 18.0), None);
    }
}
