//! What a trial found: each promise with its bound and its figure, in one line or in JSON.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::Serialize;

/// A promise, and what became of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Promise {
    pub(crate) promise: String,
    pub(crate) bound: String,
    pub(crate) measured: String,
    pub(crate) kept: bool,
}

/// The result of one trial.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) trial: &'static str,
    pub(crate) kept: bool,
    pub(crate) seconds: f64,
    pub(crate) promises: Vec<Promise>,
    /// What was measured without a bound.
    pub(crate) figures: Vec<(String, String)>,
    #[serde(skip)]
    began: Instant,
}

impl Report {
    pub(crate) fn new(trial: &'static str) -> Self {
        Self {
            trial,
            kept: true,
            seconds: 0.0,
            promises: Vec::new(),
            figures: Vec::new(),
            began: Instant::now(),
        }
    }

    /// A promise that is kept or not, in words.
    pub(crate) fn promise(
        &mut self,
        promise: impl Into<String>,
        bound: impl Into<String>,
        measured: impl Into<String>,
        kept: bool,
    ) {
        self.kept &= kept;
        self.promises.push(Promise {
            promise: promise.into(),
            bound: bound.into(),
            measured: measured.into(),
            kept,
        });
    }

    /// A number that must be so and no other.
    pub(crate) fn exactly(&mut self, promise: impl Into<String>, measured: u64, wanted: u64) {
        let (bound, measured_text) = (wanted.to_string(), measured.to_string());
        self.promise(promise, bound, measured_text, measured == wanted);
    }

    /// A number with a bound.
    pub(crate) fn at_most(&mut self, promise: impl Into<String>, measured: u64, most: u64) {
        let bound = format!("at most {most}");
        self.promise(promise, bound, measured.to_string(), measured <= most);
    }

    /// Memory with a bound.
    pub(crate) fn memory(&mut self, promise: impl Into<String>, measured: u64, most: u64) {
        let bound = format!("at most {}", mebibytes(most));
        self.promise(promise, bound, mebibytes(measured), measured <= most);
    }

    /// A time with a bound.
    pub(crate) fn time(&mut self, promise: impl Into<String>, measured: Duration, most: Duration) {
        let bound = format!("at most {}", milliseconds(most));
        self.promise(promise, bound, milliseconds(measured), measured <= most);
    }

    /// A figure without a bound.
    pub(crate) fn figure(&mut self, name: impl Into<String>, measured: impl Into<String>) {
        self.figures.push((name.into(), measured.into()));
    }

    /// The trial is over.
    pub(crate) fn end(mut self) -> Self {
        self.seconds = self.began.elapsed().as_secs_f64();
        self
    }

    /// Everything in one line, what is broken first.
    pub(crate) fn line(&self) -> String {
        let kept = self.promises.iter().filter(|p| p.kept).count();
        let mut line = format!(
            "{}: {kept} of {} promises kept in {:.0} s",
            self.trial,
            self.promises.len(),
            self.seconds
        );
        let (kept, broken): (Vec<_>, Vec<_>) = self.promises.iter().partition(|p| p.kept);
        // Writing to a string cannot fail.
        for p in broken {
            let _ = write!(line, "; BROKEN {}: {} ({})", p.promise, p.measured, p.bound);
        }
        for p in kept {
            let _ = write!(line, "; {}: {} ({})", p.promise, p.measured, p.bound);
        }
        for (name, figure) in &self.figures {
            let _ = write!(line, "; {name}: {figure}");
        }
        line
    }
}

/// For the eye.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// For the eye.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One broken promise breaks the trial, and is said first.
    #[test]
    fn what_is_broken_is_said_first() {
        let mut report = Report::new("burst");
        report.exactly("lost", 0, 0);
        assert!(report.kept);
        report.memory("peak", 5 << 20, 4 << 20);
        report.figure("rate", "7/s");
        let report = report.end();
        assert!(!report.kept);
        assert_eq!(
            report.line(),
            "burst: 1 of 2 promises kept in 0 s; BROKEN peak: 5.0 MiB (at most 4.0 MiB); \
             lost: 0 (0); rate: 7/s"
        );
    }
}
