//! What a stretch of time cost: CPU of the target, and how undisturbed it was.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::process::{self, Task};

/// A stretch of time that has begun.
pub(crate) struct Meter {
    target: u32,
    start: Instant,
    before: [Reading; 2],
}

/// What is known of a process at a moment.
struct Reading {
    cpu: Duration,
    tasks: BTreeMap<String, Task>,
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
        Ok(Cost {
            seconds,
            cpu_seconds: target_after.ran_since(target).as_secs_f64(),
            generator_busy: own_after.ran_since(own).as_secs_f64() / seconds,
            target_waited: target_after.waited_since(target).as_secs_f64() / seconds,
            generator_waited: own_after.waited_since(own).as_secs_f64() / seconds,
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
        tasks: process::tasks(pid),
    })
}

impl Reading {
    /// CPU time between the two. The scheduler counts it to the nanosecond, but forgets a thread
    /// that has ended; where one has, the ticks must do.
    fn ran_since(&self, before: &Self) -> Duration {
        let all_there = before
            .tasks
            .keys()
            .all(|task| self.tasks.contains_key(task));
        if all_there && !before.tasks.is_empty() {
            self.since(before, |task| task.ran)
        } else {
            self.cpu.saturating_sub(before.cpu)
        }
    }

    /// How long the threads waited for a core between the two.
    fn waited_since(&self, before: &Self) -> Duration {
        self.since(before, |task| task.waited)
    }

    fn since(&self, before: &Self, of: fn(&Task) -> Duration) -> Duration {
        let grown = self.tasks.iter().map(|(number, task)| {
            let had = before.tasks.get(number).map_or(Duration::ZERO, of);
            of(task).saturating_sub(had)
        });
        grown.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scheduler's figure is taken while it is whole, the ticks where a thread has ended.
    #[test]
    fn an_ended_thread_is_not_forgotten() {
        let reading = |ticks, tasks: &[(&str, u64)]| Reading {
            cpu: Duration::from_millis(ticks),
            tasks: tasks
                .iter()
                .map(|(number, ran)| {
                    let (ran, waited) = (Duration::from_millis(*ran), Duration::from_millis(1));
                    ((*number).to_owned(), Task { ran, waited })
                })
                .collect(),
        };
        let before = reading(10, &[("1", 5), ("2", 5)]);
        let after = reading(30, &[("1", 12), ("2", 13), ("3", 2)]);
        assert_eq!(after.ran_since(&before), Duration::from_millis(17));
        assert_eq!(after.waited_since(&before), Duration::from_millis(1));
        let after = reading(30, &[("1", 12)]);
        assert_eq!(after.ran_since(&before), Duration::from_millis(20));
        let unknown = reading(10, &[]);
        assert_eq!(after.ran_since(&unknown), Duration::from_millis(20));
    }

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
