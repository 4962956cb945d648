//! Sockets that never read beside good ones: nobody else waits or loses, memory stays bounded,
//! and the stalled are told, or catch up as their channel's policy says.

use std::path::Path;
use std::time::Duration;

use tokio::time::{interval, sleep};

use crate::client::Client;
use crate::error::StormError;
use crate::frame::Incoming;
use crate::gateway::Gateway;
use crate::http::Admin;
use crate::listeners::{Listeners, number};
use crate::process::returned;
use crate::report::{Report, mebibytes};
use crate::resp::Resp;

const GOOD: usize = 100;
const STALLED: usize = 50;
const BYTES: usize = 8 * 1024;
const PER_SECOND: u32 = 300;
/// The good ones' p99 may be so many times what it is without the stalled ...
const RATIO: f64 = 1.2;
/// ... unless it is below this anyway.
const FLOOR: Duration = Duration::from_millis(1);
/// What may be resident beyond what it was, while 50 sockets stall: the bytes that may wait for
/// one, twice, for they share their frames, and as much again for the queues themselves.
const GROWTH: u64 = 32 << 20;

/// The policies, by the topics that have them.
const POLICIES: [&str; 3] = ["close", "oldest", "latest"];

pub(crate) async fn run(program: &Path, seconds: u32, rounds: u32) -> Result<Report, StormError> {
    let mut report = Report::new("slow-readers");
    for topic in POLICIES {
        // Nobody here is idle: who does not read is slow, and that is what is tried.
        let gateway = Gateway::start(program, &["--idle-seconds", "600"])?;
        let mut round = Rounds {
            listeners: Listeners::join(gateway.address, topic, GOOD).await?,
            bus: Resp::connect(gateway.bus()?).await?,
            admin: Admin::sign_in(gateway.address).await?,
            gateway,
            topic,
            number: 0,
        };
        // The first messages make room in every buffer.
        round.publish(3).await?;
        let _ = round.listeners.take_latencies();
        round.hold(&mut report, seconds, rounds).await?;
    }
    Ok(report.end())
}

/// The measurements of one policy.
struct Rounds {
    gateway: Gateway,
    listeners: Listeners,
    bus: Resp,
    admin: Admin,
    topic: &'static str,
    /// The last message.
    number: u64,
}

/// What became of one stalled client once it read.
struct Fate {
    received: u64,
    in_order: bool,
    last: u64,
    end: String,
}

impl Rounds {
    async fn hold(
        &mut self,
        report: &mut Report,
        seconds: u32,
        rounds: u32,
    ) -> Result<(), StormError> {
        let topic = self.topic;
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let (mut told, mut in_order, mut missed) = (0, 0, 0);
        let mut ends = std::collections::BTreeMap::<String, u32>::new();
        let process = self.gateway.process;
        let mut before = 0;
        let mut peak = 0;
        for round in 0..rounds {
            without.push(self.measure(seconds).await?);
            if round == 0 {
                before = process.resident()?;
                process.forget_peak()?;
            }
            let mut stalled = Vec::new();
            for _ in 0..STALLED {
                let mut client = Client::connect_narrow(self.gateway.address).await?;
                client.join(topic).await?;
                stalled.push(client);
            }
            let first = self.number;
            with.push(self.measure(seconds).await?);
            peak = process.peak()?;
            for client in stalled {
                let fate = self.read_at_last(client, first).await;
                told += u64::from(fate.end == "1008 slow consumer");
                in_order += u64::from(fate.in_order);
                if fate.last == self.number {
                    missed += self.number - first - fate.received;
                }
                *ends.entry(fate.end).or_default() += 1;
            }
        }
        let all = u64::from(rounds) * STALLED as u64;
        let said = |what: &str| format!("{topic}: {what}");
        self.judge(report, &mut without, &mut with).await;
        report.exactly(said("stalled that got theirs in order"), in_order, all);
        if topic == "close" {
            report.exactly(said("stalled that were told 1008 slow consumer"), told, all);
        } else {
            let caught_up = u64::from(ends.get("caught up").copied().unwrap_or_default());
            report.exactly(said("stalled that stayed and caught up"), caught_up, all);
            let dropped = self.admin.dropped(topic).await?;
            report.exactly(said("drops that are counted"), dropped, missed);
        }
        report.figure(said("how the stalled ended"), format!("{ends:?}"));
        report.memory(said("memory while they stall"), peak, before + GROWTH);
        let most = returned(before);
        let after = process.settle(most, Duration::from_secs(15)).await?;
        report.memory(said("memory afterwards"), after, most);
        report.figure(said("memory before"), mebibytes(before));
        report.exactly(said("panics"), self.gateway.panics(), 0);
        Ok(())
    }

    /// What holds for the good ones.
    async fn judge(&self, report: &mut Report, without: &mut [Duration], with: &mut [Duration]) {
        let topic = self.topic;
        let wanted = self.number * GOOD as u64;
        let received = self
            .listeners
            .received(wanted, Duration::from_secs(5))
            .await;
        let (out_of_order, ended) = self
            .listeners
            .look(|seen| (seen.out_of_order, seen.ended.len() as u64));
        let (without, with) = (median(without), median(with));
        let ratio = with.as_secs_f64() / without.as_secs_f64().max(1e-6);
        report.promise(
            format!("{topic}: p99 of the good ones beside the stalled"),
            format!("at most {RATIO} times {without:.2?}, or {FLOOR:?}"),
            format!("{with:.2?}, {ratio:.2} times"),
            ratio <= RATIO || with <= FLOOR,
        );
        report.exactly(
            format!("{topic}: deliveries to good ones"),
            received,
            wanted,
        );
        report.exactly(format!("{topic}: out of order"), out_of_order, 0);
        report.exactly(format!("{topic}: good ones lost"), ended, 0);
    }

    /// Publishes at the steady rate and gives the good ones' p99.
    async fn measure(&mut self, seconds: u32) -> Result<Duration, StormError> {
        self.publish(seconds).await?;
        let wanted = self.number * GOOD as u64;
        self.listeners
            .received(wanted, Duration::from_secs(10))
            .await;
        Ok(self.listeners.take_latencies().p99())
    }

    async fn publish(&mut self, seconds: u32) -> Result<(), StormError> {
        let mut ticks = interval(Duration::from_secs(1) / PER_SECOND);
        for _ in 0..seconds * PER_SECOND {
            ticks.tick().await;
            self.number += 1;
            let message = self.listeners.message(self.topic, self.number, BYTES);
            self.bus.send(&message).await?;
            self.bus.answer().await?;
        }
        Ok(())
    }

    /// A stalled client begins to read: up to the end, or to the last message there is.
    async fn read_at_last(&self, mut client: Client, first: u64) -> Fate {
        let mut fate = Fate {
            received: 0,
            in_order: true,
            last: first,
            end: "silence".to_owned(),
        };
        loop {
            let next = tokio::select! {
                next = client.next() => next,
                () = sleep(Duration::from_secs(5)) => return fate,
            };
            match next {
                Ok(Incoming::Data(message)) => {
                    let Some(number) = number(&message) else {
                        continue;
                    };
                    fate.received += 1;
                    fate.in_order &= number > fate.last;
                    fate.last = number;
                    if number == self.number {
                        fate.end = "caught up".to_owned();
                        return fate;
                    }
                }
                Ok(Incoming::Close(code, reason)) => {
                    fate.end = format!("{code} {reason}");
                    return fate;
                }
                Ok(_) => {}
                Err(error) => {
                    fate.end = error.to_string();
                    return fate;
                }
            }
        }
    }
}

/// The middle one.
fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
