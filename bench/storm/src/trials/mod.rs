//! One module for each trial.

mod burst;
mod drip;
mod half_open;
mod joins;
mod redis;
mod slow_readers;
mod soak;

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
    match &options.trial {
        Trial::SlowReaders { seconds, rounds } => {
            slow_readers::run(program, *seconds, *rounds).await
        }
        Trial::Burst {
            messages,
            subscribers,
        } => burst::run(program, *messages, *subscribers).await,
        Trial::Redis { cycles } => redis::run(program, *cycles).await,
        Trial::HalfOpen { connections } => half_open::run(program, *connections).await,
        Trial::Joins { topics } => joins::run(program, *topics).await,
        Trial::Soak { minutes } => soak::run(program, *minutes).await,
        Trial::Drip { seconds, only } => drip::run(program, *seconds, only.as_deref()).await,
    }
}
