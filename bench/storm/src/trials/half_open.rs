//! Thousands of connections that send half a request and no more: whoever is in goes on, whoever
//! comes is let in as the limits say, and the memory comes back.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::error::StormError;
use crate::gateway::Gateway;
use crate::process::returned;
use crate::report::{Report, mebibytes};
use crate::witness::{Witness, unharmed};

/// The gateway's defaults, said here so that the bounds below hold.
const PLACES: u32 = 4096;
const HEAD_SECONDS: u32 = 10;
/// How much late the good one may be let in once there is a place.
const GRACE: Duration = Duration::from_secs(1);
/// What may be resident beyond what it was: 32 KiB for each place, for the buffers of a connection
/// that has not said what it wants.
const GROWTH: u64 = 4096 * (32 << 10);

pub(crate) async fn run(program: &Path, connections: u32) -> Result<Report, StormError> {
    let mut report = Report::new("half-open");
    let (places, seconds) = (PLACES.to_string(), HEAD_SECONDS.to_string());
    let flags = [
        "--max-http-connections",
        &places,
        // They come from one address here, and stand for as many.
        "--max-http-connections-per-address",
        "0",
        "--http-head-seconds",
        &seconds,
    ];
    let gateway = Gateway::start(program, &flags)?;
    let witness = Witness::start(gateway.address).await?;
    sleep(Duration::from_secs(5)).await;
    let quiet = witness.take();
    let process = gateway.process;
    let before = process.resident()?;
    let descriptors = process.descriptors()?;
    process.forget_peak()?;

    let began = Instant::now();
    let mut halves = JoinSet::new();
    for _ in 0..connections {
        halves.spawn(half(gateway.address));
    }
    // All that the kernel takes have said their half.
    sleep(Duration::from_secs(2)).await;
    let asked = Instant::now();
    // Every place is taken until its time is over, and those that wait in front come first.
    let rounds = connections.div_ceil(PLACES);
    let bound = Duration::from_secs(u64::from(rounds * HEAD_SECONDS)) + GRACE;
    let mut good = Client::connect_within(gateway.address, bound + PATIENCE).await?;
    let let_in = asked.elapsed();
    let asked = Instant::now();
    good.join("close").await?;
    let joined = asked.elapsed();
    while halves.join_next().await.is_some() {}
    let over = began.elapsed();

    let storm = witness.take();
    report.time("the good one is let in", let_in, bound);
    report.time("and joins", joined, GRACE);
    report.time(
        "p99 of a good pair that was in",
        storm.p99(),
        unharmed(&quiet),
    );
    let kept = witness.stop().await;
    report.promise(
        "pushes of that pair",
        "all answered and delivered",
        kept.as_ref()
            .map_or_else(ToString::to_string, |()| storm.in_words()),
        kept.is_ok(),
    );
    report.memory("memory meanwhile", process.peak()?, before + GROWTH);
    // The witnesses have gone, and one good one has come.
    let left = process
        .close_down(descriptors - 1, Duration::from_secs(5))
        .await?;
    report.at_most(
        "file descriptors afterwards",
        left as u64,
        descriptors as u64 - 1,
    );
    let most = returned(before);
    let after = process.settle(most, Duration::from_secs(15)).await?;
    report.memory("memory afterwards", after, most);
    report.exactly("panics", gateway.panics(), 0);
    report.figure("memory before", mebibytes(before));
    report.figure("the pair before the storm", quiet.in_words());
    report.figure("all were cut after", format!("{:.1} s", over.as_secs_f64()));
    drop(good);
    Ok(report.end())
}

/// How much longer than the bound is waited, to know by how much it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends half a head and waits until it is cut; what goes wrong is wrong with nobody but itself.
async fn half(address: SocketAddr) {
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return;
    };
    let head = b"GET /websocket?vsn=2.0.0 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso";
    if stream.write_all(head).await.is_err() {
        return;
    }
    let mut answer = [0; 1024];
    while let Ok(1..) = stream.read(&mut answer).await {}
}
