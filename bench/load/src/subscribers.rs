//! Messages to many subscribers: how many arrive, how late, and what they cost.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::Token;

use crate::client::Destination;
use crate::error::LoadError;
use crate::figures::{Deliveries, Figures};
use crate::inject::Injector;
use crate::options;
use crate::pool::Pool;
use crate::process;

/// What a message's payload looks like: a number of fixed width, and as much as is asked for.
const HEAD: &str = r#"{"n":"#;
const MIDDLE: &str = r#","p":""#;
const TAIL: &str = r#""}"#;
/// Numbers begin here so that each has ten digits.
const FIRST: u64 = 1_000_000_000;
const SMALLEST: usize = HEAD.len() + 10 + MIDDLE.len() + TAIL.len();

/// After so long without a delivery, what has not come is lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest latency that is told apart from longer ones, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// The socket on which messages go in.
const INJECTOR: Token = Token(usize::MAX - 1);

/// What has arrived of a series of messages.
struct Arrivals {
    /// The number of the first message of the series.
    first: u64,
    /// When each message was due.
    due: Vec<Instant>,
    /// The number of the next message that each client should get.
    next: Vec<u64>,
    count: u64,
    out_of_order: u64,
    last: Instant,
    latencies: Histogram<u64>,
}

impl Arrivals {
    fn new(first: u64, messages: u32, clients: usize) -> Result<Self, LoadError> {
        Ok(Self {
            first,
            due: Vec::with_capacity(messages as usize),
            next: vec![first; clients],
            count: 0,
            out_of_order: 0,
            last: Instant::now(),
            latencies: Histogram::new_with_max(LONGEST, 3).map_err(LoadError::Histogram)?,
        })
    }

    /// A data frame came to a client.
    fn take(&mut self, client: usize, frame: &[u8]) {
        let Some(number) = number(frame) else { return };
        let Some(due) = number
            .checked_sub(self.first)
            .and_then(|n| self.due.get(n as usize))
        else {
            return;
        };
        let now = Instant::now();
        if number < self.next[client] {
            self.out_of_order += 1;
            return;
        }
        self.next[client] = number + 1;
        self.count += 1;
        self.last = now;
        let nanoseconds = now.saturating_duration_since(*due).as_nanos();
        self.latencies
            .saturating_record(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
    }

    fn microseconds(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1000.0
    }
}

/// The number of a message, from its frame.
fn number(frame: &[u8]) -> Option<u64> {
    let at = frame
        .windows(HEAD.len())
        .position(|head| head == HEAD.as_bytes())?
        + HEAD.len();
    std::str::from_utf8(frame.get(at..at + 10)?)
        .ok()?
        .parse()
        .ok()
}

fn payload(number: u64, bytes: usize) -> String {
    format!(
        "{HEAD}{number}{MIDDLE}{}{TAIL}",
        "x".repeat(bytes.saturating_sub(SMALLEST))
    )
}

/// Warms up, then measures.
pub(crate) fn run(options: &options::Subscribers) -> Result<Figures, LoadError> {
    let common = &options.common;
    if options.bytes < SMALLEST {
        return Err(LoadError::TooSmall(SMALLEST));
    }
    let to = Destination {
        target: common.target,
        address: common.address,
        topic: common.topic.clone(),
    };
    let mut pool = Pool::open(to, common.clients as usize)?;
    let address = match common.target {
        options::Target::Gateway => options.bus,
        options::Target::Floor => common.address,
    };
    let mut injector = Injector::connect(
        common.target,
        address,
        &common.topic,
        pool.registry(),
        INJECTOR,
    )?;

    let warm_up = series(&mut pool, &mut injector, options, FIRST, options.warm_up)?;
    if options.warm_up > 0 && warm_up.count == 0 {
        return Err(LoadError::Deaf(PATIENCE.as_secs()));
    }
    let (cpu, own_cpu) = (process::cpu(common.pid)?, process::cpu(std::process::id())?);
    let start = Instant::now();
    let first = FIRST + u64::from(options.warm_up);
    let arrivals = series(&mut pool, &mut injector, options, first, options.messages)?;
    let seconds = arrivals.last.saturating_duration_since(start).as_secs_f64();
    let cpu = process::cpu(common.pid)? - cpu;
    let own_cpu = process::cpu(std::process::id())? - own_cpu;
    if arrivals.count == 0 {
        return Err(LoadError::Deaf(PATIENCE.as_secs()));
    }
    let sent = u64::from(options.messages) * u64::from(common.clients);
    Ok(Figures::Subscribers(Deliveries {
        target: common.target,
        subscribers: common.clients,
        bytes: options.bytes,
        rate: options.rate,
        messages: options.messages,
        deliveries: arrivals.count,
        lost: sent - arrivals.count,
        out_of_order: arrivals.out_of_order,
        p50_us: arrivals.microseconds(0.5),
        p99_us: arrivals.microseconds(0.99),
        max_us: arrivals.microseconds(1.0),
        seconds,
        cpu_seconds_per_million: cpu.as_secs_f64() * 1e6 / arrivals.count as f64,
        generator_busy: own_cpu.as_secs_f64() / start.elapsed().as_secs_f64(),
    }))
}

/// Puts `messages` in, beginning with the number `first`, and waits for the deliveries.
fn series(
    pool: &mut Pool,
    injector: &mut Injector,
    options: &options::Subscribers,
    first: u64,
    messages: u32,
) -> Result<Arrivals, LoadError> {
    let clients = options.common.clients as usize;
    let mut arrivals = Arrivals::new(first, messages, clients)?;
    let start = Instant::now();
    // What was given up is not waited for a second time.
    let mut given_up = 0;
    loop {
        let sent = arrivals.due.len() as u64;
        let arrived = arrivals.count + given_up >= sent * clients as u64;
        if sent == u64::from(messages) && arrived {
            return Ok(arrivals);
        }
        let now = Instant::now();
        let due = match options.rate {
            _ if sent == u64::from(messages) => None,
            // The plan holds whatever happens: a message that goes in late was due all the same.
            Some(rate) => Some(start + Duration::from_secs_f64(sent as f64 / f64::from(rate))),
            None => arrived.then_some(now),
        };
        if let Some(due) = due
            && due <= now
        {
            arrivals.due.push(due);
            arrivals.last = arrivals.last.max(due);
            injector.send(&payload(first + sent, options.bytes))?;
            continue;
        }
        let silent = now.saturating_duration_since(arrivals.last);
        if silent > PATIENCE && !arrived {
            given_up = sent * clients as u64 - arrivals.count;
            continue;
        }
        // The system rounds a wait up to a millisecond: the last one is spent awake.
        let wait = due.map_or(Duration::from_millis(100), |due| {
            (due - now).saturating_sub(Duration::from_millis(1))
        });
        pool.step(
            Some(if wait < Duration::from_millis(1) {
                Duration::ZERO
            } else {
                wait
            }),
            |client, frame| arrivals.take(client, frame),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload has the length that was asked for, is JSON, and gives its number back.
    #[test]
    fn a_payload_holds_its_number() {
        for bytes in [SMALLEST, 200, 4096] {
            let payload = payload(FIRST + 42, bytes);
            assert_eq!(payload.len(), bytes);
            let value: serde_json::Value = serde_json::from_str(&payload).unwrap();
            assert_eq!(value["n"], FIRST + 42);
            let frame = format!(r#"[null,null,"bench","message",{payload}]"#);
            assert_eq!(number(frame.as_bytes()), Some(FIRST + 42));
        }
        assert_eq!(number(br#"[null,"h","phoenix","phx_reply",{}]"#), None);
    }

    /// Gaps are not counted as deliveries, repetitions are counted apart, strangers not at all.
    #[test]
    fn arrivals_are_counted_once() {
        let mut arrivals = Arrivals::new(FIRST, 3, 2).unwrap();
        arrivals.due = vec![Instant::now(); 3];
        for (client, number) in [(0, 0), (0, 2), (0, 1), (0, 2), (1, 0), (1, 7)] {
            arrivals.take(client, payload(FIRST + number, 200).as_bytes());
        }
        assert_eq!(arrivals.count, 3);
        assert_eq!(arrivals.out_of_order, 2);
        assert_eq!(arrivals.latencies.len(), 3);
    }
}
