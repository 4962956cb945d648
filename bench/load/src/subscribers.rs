//! Messages to many subscribers: how many arrive, how late, and what they cost.

use std::time::{Duration, Instant};

use mio::Token;

use crate::arrivals::{self, Arrivals, FIRST, SMALLEST};
use crate::client::Destination;
use crate::dialect::Target;
use crate::error::LoadError;
use crate::figures::{Deliveries, Figures, Line};
use crate::inject::Injector;
use crate::meter::Meter;
use crate::options;
use crate::pool::Pool;

/// After so long without a delivery, what has not come is lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// A target that has lost something so often is not asked for more.
const GAPS: u32 = 3;

/// The socket on which messages go in.
const INJECTOR: Token = Token(usize::MAX - 1);

/// Warms up, then measures.
pub(crate) fn run(options: &options::Subscribers) -> Result<Line, LoadError> {
    let common = &options.common;
    if options.bytes < SMALLEST {
        return Err(LoadError::TooSmall(SMALLEST));
    }
    let (target, address, topic) = (common.target, common.address, &common.topic);
    let to = Destination {
        target,
        address,
        join: target.subscription(topic),
    };
    let mut pool = Pool::open(to, common.clients as usize)?;
    let bus = match target {
        Target::Gateway | Target::Nats => options.bus,
        Target::Floor | Target::Ws | Target::SocketIo => address,
    };
    let mut injector = Injector::connect(target, bus, topic, pool.registry(), INJECTOR)?;

    let warm_up = series(&mut pool, &mut injector, options, FIRST, options.warm_up)?;
    if options.warm_up > 0 && warm_up.count == 0 {
        return Err(LoadError::Deaf(PATIENCE.as_secs()));
    }
    let meter = Meter::start(common.pid)?;
    let start = Instant::now();
    let first = FIRST + u64::from(options.warm_up);
    let arrivals = series(&mut pool, &mut injector, options, first, options.messages)?;
    let cost = meter.stop()?;
    if arrivals.count == 0 {
        return Err(LoadError::Deaf(PATIENCE.as_secs()));
    }
    let messages = arrivals.sent();
    Ok(Line {
        target: common.label(),
        figures: Figures::Subscribers(Deliveries {
            subscribers: common.clients,
            bytes: options.bytes,
            rate: options.rate,
            in_flight: options.in_flight,
            messages,
            deliveries: arrivals.count,
            lost: messages * u64::from(common.clients) - arrivals.count,
            out_of_order: arrivals.out_of_order,
            delivering_seconds: arrivals.last.saturating_duration_since(start).as_secs_f64(),
            latency: arrivals.latencies.quantiles(),
            cpu_us_per_delivery: cost.microseconds_each(arrivals.count as f64),
        }),
        cost,
    })
}

/// Puts `messages` in, beginning with the number `first`, and waits for the deliveries.
fn series(
    pool: &mut Pool,
    injector: &mut Injector,
    options: &options::Subscribers,
    first: u64,
    messages: u32,
) -> Result<Arrivals, LoadError> {
    let mut arrivals = Arrivals::new(first, messages, options.common.clients as usize)?;
    let messages = u64::from(messages);
    let start = Instant::now();
    // What was put in and complete when the last gap was given up: it is not waited for again.
    let mut given_up = (0, 0);
    let mut gaps = 0;
    loop {
        let now = Instant::now();
        let sent = arrivals.sent();
        let under_way = (sent - given_up.0).saturating_sub(arrivals.complete - given_up.1);
        if sent == messages && under_way == 0 {
            return Ok(arrivals);
        }
        // All that may go in now goes in together: that is how a backlog comes.
        let (go, next) = match options.rate {
            Some(rate) => planned(start, now, rate, sent, messages),
            None => {
                let room = u64::from(options.in_flight).saturating_sub(under_way);
                (vec![now; room.min(messages - sent) as usize], None)
            }
        };
        for due in &go {
            let number = arrivals.send(*due);
            injector.add(&arrivals::payload(number, options.bytes))?;
        }
        if !go.is_empty() {
            injector.flush()?;
        }
        if go.is_empty() && under_way > 0 && now.saturating_duration_since(arrivals.last) > PATIENCE
        {
            given_up = (sent, arrivals.complete);
            gaps += 1;
            if gaps == GAPS {
                return Ok(arrivals);
            }
            continue;
        }
        // The system rounds a wait up to a millisecond: the last one is spent awake.
        let wait = next.map_or(Duration::from_millis(100), |due: Instant| {
            match due.saturating_duration_since(now) {
                short if short < Duration::from_millis(2) => Duration::ZERO,
                long => long - Duration::from_millis(1),
            }
        });
        pool.step(
            wait,
            |client, frame, now| {
                arrivals.take(client, frame, now);
                None
            },
            |token| {
                if token == INJECTOR {
                    injector.ready()
                } else {
                    Ok(())
                }
            },
        )?;
    }
}

/// The messages that are due at a steady rate, by when they were due, and when the next one is.
/// The plan holds whatever happens: a message that goes in late was due all the same.
fn planned(
    start: Instant,
    now: Instant,
    rate: u32,
    sent: u64,
    messages: u64,
) -> (Vec<Instant>, Option<Instant>) {
    let due = |number: u64| start + Duration::from_secs_f64(number as f64 / f64::from(rate));
    let go: Vec<_> = (sent..messages)
        .map(due)
        .take_while(|due| *due <= now)
        .collect();
    let next = sent + go.len() as u64;
    (go, (next < messages).then(|| due(next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What should have gone in goes in together, each with the moment when it was due.
    #[test]
    fn a_plan_is_caught_up_with() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(
            planned(start, at(0), 10, 0, 9),
            (vec![at(0)], Some(at(100)))
        );
        assert_eq!(planned(start, at(50), 10, 1, 9), (vec![], Some(at(100))));
        assert_eq!(
            planned(start, at(250), 10, 1, 9),
            (vec![at(100), at(200)], Some(at(300)))
        );
        assert_eq!(planned(start, at(950), 10, 8, 9), (vec![at(800)], None));
        assert_eq!(planned(start, at(950), 10, 9, 9), (vec![], None));
    }
}
