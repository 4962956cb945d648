//! Joins of one topic, each with a token of its own, as fast as they are answered.
//!
//! The connections are open and the frames made beforehand, so that joins alone are counted. The
//! rate of the first joins beside the last shows whether a join costs more in a larger topic.

use std::time::{Duration, Instant};

use crate::client::Destination;
use crate::dialect::{self, Reply, Target};
use crate::error::LoadError;
use crate::figures::{Figures, Joins, Line};
use crate::meter::Meter;
use crate::options;
use crate::pool::Pool;
use crate::token;

/// After so long without a reply the run has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens all connections, then joins.
pub(crate) fn run(options: &options::Joins) -> Result<Line, LoadError> {
    let common = &options.common;
    let frames = frames(options)?;
    let to = Destination {
        target: common.target,
        address: common.address,
        join: None,
    };
    let mut pool = Pool::open(to, frames.len())?;
    let meter = Meter::start(common.pid)?;
    let start = Instant::now();
    let replies = join_all(
        &mut pool,
        common.target,
        &frames,
        options.in_flight as usize,
    )?;
    let cost = meter.stop()?;
    let members = f64::from(common.clients);
    let part = options.part.min(common.clients);
    let (all, first, last) = rates(start, &replies, part as usize);
    Ok(Line {
        target: common.label(),
        figures: Figures::Joins(Joins {
            members: common.clients,
            in_flight: options.in_flight,
            part,
            per_second: all,
            first_per_second: first,
            last_per_second: last,
            cpu_us_per_join: cost.microseconds_each(members),
        }),
        cost,
    })
}

/// The join of each client.
fn frames(options: &options::Joins) -> Result<Vec<Vec<u8>>, LoadError> {
    let common = &options.common;
    let secret = match (&options.jwt_secret, common.target) {
        (Some(secret), _) => secret,
        (None, Target::Floor) => "nobody looks at it",
        (None, _) => return Err(LoadError::NoSecret),
    };
    (0..common.clients)
        .map(|number| {
            let token = token::sign(secret, &common.topic, &format!("member-{number}"))?;
            let payload = format!(r#"{{"token":"{token}"}}"#);
            Ok(common.target.join(&common.topic, &payload))
        })
        .collect()
}

/// Sends the joins, so many at once; returns when each reply came.
fn join_all(
    pool: &mut Pool,
    target: Target,
    frames: &[Vec<u8>],
    in_flight: usize,
) -> Result<Vec<Instant>, LoadError> {
    let mut replies = Vec::with_capacity(frames.len());
    let mut last = Instant::now();
    let mut refused = None;
    let mut sent = 0;
    while replies.len() < frames.len() {
        while sent < frames.len() && sent.saturating_sub(replies.len()) < in_flight {
            pool.send(sent, &frames[sent])?;
            sent += 1;
        }
        pool.step(
            Duration::from_millis(100),
            |client, payload, now| {
                match target.reply(payload) {
                    Reply::Granted => replies.push(now),
                    Reply::Refused => refused = Some((client, dialect::shown(payload))),
                    Reply::Other => {}
                }
                last = now;
                None
            },
            |_| Ok(()),
        )?;
        if let Some((client, answer)) = refused {
            return Err(LoadError::Refused { client, answer });
        }
        if last.elapsed() > PATIENCE {
            return Err(LoadError::Silent {
                answered: replies.len() as u64,
                asked: sent as u64,
                seconds: PATIENCE.as_secs(),
            });
        }
    }
    Ok(replies)
}

/// Replies a second: of all, of the first `part`, and of the last `part`.
fn rates(start: Instant, replies: &[Instant], part: usize) -> (f64, f64, f64) {
    let rate = |from: Instant, to: Option<&Instant>, count: usize| {
        let to = to.copied().unwrap_or(from);
        count as f64 / to.saturating_duration_since(from).as_secs_f64().max(1e-9)
    };
    let all = replies.len();
    let before_last = match all.checked_sub(part + 1) {
        Some(index) => replies[index],
        None => start,
    };
    (
        rate(start, replies.last(), all),
        rate(start, replies.get(part - 1), part),
        rate(before_last, replies.last(), part),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Joins that become slower: the first part is told apart from the last.
    #[test]
    fn parts_have_rates_of_their_own() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let replies = [at(100), at(200), at(400), at(600), at(1000), at(2000)];
        let (all, first, last) = rates(start, &replies, 2);
        assert!((all - 3.0).abs() < 1e-6);
        assert!((first - 10.0).abs() < 1e-6);
        assert!((last - 2.0 / 1.4).abs() < 1e-6);
        let (all, first, last) = rates(start, &replies, 6);
        assert!((all - first).abs() < 1e-6 && (all - last).abs() < 1e-6);
    }
}
