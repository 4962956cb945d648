//! Altitude as colour: the bands of the legend.

use super::report::Report;

/// A band of altitude, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// On the ground.
    Ground,
    /// Below 5,000 ft.
    To5,
    /// Below 10,000 ft.
    To10,
    /// Below 20,000 ft.
    To20,
    /// Below 30,000 ft.
    To30,
    /// Below 37,000 ft.
    To37,
    /// Higher.
    Above,
    /// Not reported.
    Unknown,
}

impl Band {
    /// All of them, as the legend lists them.
    pub const ALL: [Band; 8] = [
        Band::Ground,
        Band::To5,
        Band::To10,
        Band::To20,
        Band::To30,
        Band::To37,
        Band::Above,
        Band::Unknown,
    ];

    /// The band of a report.
    pub fn of(report: &Report) -> Self {
        if report.onground {
            Band::Ground
        } else {
            Self::of_altitude(report.altitude)
        }
    }

    /// The band of an altitude in feet.
    pub fn of_altitude(feet: Option<f64>) -> Self {
        match feet {
            None => Band::Unknown,
            Some(feet) if feet < 5_000.0 => Band::To5,
            Some(feet) if feet < 10_000.0 => Band::To10,
            Some(feet) if feet < 20_000.0 => Band::To20,
            Some(feet) if feet < 30_000.0 => Band::To30,
            Some(feet) if feet < 37_000.0 => Band::To37,
            Some(_) => Band::Above,
        }
    }

    /// Its place in [`Band::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The custom property that holds its colour.
    pub fn token(self) -> &'static str {
        match self {
            Band::Ground => "--altitude-ground",
            Band::To5 => "--altitude-1",
            Band::To10 => "--altitude-2",
            Band::To20 => "--altitude-3",
            Band::To30 => "--altitude-4",
            Band::To37 => "--altitude-5",
            Band::Above => "--altitude-6",
            Band::Unknown => "--altitude-unknown",
        }
    }

    /// What the legend says, in thousands of feet.
    pub fn title(self) -> &'static str {
        match self {
            Band::Ground => "ground",
            Band::To5 => "0",
            Band::To10 => "5",
            Band::To20 => "10",
            Band::To30 => "20",
            Band::To37 => "30",
            Band::Above => "37",
            Band::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_begins_at_its_figure() {
        assert_eq!(Band::of_altitude(Some(4_999.0)), Band::To5);
        assert_eq!(Band::of_altitude(Some(5_000.0)), Band::To10);
        assert_eq!(Band::of_altitude(Some(41_000.0)), Band::Above);
        assert_eq!(Band::of_altitude(None), Band::Unknown);
    }

    #[test]
    fn the_index_is_the_place_in_the_legend() {
        for (i, band) in Band::ALL.into_iter().enumerate() {
            assert_eq!(band.index(), i);
        }
    }
}
