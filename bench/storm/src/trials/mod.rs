//! One module for each trial.

mod burst;
mod redis;
mod slow_readers;

use crate::error::StormError;
use crate::options::{Options, Trial};
use crate::report::Report;

/// File descriptors that a trial needs.
pub(crate) fn descriptors(trial: &Trial) -> u64 {
    match trial {
        Trial::HalfOpen { connections } => u64::from(*connections) + 1_000,
        Trial::Burst { subscribers, .. } => u64::from(*subscribers) + 1_000,
        _ => 2_000,
    }
}

/// Holds one.
pub(crate) async fn run(options: &Options) -> Result<Report, StormError> {
    let program = options.gateway.as_path();
    match options.trial {
        Trial::SlowReaders { seconds, rounds } => slow_readers::run(program, seconds, rounds).await,
        Trial::Burst {
            messages,
            subscribers,
        } => burst::run(program, messages, subscribers).await,
        Trial::Redis { cycles } => redis::run(program, cycles).await,
        _ => Err(StormError::NotReady("not yet".to_owned())),
    }
}
