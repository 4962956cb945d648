//! What holds for all of the traffic at once: where it is, and how often it needs a new picture.

use super::fleet::Fleet;

/// Movement between two pictures, in CSS pixels.
const STEP: f64 = 0.25;
/// The longest wait between two pictures while something moves, in milliseconds.
const LONGEST: f64 = 200.0;
/// The same where only fading is shown.
const FADING: f64 = 1_000.0;

/// A part of the world in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The least longitude.
    pub west: f64,
    /// The least latitude.
    pub south: f64,
    /// The largest longitude.
    pub east: f64,
    /// The largest latitude.
    pub north: f64,
}

/// The part of the world that holds every last report; nothing without any.
pub fn bounds(fleet: &Fleet) -> Option<Bounds> {
    fleet
        .aircraft()
        .iter()
        .map(|a| (a.report.latitude, a.report.longitude))
        .fold(None, |bounds: Option<Bounds>, (latitude, longitude)| {
            let here = Bounds {
                west: longitude,
                south: latitude,
                east: longitude,
                north: latitude,
            };
            let b = bounds.unwrap_or(here);
            Some(Bounds {
                west: b.west.min(longitude),
                south: b.south.min(latitude),
                east: b.east.max(longitude),
                north: b.north.max(latitude),
            })
        })
}

/// Milliseconds until a new picture differs from one made at the page's time `page`, when the
/// whole world is `scale` pixels wide; nothing when none will before the next message.
pub fn next_picture(fleet: &Fleet, page: f64, scale: f64, moving: bool) -> Option<f64> {
    let now = fleet.now(page)?;
    if !moving {
        return fleet
            .aircraft()
            .iter()
            .any(|a| a.is_stale(now))
            .then_some(FADING);
    }
    let fastest = fleet
        .aircraft()
        .iter()
        .filter(|a| a.motion.is_moving(now))
        .map(|a| a.motion.speed())
        .reduce(f64::max)?;
    let pixels_per_ms = fastest * scale * fleet.rate();
    Some((STEP / pixels_per_ms.max(f64::MIN_POSITIVE)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::super::fleet::tests::report;
    use super::super::report::Positions;
    use super::*;

    fn fleet() -> Fleet {
        let mut fleet = Fleet::default();
        let aircraft = vec![report("a", 48.0, 0.0), report("b", 49.5, 0.0)];
        fleet.apply(
            Positions {
                time: 0.0,
                restart: false,
                aircraft,
            },
            0.0,
        );
        fleet
    }

    #[test]
    fn the_bounds_hold_everything() {
        let b = bounds(&fleet()).unwrap();
        assert_eq!((b.south, b.north, b.west, b.east), (48.0, 49.5, 2.0, 2.0));
        assert_eq!(bounds(&Fleet::default()), None);
    }

    #[test]
    fn a_closer_look_needs_more_pictures() {
        let fleet = fleet();
        let far = next_picture(&fleet, 0.0, 512.0 * 64.0, true).unwrap();
        let near = next_picture(&fleet, 0.0, 512.0 * 4096.0, true).unwrap();
        assert_eq!(far, LONGEST);
        assert!(near < 40.0 && near > 5.0, "{near}");
    }

    #[test]
    fn what_stands_still_needs_none() {
        assert_eq!(next_picture(&fleet(), 0.0, 512.0, false), None);
        // Speed and track are trusted for half a minute.
        assert_eq!(next_picture(&fleet(), 40_000.0, 512.0, true), None);
    }
}
