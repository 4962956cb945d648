//! Clients that push and wait for the reply: each has one push on its way, all the time.

use std::time::{Duration, Instant};

use crate::client::Destination;
use crate::dialect::{self, Reply, Target};
use crate::error::LoadError;
use crate::figures::{Figures, Line, Pushes};
use crate::latencies::Latencies;
use crate::meter::Meter;
use crate::options;
use crate::pool::Pool;

/// After so long without a reply the run has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Warms up, then measures.
pub(crate) fn run(options: &options::Push) -> Result<Line, LoadError> {
    let common = &options.common;
    let to = Destination {
        target: common.target,
        address: common.address,
        join: match common.target {
            // Who has subscribed to NATS would get every push back.
            Target::Nats => None,
            target => target.subscription(&common.topic),
        },
    };
    let mut pool = Pool::open(to, common.clients as usize)?;
    let payload = format!(r#"{{"p":"{}"}}"#, "x".repeat(options.bytes.max(8) - 8));
    let frame = common.target.push(&common.topic, &payload);
    let clients = common.clients as usize;
    series(&mut pool, common.target, &frame, clients, options.warm_up)?;
    let meter = Meter::start(common.pid)?;
    let start = Instant::now();
    let latencies = series(&mut pool, common.target, &frame, clients, options.requests)?;
    let seconds = start.elapsed().as_secs_f64();
    let cost = meter.stop()?;
    Ok(Line {
        target: common.label(),
        figures: Figures::Push(Pushes {
            clients: common.clients,
            bytes: options.bytes,
            requests: latencies.count(),
            per_second: latencies.count() as f64 / seconds,
            latency: latencies.quantiles(),
            cpu_us_per_request: cost.microseconds_each(latencies.count() as f64),
        }),
        cost,
    })
}

/// As many pushes as are asked for; a client sends its next one with the reply to the last.
fn series(
    pool: &mut Pool,
    target: Target,
    frame: &[u8],
    clients: usize,
    requests: u64,
) -> Result<Latencies, LoadError> {
    let mut latencies = Latencies::new()?;
    let mut since = vec![Instant::now(); clients];
    let mut sent = 0;
    for (client, since) in since.iter_mut().enumerate() {
        if sent < requests {
            *since = Instant::now();
            pool.send(client, frame)?;
            sent += 1;
        }
    }
    let mut last = Instant::now();
    let mut refused = None;
    while latencies.count() < requests {
        pool.step(
            Duration::from_millis(100),
            |client, payload, now| {
                match target.reply(payload) {
                    Reply::Granted => {}
                    Reply::Refused => {
                        refused = Some((client, dialect::shown(payload)));
                        return None;
                    }
                    Reply::Other => return None,
                }
                latencies.add(now.saturating_duration_since(since[client]));
                last = now;
                since[client] = now;
                let more = sent < requests;
                sent += u64::from(more);
                more.then_some(frame)
            },
            |_| Ok(()),
        )?;
        if let Some((client, answer)) = refused {
            return Err(LoadError::Refused { client, answer });
        }
        if last.elapsed() > PATIENCE {
            return Err(LoadError::Silent {
                answered: latencies.count(),
                asked: sent,
                seconds: PATIENCE.as_secs(),
            });
        }
    }
    Ok(latencies)
}
