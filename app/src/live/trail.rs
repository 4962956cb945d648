//! Trails: the way that an aircraft has come, in pieces by colour.

use super::altitude::Band;
use super::fleet::{Aircraft, HISTORY};
use super::projection::View;

/// The most pieces in a picture when all aircraft show their trails.
const MOST: usize = 24_000;
/// The fewest reports that a trail goes back, however many aircraft there are.
const SHORTEST: usize = 8;
/// A pause between reports that a trail does not bridge, in milliseconds.
const GAP: f64 = 45_000.0;

/// A piece in CSS pixels: from x, y to x, y.
pub type Piece = [f32; 4];

/// The pieces of one picture, one list per band.
#[derive(Debug, Clone)]
pub struct Trails {
    by_band: Vec<Vec<Piece>>,
}

impl Default for Trails {
    fn default() -> Self {
        Self {
            by_band: vec![Vec::new(); Band::ALL.len()],
        }
    }
}

impl Trails {
    /// How many reports each of `aircraft` trails may go back.
    pub fn share(aircraft: usize) -> usize {
        (MOST / aircraft.max(1)).clamp(SHORTEST, HISTORY)
    }

    /// Adds the way from `most` reports ago to where the aircraft is shown at `now`.
    pub fn add(&mut self, aircraft: &Aircraft, view: &View, now: f64, moving: bool, most: usize) {
        let mut to = view.to_screen(aircraft.place(now, moving));
        let mut later = now;
        for past in aircraft.history.iter().rev().take(most) {
            let from = view.to_screen(past.place);
            if later - past.at < GAP
                && (view.shows(from, 0.0) || view.shows(to, 0.0))
                && let Some(pieces) = self.by_band.get_mut(past.band.index())
            {
                pieces.push([from.0 as f32, from.1 as f32, to.0 as f32, to.1 as f32]);
            }
            to = from;
            later = past.at;
        }
    }

    /// The pieces of each band in the order of [`Band::ALL`]; who draws them drains them.
    pub fn by_band(&mut self) -> impl Iterator<Item = &mut Vec<Piece>> {
        self.by_band.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fleet::Fleet;
    use super::super::fleet::tests::report;
    use super::super::report::Positions;
    use super::*;

    fn pieces(seen: &[f64]) -> Vec<(Band, usize)> {
        let mut fleet = Fleet::default();
        for at in seen {
            let mut one = report("a", 48.0 + at / 1e6, *at);
            one.altitude = Some(if *at < 5_000.0 { 4_000.0 } else { 6_000.0 });
            fleet.apply(
                Positions {
                    time: *at,
                    restart: false,
                    aircraft: vec![one],
                },
                *at,
            );
        }
        let last = seen.last().copied().unwrap_or_default();
        let view = View::new(48.0, 2.0, 8.0, 400.0, 400.0);
        let mut trails = Trails::default();
        trails.add(fleet.get("a").unwrap(), &view, last, true, HISTORY);
        Band::ALL
            .into_iter()
            .zip(trails.by_band())
            .map(|(band, pieces)| (band, pieces.len()))
            .filter(|(_, pieces)| *pieces > 0)
            .collect()
    }

    #[test]
    fn each_piece_has_the_colour_of_the_report_it_begins_at() {
        let expected = [(Band::To5, 2), (Band::To10, 1)];
        assert_eq!(pieces(&[0.0, 4_000.0, 8_000.0]), expected);
    }

    #[test]
    fn a_long_silence_is_not_bridged() {
        assert_eq!(pieces(&[0.0, 50_000.0]), [(Band::To10, 1)]);
    }

    #[test]
    fn many_aircraft_have_shorter_trails() {
        assert_eq!(Trails::share(10), HISTORY);
        assert_eq!(Trails::share(2_000), 12);
        assert_eq!(Trails::share(10_000), SHORTEST);
    }
}
