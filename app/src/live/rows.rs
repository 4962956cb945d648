//! The list beside the map: which aircraft it shows, in which order.

use std::cmp::Ordering;
use std::sync::Arc;

use super::altitude::Band;
use super::fleet::Fleet;

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Key {
    /// The callsign, or the address where there is none.
    #[default]
    Callsign,
    /// The altitude.
    Altitude,
    /// The speed over ground.
    Speed,
    /// The time of the last report.
    Seen,
}

impl Key {
    /// All of them, in the order of the list's head.
    pub const ALL: [Key; 4] = [Key::Callsign, Key::Altitude, Key::Speed, Key::Seen];

    /// What the head says.
    pub fn title(self) -> &'static str {
        match self {
            Key::Callsign => "Callsign",
            Key::Altitude => "Altitude",
            Key::Speed => "Speed",
            Key::Seen => "Seen",
        }
    }
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The aircraft.
    pub id: Arc<str>,
    /// Its callsign or address.
    pub name: String,
    /// Feet.
    pub altitude: Option<f64>,
    /// Knots.
    pub speed: Option<f64>,
    /// How long ago the last report was, in seconds of the recording.
    pub age: f64,
    /// The colour.
    pub band: Band,
    /// Whether it has no news.
    pub stale: bool,
}

/// The aircraft whose callsign, address or squawk holds `search`, sorted. What lacks the value
/// that it is sorted by stands at the end whichever way; equals stand by name.
pub fn rows(fleet: &Fleet, search: &str, key: Key, descending: bool, page: f64) -> Vec<Row> {
    let Some(now) = fleet.now(page) else {
        return Vec::new();
    };
    let search = search.trim().to_lowercase();
    let mut rows: Vec<Row> = fleet
        .aircraft()
        .iter()
        .filter(|a| {
            let holds = |text: &str| text.to_lowercase().contains(&search);
            search.is_empty()
                || holds(&a.report.icao24)
                || a.report.callsign.as_deref().is_some_and(holds)
                || a.report.squawk.as_deref().is_some_and(holds)
        })
        .map(|a| Row {
            id: Arc::clone(&a.id),
            name: a.report.name().to_owned(),
            altitude: a.report.altitude,
            speed: a.report.groundspeed,
            age: ((now - a.report.seen) / 1000.0).max(0.0),
            band: Band::of(&a.report),
            stale: a.is_stale(now),
        })
        .collect();
    rows.sort_unstable_by(|a, b| {
        let order = match key {
            Key::Callsign => turned(a.name.cmp(&b.name), descending),
            Key::Altitude => by_value(a.altitude, b.altitude, descending),
            Key::Speed => by_value(a.speed, b.speed, descending),
            // Whole seconds, as they are shown; else the list would never rest.
            Key::Seen => by_value(Some(a.age.floor()), Some(b.age.floor()), descending),
        };
        order
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.id.cmp(&b.id))
    });
    rows
}

fn by_value(a: Option<f64>, b: Option<f64>, descending: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => turned(a.total_cmp(&b), descending),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn turned(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

#[cfg(test)]
mod tests {
    use super::super::fleet::tests::report;
    use super::super::report::Positions;
    use super::*;

    fn fleet() -> Fleet {
        let mut one = report("39ab01", 48.0, 1_000.0);
        one.callsign = Some("AFR12".into());
        one.altitude = Some(9_000.0);
        one.squawk = Some("7700".into());
        let mut two = report("406a02", 48.1, 9_000.0);
        two.callsign = Some("EZY7".into());
        two.altitude = None;
        let mut three = report("000003", 48.2, 5_000.0);
        three.altitude = Some(37_000.0);
        let mut fleet = Fleet::default();
        let aircraft = vec![one, two, three];
        fleet.apply(
            Positions {
                time: 10_000.0,
                restart: false,
                aircraft,
            },
            0.0,
        );
        fleet
    }

    fn names(search: &str, key: Key, descending: bool) -> Vec<String> {
        rows(&fleet(), search, key, descending, 0.0)
            .into_iter()
            .map(|row| row.name)
            .collect()
    }

    #[test]
    fn it_sorts_both_ways_and_keeps_the_unknown_last() {
        assert_eq!(names("", Key::Callsign, false), ["000003", "AFR12", "EZY7"]);
        assert_eq!(names("", Key::Altitude, false), ["AFR12", "000003", "EZY7"]);
        assert_eq!(names("", Key::Altitude, true), ["000003", "AFR12", "EZY7"]);
        assert_eq!(names("", Key::Seen, false), ["EZY7", "000003", "AFR12"]);
    }

    #[test]
    fn it_finds_callsign_address_and_squawk_in_any_case() {
        assert_eq!(names(" afr ", Key::Callsign, false), ["AFR12"]);
        assert_eq!(names("406A", Key::Callsign, false), ["EZY7"]);
        assert_eq!(names("7700", Key::Callsign, false), ["AFR12"]);
        assert!(names("zzz", Key::Callsign, false).is_empty());
    }
}
