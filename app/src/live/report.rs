//! What the plugin `flights` publishes, as this page reads it.

use serde::Deserialize;

/// The payload of `positions` and `snapshot`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Positions {
    /// The recording's clock, milliseconds since 1970.
    pub time: f64,
    /// The recording has begun again: what is older is to be forgotten.
    #[serde(default)]
    pub restart: bool,
    /// Aircraft that have news; in a snapshot all that are not stale.
    #[serde(default)]
    pub aircraft: Vec<Report>,
}

/// The state of one aircraft at its last report. What was not reported is absent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Report {
    /// The address of its transponder: six hexadecimal digits.
    pub icao24: String,
    /// The name of the flight.
    #[serde(default)]
    pub callsign: Option<String>,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Feet.
    #[serde(default)]
    pub altitude: Option<f64>,
    /// Knots over ground.
    #[serde(default)]
    pub groundspeed: Option<f64>,
    /// Degrees from true north.
    #[serde(default)]
    pub track: Option<f64>,
    /// Feet a minute, climbing is positive.
    #[serde(default)]
    pub vertical_rate: Option<f64>,
    /// Whether it stands or rolls.
    #[serde(default)]
    pub onground: bool,
    /// The transponder code: four octal digits.
    #[serde(default)]
    pub squawk: Option<String>,
    /// When it was made, milliseconds of the recording since 1970.
    pub seen: f64,
}

impl Report {
    /// Whether it names a place on Earth.
    pub fn is_sane(&self) -> bool {
        !self.icao24.is_empty()
            && self.latitude.abs() <= 90.0
            && self.longitude.abs() <= 180.0
            && self.seen.is_finite()
    }

    /// The callsign, or the address where there is none.
    pub fn name(&self) -> &str {
        self.callsign
            .as_deref()
            .map(str::trim)
            .filter(|c| !c.is_empty())
            .unwrap_or(&self.icao24)
    }
}
