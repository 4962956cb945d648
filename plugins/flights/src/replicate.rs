//! Copies of the traffic, for load: the same flights, moved and turned elsewhere over Europe.
//!
//! The first copy is the traffic itself. Every other one has a place and a direction of its own,
//! always the same for the same number, and addresses and callsigns that no other aircraft has.
//! Distances, speeds and the angle between track and movement stay true.

use crate::recording::{Aircraft, Recording};

/// How many copies there may be.
pub(crate) const MAX_COPIES: u32 = 1000;

/// Copies get addresses from here: ICAO has allotted none of this block to a state, so that no
/// copy is taken for a real aircraft.
const FIRST_ADDRESS: usize = 0xF1_0000;

/// Where copies are put: degrees north and east.
const LATITUDES: (f64, f64) = (39.5, 58.0);
const LONGITUDES: (f64, f64) = (-9.0, 22.0);

/// Steps of a sequence that fills a rectangle evenly however many points are taken: the powers
/// of the inverse plastic number; for directions the inverse golden ratio.
const PLASTIC: (f64, f64) = (0.754_877_666_246_692_8, 0.569_840_290_998_053_2);
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// More copies than there are addresses.
#[derive(Debug, thiserror::Error)]
#[error(
    "{copies} copies of {aircraft} aircraft are more than there are addresses for; ask for fewer"
)]
pub(crate) struct TooManyCopies {
    copies: u32,
    aircraft: usize,
}

/// Where a copy is, and how it is turned.
struct Place {
    latitude: f64,
    longitude: f64,
    /// Degrees clockwise.
    turn: f64,
}

/// The copies of one recording.
pub(crate) struct Copies {
    /// The addresses of the recording, sorted; the number of an aircraft is its place here.
    addresses: Vec<String>,
    centre: (f64, f64),
    /// One for each copy beside the first.
    places: Vec<Place>,
}

impl Copies {
    /// `copies` in all, at least one.
    pub(crate) fn new(recording: &Recording, copies: u32) -> Result<Self, TooManyCopies> {
        let addresses = recording.addresses().to_vec();
        let needed = addresses
            .len()
            .saturating_mul(copies.saturating_sub(1) as usize);
        if copies > MAX_COPIES || needed > 0xFF_FFFF - FIRST_ADDRESS {
            return Err(TooManyCopies {
                copies,
                aircraft: addresses.len(),
            });
        }
        let places = (1..copies).map(|number| {
            let at = |step: f64, (low, high): (f64, f64)| {
                low + (0.5 + step * f64::from(number)).fract() * (high - low)
            };
            Place {
                latitude: at(PLASTIC.0, LATITUDES),
                longitude: at(PLASTIC.1, LONGITUDES),
                turn: at(GOLDEN, (0.0, 360.0)),
            }
        });
        Ok(Self {
            places: places.collect(),
            centre: centre(recording),
            addresses,
        })
    }

    /// The aircraft and its copies.
    pub(crate) fn of<'a>(&'a self, aircraft: &'a Aircraft) -> impl Iterator<Item = Aircraft> + 'a {
        let number = self
            .addresses
            .binary_search(&aircraft.icao24)
            .unwrap_or_default();
        let copies = self.places.iter().enumerate().map(move |(copy, place)| {
            let index = copy * self.addresses.len() + number;
            self.moved(aircraft, place, index)
        });
        std::iter::once(aircraft.clone()).chain(copies)
    }

    fn moved(&self, aircraft: &Aircraft, place: &Place, index: usize) -> Aircraft {
        // Degrees of latitude on a plane around the centre; fine for a region of a few degrees.
        let east = (aircraft.longitude - self.centre.1) * self.centre.0.to_radians().cos();
        let north = aircraft.latitude - self.centre.0;
        let (sin, cos) = place.turn.to_radians().sin_cos();
        let (east, north) = (east * cos + north * sin, north * cos - east * sin);
        let latitude = (place.latitude + north).clamp(-85.0, 85.0);
        let longitude = place.longitude + east / place.latitude.to_radians().cos();
        Aircraft {
            icao24: format!("{:06x}", FIRST_ADDRESS + index),
            callsign: aircraft
                .callsign
                .as_deref()
                .map(|callsign| renamed(callsign, index)),
            latitude: rounded(latitude, 100_000.0),
            longitude: rounded((longitude + 180.0).rem_euclid(360.0) - 180.0, 100_000.0),
            track: aircraft
                .track
                .map(|track| rounded((track + place.turn) % 360.0, 10.0)),
            ..aircraft.clone()
        }
    }
}

/// The middle of the recording's area, (north, east).
fn centre(recording: &Recording) -> (f64, f64) {
    let middle = |of: fn(&Aircraft) -> f64| {
        let values = recording.reports().iter().map(of);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        f64::midpoint(low, high)
    };
    (middle(|a| a.latitude), middle(|a| a.longitude))
}

/// A callsign of eight characters, the most that ADS-B carries: the operator of the original,
/// an `X`, and the number of the copy in base 32.
fn renamed(callsign: &str, index: usize) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWZ";
    let operator: String = callsign.chars().chain("XXX".chars()).take(3).collect();
    let digits = (0..4)
        .rev()
        .map(|place| char::from(DIGITS[(index >> (place * 5)) & 31]));
    format!("{operator}X{}", digits.collect::<String>())
}

fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fleet::Fleet;

    fn sky(copies: u32, seconds: u64) -> Vec<Aircraft> {
        let mut fleet = Fleet::new(Recording::built_in().unwrap());
        fleet.move_to(seconds * 1000);
        let copies = Copies::new(fleet.recording(), copies).unwrap();
        fleet
            .aircraft()
            .flat_map(|aircraft| copies.of(aircraft))
            .collect()
    }

    /// Sixty copies are two thousand aircraft, all with addresses, callsigns and places of
    /// their own, all over Europe.
    #[test]
    fn copies_are_distinct_and_over_europe() {
        let all = sky(60, 0);
        assert!(all.len() >= 2000, "{}", all.len());
        let addresses: BTreeSet<_> = all.iter().map(|a| &a.icao24).collect();
        let callsigns: BTreeSet<_> = all.iter().filter_map(|a| a.callsign.as_ref()).collect();
        let places: BTreeSet<_> = all
            .iter()
            .map(|a| (a.latitude.to_bits(), a.longitude.to_bits()))
            .collect();
        assert_eq!(addresses.len(), all.len());
        assert_eq!(callsigns.len(), all.len());
        assert_eq!(places.len(), all.len());
        for aircraft in &all {
            assert!((36.0..=61.0).contains(&aircraft.latitude), "{aircraft:?}");
            assert!((-14.0..=27.0).contains(&aircraft.longitude), "{aircraft:?}");
            assert!(
                aircraft
                    .callsign
                    .as_ref()
                    .is_none_or(|callsign| callsign.len() <= 8)
            );
            assert!(
                aircraft
                    .track
                    .is_none_or(|track| (0.0..=360.0).contains(&track))
            );
        }
        // Every quarter of the area has its share.
        for (north, east) in [(false, false), (false, true), (true, false), (true, true)] {
            let quarter = all
                .iter()
                .filter(|a| (a.latitude > 48.7) == north && (a.longitude > 6.5) == east)
                .count();
            assert!(quarter > all.len() / 8, "{quarter} of {}", all.len());
        }
    }

    /// The first copy is the traffic itself, and the same number always gives the same copies.
    #[test]
    fn copies_are_deterministic() {
        let original = sky(1, 100);
        let copies = sky(3, 100);
        assert_eq!(copies, sky(3, 100));
        assert_eq!(
            copies.iter().step_by(3).cloned().collect::<Vec<_>>(),
            original
        );
        assert_eq!(copies.len(), 3 * original.len());
    }

    /// A copy flies where its nose points: the way between two moments agrees with its track as
    /// well as the original's does, and is as long.
    #[test]
    fn a_copy_flies_along_its_track() {
        let way = |copies: u32, copy: usize| {
            let (before, after) = (sky(copies, 0), sky(copies, 20));
            let (from, to) = before
                .chunks(copies as usize)
                .find_map(|group| {
                    let from = &group[copy];
                    let to = after.iter().find(|a| a.icao24 == from.icao24)?;
                    // A straight flight at cruising speed, for a steady comparison.
                    let straight = (from.track? - to.track?).abs() < 0.5;
                    (straight && from.groundspeed? > 350).then(|| (from.clone(), to.clone()))
                })
                .unwrap();
            let north = to.latitude - from.latitude;
            let east = (to.longitude - from.longitude) * from.latitude.to_radians().cos();
            let error = (east.atan2(north).to_degrees() - from.track.unwrap() + 540.0)
                .rem_euclid(360.0)
                - 180.0;
            (east.hypot(north), error)
        };
        let (length, error) = way(1, 0);
        assert!(error.abs() < 5.0, "{error}");
        for copy in 1..6 {
            let (copied_length, copied_error) = way(6, copy);
            assert!(
                (copied_length / length - 1.0).abs() < 0.05,
                "{copied_length} {length}"
            );
            assert!((copied_error - error).abs() < 3.0, "{copied_error} {error}");
        }
    }

    /// More copies than addresses are refused.
    #[test]
    fn the_number_of_copies_is_bounded() {
        let recording = Recording::built_in().unwrap();
        assert!(Copies::new(&recording, MAX_COPIES).is_ok());
        let error = Copies::new(&recording, MAX_COPIES + 1).err().unwrap();
        assert!(error.to_string().contains("ask for fewer"));
    }
}
