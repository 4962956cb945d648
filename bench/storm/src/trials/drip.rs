//! Bytes one by one, pings without end, endless names, the largest message in crumbs, nonsense:
//! all at once, beside a good pair that must not notice.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::abuse::{self, Outcome};
use crate::error::StormError;
use crate::gateway::Gateway;
use crate::process::returned;
use crate::report::{Report, mebibytes};
use crate::witness::{Witness, unharmed};

/// What may be resident beyond what it was: of those that ping one pong each waits, and each of the
/// others has at most a frame of 1 MiB that it has begun to send.
const GROWTH: u64 = 64 << 20;

type Attack<F> = fn(SocketAddr, Instant) -> F;

pub(crate) async fn run(
    program: &Path,
    seconds: u32,
    only: Option<&str>,
) -> Result<Report, StormError> {
    let mut report = Report::new("drip");
    let gateway = Gateway::start(program, &[])?;
    let witness = Witness::start(gateway.address).await?;
    sleep(Duration::from_secs(5)).await;
    let quiet = witness.take();
    let process = gateway.process;
    let before = process.resident()?;
    let descriptors = process.descriptors()?;
    process.forget_peak()?;

    let storm = Storm {
        address: gateway.address,
        until: Instant::now() + Duration::from_secs(u64::from(seconds)),
        only,
    };
    let (drip, ping, names, crumbs, malformed, not_text, too_large) = tokio::join!(
        storm.hold("drip", 200, abuse::drip),
        storm.hold("ping", 50, abuse::ping),
        storm.hold("names", 4, abuse::long_names),
        storm.hold("crumbs", 2, abuse::crumbs),
        storm.hold("malformed", 4, abuse::malformed),
        storm.hold("not-text", 4, abuse::not_text),
        storm.hold("too-large", 4, abuse::too_large),
    );
    let seen = witness.take();
    let witnessed = witness.stop().await;
    for (what, outcome) in [
        ("heartbeats byte by byte are answered", drip?),
        ("pings without end are answered or closed with 1008", ping?),
        ("topics of 64 KB are refused and closed with 1008", names?),
        (
            "messages of 1 MiB in fragments of a byte are answered",
            crumbs?,
        ),
        (
            "malformed frames are refused and closed with 1008",
            malformed?,
        ),
        ("text that is not UTF-8 is closed with 1007", not_text?),
        ("frames too large are closed with 1009", too_large?),
    ] {
        let all = outcome.as_promised + outcome.otherwise.len() as u64;
        if only.is_some() && all == 0 {
            continue;
        }
        let mut measured = format!("{} of {all}", outcome.as_promised);
        if let Some(first) = outcome.otherwise.first() {
            measured.push_str(&format!(", first otherwise: {first}"));
        }
        let kept = all > 0 && outcome.otherwise.is_empty();
        report.promise(what, "all", measured, kept);
    }
    report.time("p99 of a good pair", seen.p99(), unharmed(&quiet));
    report.promise(
        "pushes of that pair",
        "all answered and delivered",
        witnessed
            .as_ref()
            .map_or_else(ToString::to_string, |()| seen.in_words()),
        witnessed.is_ok(),
    );
    report.memory("memory meanwhile", process.peak()?, before + GROWTH);
    // The witnesses have gone too.
    let left = process
        .close_down(descriptors - 2, Duration::from_secs(10))
        .await?;
    report.at_most(
        "file descriptors afterwards",
        left as u64,
        descriptors as u64 - 2,
    );
    let most = returned(before);
    let after = process.settle(most, Duration::from_secs(15)).await?;
    report.memory("memory afterwards", after, most);
    report.exactly("panics", gateway.panics(), 0);
    report.figure("memory before", mebibytes(before));
    report.figure("the pair before the storm", quiet.in_words());
    Ok(report.end())
}

/// Where, until when, and what alone.
struct Storm<'a> {
    address: SocketAddr,
    until: Instant,
    only: Option<&'a str>,
}

impl Storm<'_> {
    /// So many at once. One that is not let in, or is lost, did not end as promised.
    async fn hold<F>(
        &self,
        name: &str,
        attackers: usize,
        attack: Attack<F>,
    ) -> Result<Outcome, StormError>
    where
        F: Future<Output = Result<Outcome, StormError>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        let attackers = match self.only {
            Some(only) if only != name => 0,
            _ => attackers,
        };
        for _ in 0..attackers {
            tasks.spawn(attack(self.address, self.until));
        }
        let mut all = Outcome::default();
        while let Some(done) = tasks.join_next().await {
            match done {
                Ok(Ok(outcome)) => all.add(outcome),
                Ok(Err(error)) => all.otherwise.push(error.to_string()),
                Err(_) => return Err(StormError::Witness),
            }
        }
        Ok(all)
    }
}
