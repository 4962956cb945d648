//! What a stretch of time cost: CPU of the target, and how undisturbed it was.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::process;

/// A stretch of time that has begun.
pub(crate) struct Meter {
    target: u32,
    start: Instant,
    before: [Reading; 2],
}

/// What is known of a process at a moment.
struct Reading {
    cpu: Duration,
    waited: Duration,
}

/// A stretch of time that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// CPU time of the target, user and system.
    pub(crate) cpu_seconds: f64,
    /// CPU time of the generator over the time that passed: near 1, the latencies are its own.
    pub(crate) generator_busy: f64,
    /// For what part of the time threads of the target were ready but did not get a core. Above
    /// a few hundredths other programs disturbed the run, or its threads each other.
    pub(crate) target_waited: f64,
    /// The same of the generator.
    pub(crate) generator_waited: f64,
}

impl Meter {
    /// Begins.
    pub(crate) fn start(target: u32) -> Result<Self, LoadError> {
        Ok(Self {
            target,
            before: [read(target)?, read(std::process::id())?],
            start: Instant::now(),
        })
    }

    /// Ends.
    pub(crate) fn stop(self) -> Result<Cost, LoadError> {
        let seconds = self.start.elapsed().as_secs_f64();
        let [target, own] = &self.before;
        let (target_after, own_after) = (read(self.target)?, read(std::process::id())?);
        // A thread that ended takes with it what it had waited.
        let part = |before: &Reading, after: &Reading| {
            after.waited.saturating_sub(before.waited).as_secs_f64() / seconds
        };
        Ok(Cost {
            seconds,
            cpu_seconds: target_after.cpu.saturating_sub(target.cpu).as_secs_f64(),
            generator_busy: own_after.cpu.saturating_sub(own.cpu).as_secs_f64() / seconds,
            target_waited: part(target, &target_after),
            generator_waited: part(own, &own_after),
        })
    }
}

impl Cost {
    /// CPU time of the target for each of `count`, in microseconds.
    pub(crate) fn microseconds_each(&self, count: f64) -> f64 {
        self.cpu_seconds * 1e6 / count
    }
}

fn read(pid: u32) -> Result<Reading, LoadError> {
    Ok(Reading {
        cpu: process::cpu(pid)?,
        waited: process::waited(pid),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that works is seen to have worked.
    #[test]
    fn work_is_seen() {
        let meter = Meter::start(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while meter.start.elapsed() < Duration::from_millis(100) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let cost = meter.stop().unwrap();
        assert!(cost.seconds >= 0.1 && cost.cpu_seconds > 0.0, "{cost:?}");
        assert!(cost.generator_busy > 0.0, "{cost:?}");
        let cost = Cost {
            cpu_seconds: 3.0,
            ..cost
        };
        assert!((cost.microseconds_each(1e6) - 3.0).abs() < 1e-9);
    }
}
