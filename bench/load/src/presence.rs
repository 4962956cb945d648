//! Clients that join a topic with presence, all within a second: how many diffs each gets, and
//! what the storm costs.

use std::time::{Duration, Instant};

use memchr::memmem;

use crate::client::Destination;
use crate::dialect::{self, Reply};
use crate::error::LoadError;
use crate::figures::{Figures, Line, Presences};
use crate::meter::Meter;
use crate::options;
use crate::phoenix;
use crate::pool::Pool;

/// The storm is over when nobody was told anything for so long.
const QUIET: Duration = Duration::from_secs(2);

/// It is not waited for that longer than so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the members were told.
struct Told {
    /// When each member got its diffs.
    diffs: Vec<Vec<Instant>>,
    /// How many members each of them was told of, in states and diffs.
    members: Vec<u64>,
    bytes: u64,
    last: Instant,
    refused: Option<(usize, String)>,
}

impl Told {
    fn take(&mut self, client: usize, payload: &[u8], now: Instant) {
        let diff = phoenix::is_event(payload, b"presence_diff");
        if diff || phoenix::is_event(payload, b"presence_state") {
            if diff {
                self.diffs[client].push(now);
            }
            // Replies to heartbeats come for ever, and are no part of the storm.
            self.last = now;
            self.bytes += payload.len() as u64;
            // Each meta has one; an update would have two, but here nobody updates.
            self.members[client] += memmem::find_iter(payload, b"\"phx_ref\"").count() as u64;
        } else if phoenix::reply(payload) == Reply::Refused {
            self.refused = Some((client, dialect::shown(payload)));
        }
    }
}

/// Opens all connections, then joins at an even pace, then waits until all is quiet.
pub(crate) fn run(options: &options::Presence) -> Result<Line, LoadError> {
    let common = &options.common;
    let members = common.clients as usize;
    let to = Destination {
        target: common.target,
        address: common.address,
        join: None,
    };
    let mut pool = Pool::open(to, members)?;
    let join = common.target.join(&common.topic, "{}");
    let meter = Meter::start(common.pid)?;
    let start = Instant::now();
    let mut told = Told {
        diffs: vec![Vec::new(); members],
        members: vec![0; members],
        bytes: 0,
        last: start,
        refused: None,
    };
    let pace = Duration::from_millis(options.within) / common.clients;
    let mut joined = 0_usize;
    while joined < members || (told.last.elapsed() < QUIET && start.elapsed() < PATIENCE) {
        while joined < members && start + pace * joined as u32 <= Instant::now() {
            pool.send(joined, &join)?;
            joined += 1;
            told.last = Instant::now();
        }
        pool.step(
            Duration::from_millis(if joined < members { 0 } else { 100 }),
            |client, payload, now| {
                told.take(client, payload, now);
                None
            },
            |_| Ok(()),
        )?;
        if let Some((client, answer)) = told.refused {
            return Err(LoadError::Refused { client, answer });
        }
    }
    let cost = meter.stop()?;
    let busiest = told.diffs.iter().map(|diffs| busiest_second(diffs)).max();
    Ok(Line {
        target: common.label(),
        figures: Figures::Presence(Presences {
            members: common.clients,
            within_ms: options.within,
            diffs_in_busiest_second: busiest.unwrap_or_default(),
            diffs_to_first: told.diffs.first().map_or(0, Vec::len) as u32,
            settled_seconds: told.last.saturating_duration_since(start).as_secs_f64(),
            bytes: told.bytes,
            fewest_told: told.members.iter().copied().min().unwrap_or_default(),
            cpu_ms_per_member: cost.microseconds_each(f64::from(common.clients)) / 1000.0,
        }),
        cost,
    })
}

/// The most of these moments that lie within a second.
fn busiest_second(moments: &[Instant]) -> u32 {
    let mut first = 0;
    let mut most = 0;
    for (index, moment) in moments.iter().enumerate() {
        while moment.saturating_duration_since(moments[first]) >= Duration::from_secs(1) {
            first += 1;
        }
        most = most.max(index - first + 1);
    }
    most as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second may begin anywhere.
    #[test]
    fn the_busiest_second_is_found() {
        let start = Instant::now();
        let at = |milliseconds: &[u64]| {
            let moments = milliseconds
                .iter()
                .map(|m| start + Duration::from_millis(*m));
            busiest_second(&moments.collect::<Vec<_>>())
        };
        assert_eq!(at(&[]), 0);
        assert_eq!(at(&[5]), 1);
        assert_eq!(at(&[0, 900, 1100, 1800, 1899, 1900, 3000]), 4);
    }
}
