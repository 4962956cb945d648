//! What a connection costs that joined and then says nothing.

use std::time::Duration;

use crate::client::Destination;
use crate::error::LoadError;
use crate::figures::{Figures, Idle};
use crate::options;
use crate::pool::Pool;
use crate::process;

/// Memory is settled when it has not changed for this long.
const SETTLED: Duration = Duration::from_secs(1);

/// How often it is waited for that, at most.
const TRIES: u32 = 20;

/// Opens the connections and looks at the memory of the target before and after.
pub(crate) fn run(options: &options::Idle) -> Result<Figures, LoadError> {
    let common = &options.common;
    let to = Destination {
        target: common.target,
        address: common.address,
        topic: common.topic.clone(),
    };
    // The first client wakes what is made once, whatever the number of clients.
    drop(Pool::open(to.clone(), 1)?);
    let (before, cpu) = (process::resident(common.pid)?, process::cpu(common.pid)?);
    let mut pool = Pool::open(to, common.clients as usize)?;
    let cpu = process::cpu(common.pid)? - cpu;
    let mut after = process::resident(common.pid)?;
    for _ in 0..TRIES {
        let end = std::time::Instant::now() + SETTLED;
        while let Some(left) = end.checked_duration_since(std::time::Instant::now()) {
            // A client that falls out ends the run.
            pool.step(Some(left), |_, _| {}, |_| Ok(()))?;
        }
        let now = process::resident(common.pid)?;
        if now == after {
            break;
        }
        after = now;
    }
    Ok(Figures::Idle(Idle {
        target: common.target,
        connections: common.clients,
        resident_before: before,
        resident_after: after,
        bytes_per_connection: after.saturating_sub(before) as f64 / f64::from(common.clients),
        join_cpu_us: cpu.as_secs_f64() * 1e6 / f64::from(common.clients),
    }))
}
