//! The recording: reports of aircraft, in the order of their time.
//!
//! A report is the whole of what is known of an aircraft at one moment, in the very shape in
//! which it is published. Gaps of the recording stay gaps. A recording that was read is sound:
//! not empty, sorted, positions on the globe, at most [`MAX_REPORTS`] reports.

use std::io::Read;

use serde::{Deserialize, Serialize};

/// The longest recording, in reports: a bound on memory, far above a day of one region.
pub(crate) const MAX_REPORTS: usize = 2_000_000;

/// The recording that is built in; its provenance is told in `data/README.md`.
const BUILT_IN: &[u8] = include_bytes!("../data/flights_paris_20211007_1330_20min.csv");

/// An aircraft as it last reported itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Aircraft {
    /// The 24-bit address, six lower case hexadecimal digits.
    pub(crate) icao24: String,
    pub(crate) callsign: Option<String>,
    /// Degrees north.
    pub(crate) latitude: f64,
    /// Degrees east.
    pub(crate) longitude: f64,
    /// Feet.
    pub(crate) altitude: Option<i32>,
    /// Knots.
    pub(crate) groundspeed: Option<u32>,
    /// Degrees from true north, clockwise.
    pub(crate) track: Option<f64>,
    /// Feet per minute.
    pub(crate) vertical_rate: Option<i32>,
    pub(crate) onground: bool,
    pub(crate) squawk: Option<String>,
    /// When it reported this: milliseconds UTC of the recording.
    pub(crate) seen: u64,
}

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordingError {
    /// Not CSV, a column is missing, or a cell is not what its column holds.
    #[error("the recording cannot be read: {0}")]
    Csv(#[from] csv::Error),
    /// A cell that parses but cannot be.
    #[error("the recording cannot be read: line {line}: {reason}")]
    Implausible { line: u64, reason: &'static str },
    /// No rows.
    #[error("the recording holds no reports")]
    Empty,
    /// More than [`MAX_REPORTS`].
    #[error("the recording holds more than {MAX_REPORTS} reports; use a shorter one")]
    TooLong,
}

/// Reports in the order of their time.
#[derive(Debug)]
pub(crate) struct Recording {
    reports: Vec<Aircraft>,
    addresses: Vec<String>,
    first: u64,
    last: u64,
}

impl Recording {
    /// The recording that is built in.
    pub(crate) fn built_in() -> Result<Self, RecordingError> {
        Self::read(BUILT_IN)
    }

    /// Reads CSV with the columns of the built-in recording, in any order.
    pub(crate) fn read(csv: impl Read) -> Result<Self, RecordingError> {
        let mut reports = Vec::new();
        for row in csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(csv)
            .deserialize()
        {
            if reports.len() == MAX_REPORTS {
                return Err(RecordingError::TooLong);
            }
            let row: Row = row?;
            let line = reports.len() as u64 + 2;
            let report = row
                .check()
                .map_err(|reason| RecordingError::Implausible { line, reason })?;
            reports.push(report);
        }
        reports.sort_by_key(|report| report.seen);
        let (Some(first), Some(last)) = (reports.first(), reports.last()) else {
            return Err(RecordingError::Empty);
        };
        let (first, last) = (first.seen, last.seen);
        let mut addresses: Vec<_> = reports.iter().map(|report| report.icao24.clone()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        Ok(Self {
            reports,
            addresses,
            first,
            last,
        })
    }

    /// Every report, the earliest first.
    pub(crate) fn reports(&self) -> &[Aircraft] {
        &self.reports
    }

    /// The addresses of all aircraft, sorted, each once.
    pub(crate) fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The time of the first report, in milliseconds UTC.
    pub(crate) fn begins(&self) -> u64 {
        self.first
    }

    /// How long one round takes, in milliseconds: the last reports are shown for a second
    /// before the recording starts again.
    pub(crate) fn length(&self) -> u64 {
        self.last - self.first + 1000
    }
}

/// A row as it stands in the file.
#[derive(Deserialize)]
struct Row {
    timestamp_ms: u64,
    icao24: String,
    callsign: Option<String>,
    latitude: f64,
    longitude: f64,
    altitude_ft: Option<i32>,
    groundspeed_kt: Option<u32>,
    track_deg: Option<f64>,
    vertical_rate_fpm: Option<i32>,
    onground: u8,
    squawk: Option<String>,
}

impl Row {
    fn check(self) -> Result<Aircraft, &'static str> {
        if self.icao24.len() != 6 || !self.icao24.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("icao24 must be six hexadecimal digits");
        }
        // The comparisons are false for what is not a number, too.
        if !(-90.0..=90.0).contains(&self.latitude) || !(-180.0..=180.0).contains(&self.longitude) {
            return Err("latitude or longitude is not on the globe");
        }
        if self
            .track_deg
            .is_some_and(|track| !(0.0..=360.0).contains(&track))
        {
            return Err("track_deg must lie between 0 and 360");
        }
        // JavaScript, which reads the published numbers, is exact up to 2^53.
        if self.timestamp_ms > 1 << 53 {
            return Err("timestamp_ms is too large");
        }
        Ok(Aircraft {
            icao24: self.icao24.to_ascii_lowercase(),
            callsign: self.callsign,
            latitude: self.latitude,
            longitude: self.longitude,
            altitude: self.altitude_ft,
            groundspeed: self.groundspeed_kt,
            track: self.track_deg,
            vertical_rate: self.vertical_rate_fpm,
            onground: self.onground != 0,
            squawk: self.squawk,
            seen: self.timestamp_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "timestamp_ms,icao24,callsign,latitude,longitude,altitude_ft,\
                          groundspeed_kt,track_deg,vertical_rate_fpm,onground,squawk\n";

    fn read(rows: &str) -> Result<Recording, RecordingError> {
        Recording::read(format!("{HEADER}{rows}").as_bytes())
    }

    /// The built-in recording is the one that its README describes.
    #[test]
    fn the_built_in_recording_is_whole() {
        let recording = Recording::built_in().unwrap();
        assert_eq!(recording.reports().len(), 9447);
        assert_eq!(recording.addresses().len(), 60);
        assert_eq!(recording.begins(), 1_633_613_400_000);
        assert_eq!(recording.length(), 1_200_000);
        assert!(recording.reports().is_sorted_by_key(|report| report.seen));
    }

    /// Empty cells are null and not zero, as many as the file has.
    #[test]
    fn gaps_stay_gaps() {
        let recording = Recording::built_in().unwrap();
        let gaps = |gap: fn(&Aircraft) -> bool| {
            recording
                .reports()
                .iter()
                .filter(|report| gap(report))
                .count()
        };
        assert_eq!(gaps(|a| a.altitude.is_none()), 2021);
        assert_eq!(gaps(|a| a.groundspeed.is_none()), 1172);
        assert_eq!(gaps(|a| a.track.is_none()), 1172);
        assert_eq!(gaps(|a| a.vertical_rate.is_none()), 1172);
        assert_eq!(gaps(|a| a.squawk.is_none()), 450);
        let gap = recording
            .reports()
            .iter()
            .find(|a| a.altitude.is_none())
            .unwrap();
        assert!(
            serde_json::to_string(gap)
                .unwrap()
                .contains(r#""altitude":null"#)
        );
    }

    /// A squawk is four octal digits, not a number: leading zeros matter.
    #[test]
    fn a_squawk_keeps_its_zeros() {
        let recording = read("1,aBcdef,,1,2,,,,,1,0021\n").unwrap();
        let report = &recording.reports()[0];
        assert_eq!(report.squawk.as_deref(), Some("0021"));
        assert_eq!(report.icao24, "abcdef");
        assert_eq!(report.callsign, None);
        assert!(report.onground);
    }

    /// What is no recording is refused with the line that shows it.
    #[test]
    fn nonsense_is_refused() {
        let good = "1,abcdef,,1,2,,,,,0,\n";
        for bad in [
            "2,xyz,,1,2,,,,,0,",
            "2,abcdef,,91,2,,,,,0,",
            "2,abcdef,,NaN,2,,,,,0,",
        ] {
            let error = read(&format!("{good}{bad}\n")).unwrap_err().to_string();
            assert!(error.contains("line 3"), "{error}");
        }
        assert!(matches!(
            read("1,abcdef,,1,2,high,,,,0,\n"),
            Err(RecordingError::Csv(_))
        ));
        assert!(matches!(read("1,abcdef\n"), Err(RecordingError::Csv(_))));
        assert!(matches!(read(""), Err(RecordingError::Empty)));
        assert!(matches!(
            Recording::read(&b"a,b\n1,2\n"[..]),
            Err(RecordingError::Csv(_))
        ));
    }
}
