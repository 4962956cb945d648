//! Latencies, and the quantiles of them.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::error::LoadError;

/// The longest latency that is told apart from longer ones, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// Latencies to three digits.
pub(crate) struct Latencies(Histogram<u64>);

/// What is told of latencies, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) max_us: f64,
}

impl Latencies {
    pub(crate) fn new() -> Result<Self, LoadError> {
        Histogram::new_with_max(LONGEST, 3)
            .map(Self)
            .map_err(LoadError::Histogram)
    }

    pub(crate) fn add(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanoseconds);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        let microseconds = |quantile| self.0.value_at_quantile(quantile) as f64 / 1000.0;
        Quantiles {
            p50_us: microseconds(0.5),
            p99_us: microseconds(0.99),
            p999_us: microseconds(0.999),
            max_us: microseconds(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand latencies of 1 to 1,000 ms: each quantile is the one it is called.
    #[test]
    fn quantiles_are_those_of_the_latencies() {
        let mut latencies = Latencies::new().unwrap();
        for milliseconds in 1..=1000 {
            latencies.add(Duration::from_millis(milliseconds));
        }
        latencies.add(Duration::from_secs(3600));
        assert_eq!(latencies.count(), 1001);
        let told = latencies.quantiles();
        for (value, expected) in [
            (told.p50_us, 501_000.0),
            (told.p99_us, 991_000.0),
            (told.p999_us, 1_000_000.0),
            (told.max_us, 60_000_000.0),
        ] {
            assert!((value / expected - 1.0).abs() < 0.002, "{told:?}");
        }
    }
}
