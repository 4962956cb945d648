//! How an aircraft moves on the screen between its reports.
//!
//! Between reports it goes on with its last speed and track. A new report never makes it jump:
//! what is shown and what is known differ by a correction that shrinks steadily, and when the
//! aircraft was shown too far ahead it shrinks slowly enough that the aircraft only slows down.
//! Times are milliseconds of the recording.

use super::projection::World;

/// How long speed and track of a report are trusted.
const AHEAD: f64 = 30_000.0;
/// The shortest time that a correction takes.
const EASE: f64 = 1_500.0;
/// The time a correction takes when the speed is not known: the usual gap between reports.
const EASE_UNKNOWN: f64 = 4_000.0;
/// The longest time that a correction takes.
const EASE_LONGEST: f64 = 60_000.0;
/// How much of its speed an aircraft may lose while it waits for reality.
const SLOWEST: f64 = 0.7;
/// From this distance on it is moved at once: such a gap is no flight.
const JUMP_METRES: f64 = 30_000.0;
/// How long a turn to a new track takes.
const TURN: f64 = 1_500.0;

const METRES_PER_MS_PER_KNOT: f64 = 1852.0 / 3_600_000.0;

/// What of a report concerns the movement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// When it was made.
    pub at: f64,
    /// Where.
    pub place: World,
    /// Knots over ground.
    pub groundspeed: Option<f64>,
    /// Degrees from true north.
    pub track: Option<f64>,
}

/// The movement of one aircraft.
#[derive(Debug, Clone, PartialEq)]
pub struct Motion {
    fix: Fix,
    /// World units per millisecond.
    velocity: (f64, f64),
    /// What is shown minus what is known, when it was set.
    correction: (f64, f64),
    /// Degrees shown minus degrees known, when it was set.
    turn: f64,
    corrected_at: f64,
    corrected_over: f64,
}

impl Motion {
    /// Starts at a report.
    pub fn new(fix: Fix) -> Self {
        Self {
            fix,
            velocity: velocity(&fix).unwrap_or_default(),
            correction: (0.0, 0.0),
            turn: 0.0,
            corrected_at: fix.at,
            corrected_over: EASE,
        }
    }

    /// Takes a newer report in, at time `now`.
    pub fn report(&mut self, fix: Fix, now: f64) {
        let shown = self.place(now);
        let shown_heading = self.heading(now);
        let gap = fix.at - self.fix.at;
        self.velocity = velocity(&fix).unwrap_or_else(|| {
            // Without speed or track the way since the last report has to do.
            if gap > 500.0 && gap < AHEAD {
                let (dx, dy) = fix.place.minus(self.fix.place);
                (dx / gap, dy / gap)
            } else {
                (0.0, 0.0)
            }
        });
        self.fix = fix;
        self.correction = shown.minus(self.known(now));
        self.turn = match (shown_heading, fix.track) {
            (Some(shown), Some(track)) => turn_between(track, shown),
            _ => 0.0,
        };
        self.corrected_at = now;
        let speed = length(self.velocity);
        let size = length(self.correction);
        if size > JUMP_METRES * fix.place.per_metre() {
            self.correction = (0.0, 0.0);
        }
        self.corrected_over = if speed > 0.0 {
            let (cx, cy) = self.correction;
            let (vx, vy) = self.velocity;
            // How far it is shown ahead, along its way.
            let ahead = ((cx * vx + cy * vy) / speed).max(0.0);
            (ahead / (SLOWEST * speed)).clamp(EASE, EASE_LONGEST)
        } else {
            EASE_UNKNOWN
        };
    }

    /// Where it is shown at `now`.
    pub fn place(&self, now: f64) -> World {
        let left = self.correction_left(now, self.corrected_over);
        self.known(now)
            .plus((self.correction.0 * left, self.correction.1 * left))
    }

    /// Where its last report was.
    pub fn reported(&self) -> World {
        self.fix.place
    }

    /// Which way it is shown to point, in degrees from north; nothing when no track is known.
    pub fn heading(&self, now: f64) -> Option<f64> {
        let left = self.correction_left(now, TURN);
        self.fix
            .track
            .map(|track| (track + self.turn * left).rem_euclid(360.0))
    }

    /// Whether the picture changes with time.
    pub fn is_moving(&self, now: f64) -> bool {
        let flies = self.velocity != (0.0, 0.0) && now - self.fix.at < AHEAD;
        let corrects =
            self.correction != (0.0, 0.0) && now < self.corrected_at + self.corrected_over;
        flies || corrects || (self.turn != 0.0 && now < self.corrected_at + TURN)
    }

    /// Its speed over the projected world, per millisecond.
    pub fn speed(&self) -> f64 {
        length(self.velocity)
    }

    /// Where speed and track lead to from the last report.
    fn known(&self, now: f64) -> World {
        let ahead = (now - self.fix.at).clamp(-2_000.0, AHEAD);
        self.fix
            .place
            .plus((self.velocity.0 * ahead, self.velocity.1 * ahead))
    }

    fn correction_left(&self, now: f64, over: f64) -> f64 {
        (1.0 - (now - self.corrected_at) / over).clamp(0.0, 1.0)
    }
}

fn velocity(fix: &Fix) -> Option<(f64, f64)> {
    let (knots, track) = fix.groundspeed.zip(fix.track)?;
    let size = knots * METRES_PER_MS_PER_KNOT * fix.place.per_metre();
    let (sin, cos) = track.to_radians().sin_cos();
    Some((size * sin, -size * cos))
}

/// The shortest way from one direction to another, in degrees from -180 to 180.
fn turn_between(from: f64, to: f64) -> f64 {
    (to - from + 180.0).rem_euclid(360.0) - 180.0
}

fn length((x, y): (f64, f64)) -> f64 {
    x.hypot(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(at: f64, latitude: f64, longitude: f64, speed: Option<f64>, track: Option<f64>) -> Fix {
        let place = World::from_degrees(latitude, longitude);
        Fix {
            at,
            place,
            groundspeed: speed,
            track,
        }
    }

    #[test]
    fn it_goes_on_with_its_speed_and_track() {
        // 360 kt due north for 10 s is one nautical mile: a minute of latitude.
        let motion = Motion::new(fix(0.0, 48.0, 2.0, Some(360.0), Some(0.0)));
        let place = motion.place(10_000.0);
        assert!(
            (place.latitude() - (48.0 + 1.0 / 60.0)).abs() < 1e-3,
            "{}",
            place.latitude()
        );
        assert!((place.longitude() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn speed_and_track_are_trusted_for_half_a_minute() {
        let motion = Motion::new(fix(0.0, 48.0, 2.0, Some(360.0), Some(90.0)));
        assert_eq!(motion.place(30_000.0), motion.place(45_000.0));
        assert!(motion.is_moving(29_000.0));
        assert!(!motion.is_moving(31_000.0));
    }

    #[test]
    fn a_report_does_not_move_it_at_once() {
        let mut motion = Motion::new(fix(0.0, 48.0, 2.0, Some(300.0), Some(90.0)));
        let before = motion.place(5_000.0);
        motion.report(fix(4_500.0, 48.01, 2.0, Some(280.0), Some(80.0)), 5_000.0);
        let (dx, dy) = motion.place(5_000.0).minus(before);
        assert!(dx.hypot(dy) < 1e-12);
        // And it ends where the report leads.
        let fresh = Motion::new(fix(4_500.0, 48.01, 2.0, Some(280.0), Some(80.0)));
        let (dx, dy) = motion.place(20_000.0).minus(fresh.place(20_000.0));
        assert!(dx.hypot(dy) < 1e-12);
    }

    #[test]
    fn shown_too_far_ahead_it_slows_down_and_never_goes_back() {
        let mut motion = Motion::new(fix(0.0, 48.0, 2.0, Some(400.0), Some(90.0)));
        // It really flew at half the speed for 20 s.
        let reality = Motion::new(fix(0.0, 48.0, 2.0, Some(200.0), Some(90.0)));
        let place = reality.place(20_000.0);
        let late = Fix {
            at: 20_000.0,
            place,
            groundspeed: Some(200.0),
            track: Some(90.0),
        };
        motion.report(late, 20_000.0);
        let mut last = motion.place(20_000.0).x;
        let mut now = 20_000.0;
        while now < 50_000.0 {
            now += 16.0;
            let x = motion.place(now).x;
            assert!(x > last, "went back at {now}");
            last = x;
        }
    }

    #[test]
    fn without_a_speed_it_glides_from_report_to_report() {
        let mut motion = Motion::new(fix(0.0, 48.0, 2.0, None, None));
        assert_eq!(motion.heading(0.0), None);
        motion.report(fix(4_000.0, 48.0, 2.01, None, None), 4_000.0);
        assert!(motion.is_moving(4_100.0));
        let x0 = motion.place(4_100.0).x;
        let x1 = motion.place(5_000.0).x;
        assert!(x1 > x0);
    }

    #[test]
    fn it_turns_the_short_way() {
        let mut motion = Motion::new(fix(0.0, 48.0, 2.0, Some(300.0), Some(350.0)));
        motion.report(fix(4_000.0, 48.03, 2.0, Some(300.0), Some(10.0)), 4_000.0);
        let half = motion.heading(4_750.0).unwrap();
        assert!((half + 180.0) % 360.0 - 180.0 < 1e-6, "{half}");
        assert_eq!(motion.heading(6_000.0), Some(10.0));
    }

    #[test]
    fn a_place_far_away_is_taken_at_once() {
        let mut motion = Motion::new(fix(0.0, 48.0, 2.0, Some(300.0), Some(90.0)));
        motion.report(fix(1_000.0, 50.0, 8.0, Some(300.0), Some(90.0)), 1_000.0);
        assert_eq!(motion.place(1_000.0), World::from_degrees(50.0, 8.0));
    }
}
