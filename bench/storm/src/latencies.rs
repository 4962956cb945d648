//! How long things took, as a histogram of microseconds.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::error::StormError;
use crate::report::milliseconds;

/// From 1 µs to a minute, three digits.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Self, StormError> {
        Histogram::new_with_bounds(1, 60_000_000, 3)
            .map(Self)
            .map_err(|error| StormError::Latencies(error.to_string()))
    }

    pub(crate) fn record(&mut self, took: Duration) {
        self.0
            .saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn p99(&self) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(0.99))
    }

    pub(crate) fn most(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }

    /// Median, p99 and maximum for the eye.
    pub(crate) fn in_words(&self) -> String {
        let median = Duration::from_micros(self.0.value_at_quantile(0.5));
        format!(
            "p50 {}, p99 {}, max {} of {}",
            milliseconds(median),
            milliseconds(self.p99()),
            milliseconds(self.most()),
            self.count()
        )
    }

    /// Begins anew; gives what there was.
    pub(crate) fn take(&mut self) -> Self {
        let taken = self.clone();
        self.0.reset();
        taken
    }
}
