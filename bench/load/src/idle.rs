//! What a connection costs that joined and then says nothing.

use std::time::{Duration, Instant};

use crate::client::Destination;
use crate::error::LoadError;
use crate::figures::{Figures, Idle, Line};
use crate::meter::Meter;
use crate::options;
use crate::pool::Pool;
use crate::process;

/// Memory is settled when it has not changed for this long.
const SETTLED: Duration = Duration::from_secs(1);

/// How often it is waited for that, at most.
const TRIES: u32 = 20;

/// Opens the connections and looks at the memory of the target before and after.
pub(crate) fn run(options: &options::Idle) -> Result<Line, LoadError> {
    let common = &options.common;
    let to = Destination {
        target: common.target,
        address: common.address,
        join: common.target.subscription(&common.topic),
    };
    // The first client wakes what is made once, whatever the number of clients.
    drop(Pool::open(to.clone(), 1)?);
    let before = process::private(common.pid)?;
    let meter = Meter::start(common.pid)?;
    let mut pool = Pool::open(to, common.clients as usize)?;
    let cost = meter.stop()?;
    let mut after = process::private(common.pid)?;
    for _ in 0..TRIES {
        let end = Instant::now() + SETTLED;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            // A client that falls out ends the run.
            pool.step(left, |_, _, _| None, |_| Ok(()))?;
        }
        let now = process::private(common.pid)?;
        if now == after {
            break;
        }
        after = now;
    }
    let connections = f64::from(common.clients);
    Ok(Line {
        target: common.label(),
        figures: Figures::Idle(Idle {
            connections: common.clients,
            private_before: before,
            private_after: after,
            bytes_per_connection: after.saturating_sub(before) as f64 / connections,
            cpu_us_per_connection: cost.microseconds_each(connections),
        }),
        cost,
    })
}
