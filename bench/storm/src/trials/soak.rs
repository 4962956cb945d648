//! Churn for half an hour: the gateway ends with the memory and the descriptors it began with.
//!
//! Both are measured twice, after the first minutes and at the end, in the same state: the churn
//! has stopped, every client of it is gone, the anchors and the witnesses are connected, and a
//! pause has passed that is longer than what ends silent sockets and forgotten long polls.

use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep};

use crate::churn::{Churn, Lived};
use crate::client::{Client, HEARTBEAT};
use crate::error::StormError;
use crate::gateway::Gateway;
use crate::process::Process;
use crate::report::{Report, mebibytes};
use crate::resp::Resp;
use crate::witness::Witness;

/// Clients that stay from beginning to end.
const ANCHORS: u32 = 100;
/// When the gateway closes a silent socket.
const IDLE_SECONDS: &str = "15";
/// Longer than that, and longer than the fifteen seconds after which a long poll is forgotten.
const SETTLING: Duration = Duration::from_secs(30);
/// The growth that is allowed.
const GROWTH: f64 = 0.05;

pub(crate) async fn run(program: &Path, minutes: f64) -> Result<Report, StormError> {
    let mut report = Report::new("soak");
    let gateway = Gateway::start(program, &["--idle-seconds", IDLE_SECONDS])?;
    let mut anchors = Vec::new();
    for anchor in 0..ANCHORS {
        let mut client = Client::connect(gateway.address).await?;
        client.join(&format!("room:{}", anchor % 20)).await?;
        anchors.push(tokio::spawn(stay(client)));
    }
    let witness = Witness::start(gateway.address).await?;
    let talk = tokio::spawn(talk(Resp::connect(gateway.bus()?).await?));

    let whole = Duration::from_secs_f64(minutes * 60.0);
    let first = (whole / 3).min(Duration::from_secs(120));
    let mut curve = Vec::new();
    let warm = churn(&gateway, first, &mut curve).await?;
    let before = settled(gateway.process).await?;
    let lived = churn(&gateway, whole - first, &mut curve).await?;
    let after = settled(gateway.process).await?;

    let most = (before.0 as f64 * (1.0 + GROWTH)) as u64;
    report.memory(
        format!("resident at the end, {} at first", mebibytes(before.0)),
        after.0,
        most,
    );
    report.exactly(
        "file descriptors at the end",
        after.1 as u64,
        before.1 as u64,
    );
    report.exactly("lives that went wrong", warm.wrong + lived.wrong, 0);
    let lost = anchors.iter().filter(|anchor| anchor.is_finished()).count();
    report.exactly("clients that stayed and were lost", lost as u64, 0);
    report.exactly("the bus was lost", u64::from(talk.is_finished()), 0);
    let latencies = witness.take();
    let witnessed = witness.stop().await;
    report.promise(
        "pushes of a good pair",
        "all answered and delivered",
        match &witnessed {
            Ok(()) => latencies.in_words(),
            Err(error) => error.to_string(),
        },
        witnessed.is_ok(),
    );
    report.exactly("panics", gateway.panics(), 0);
    report.figure("lives", (warm.all() + lived.all()).to_string());
    report.figure("how they ended", lived.in_words());
    report.figure("resident, minute by minute", curve.join(" "));
    if let Some(wrong) = warm.first_wrong.or(lived.first_wrong) {
        report.figure("the first that went wrong", wrong);
    }
    talk.abort();
    end(anchors);
    Ok(report.end())
}

/// Churn for so long.
async fn churn(
    gateway: &Gateway,
    time: Duration,
    curve: &mut Vec<String>,
) -> Result<Lived, StormError> {
    let end = Instant::now() + time;
    let churn = Churn::start(gateway.address);
    while Instant::now() < end {
        sleep((end - Instant::now()).min(Duration::from_secs(60))).await;
        curve.push(mebibytes(gateway.process.resident()?));
    }
    Ok(churn.stop().await)
}

/// Memory and descriptors when all is quiet.
async fn settled(process: Process) -> Result<(u64, usize), StormError> {
    sleep(SETTLING).await;
    Ok((process.resident()?, process.descriptors()?))
}

/// A client that reads and says that it is still there, until it is lost.
async fn stay(mut client: Client) -> Result<(), StormError> {
    let mut beats = interval(Duration::from_secs(4));
    loop {
        tokio::select! {
            message = client.message() => drop(message?),
            _ = beats.tick() => client.send(HEARTBEAT).await?,
        }
    }
}

/// A backend that says something to some room twenty times a second.
async fn talk(mut bus: Resp) -> Result<(), StormError> {
    let mut ticks = interval(Duration::from_millis(50));
    for number in 0_u64.. {
        ticks.tick().await;
        let name = format!("to:room:{}:news", number % 20);
        let body = format!(r#"{{"n":{number}}}"#);
        bus.publish(&name, body.as_bytes()).await?;
    }
    Ok(())
}

fn end(anchors: Vec<JoinHandle<Result<(), StormError>>>) {
    for anchor in anchors {
        anchor.abort();
    }
}
