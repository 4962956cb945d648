//! A burst: thousands of messages as fast as the bus takes them reach every subscriber, in order.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::StormError;
use crate::gateway::Gateway;
use crate::listeners::Listeners;
use crate::process::returned;
use crate::report::Report;
use crate::resp::Resp;

const TOPIC: &str = "close";
/// Bytes of a message.
const BYTES: usize = 200;
/// When nothing came for so long, the rest is lost.
const SILENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(
    program: &Path,
    messages: u64,
    subscribers: u32,
) -> Result<Report, StormError> {
    let mut report = Report::new("burst");
    // Nobody here reads slowly, but on one core the gateway may be faster than all readers
    // together: what waits for one is then as much as the burst itself.
    let frames = (messages * 2).max(16_384).to_string();
    let gateway = Gateway::start(program, &["--queue-frames", &frames])?;
    let listeners = Listeners::join(gateway.address, TOPIC, subscribers as usize).await?;
    let mut bus = Resp::connect(gateway.bus()?).await?;
    let before = gateway.process.resident()?;

    let burst: Vec<u8> = (1..=messages)
        .flat_map(|number| listeners.message(TOPIC, number, BYTES))
        .collect();
    let began = Instant::now();
    bus.send(&burst).await?;
    for _ in 0..messages {
        bus.answer().await?;
    }
    let taken = began.elapsed();
    let wanted = messages * u64::from(subscribers);
    let received = listeners.received(wanted, SILENCE).await;
    let all = began.elapsed();

    let (out_of_order, ended) = listeners.look(|seen| (seen.out_of_order, seen.ended.len() as u64));
    report.exactly(
        format!("deliveries of {messages} messages to {subscribers} subscribers"),
        received,
        wanted,
    );
    report.exactly("deliveries out of order", out_of_order, 0);
    report.exactly("connections lost", ended, 0);
    let most = returned(before);
    let after = gateway
        .process
        .settle(most, Duration::from_secs(15))
        .await?;
    report.memory("memory afterwards", after, most);
    report.exactly("panics", gateway.panics(), 0);
    report.figure(
        "the bus took it in",
        format!("{:.2} s", taken.as_secs_f64()),
    );
    report.figure("all had it after", format!("{:.2} s", all.as_secs_f64()));
    report.figure(
        "deliveries per second",
        format!("{:.0}", received as f64 / all.as_secs_f64()),
    );
    Ok(report.end())
}
