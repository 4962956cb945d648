//! One client that wants to join a million topics: it gets what one connection may have and a
//! refusal in words for every other, and nobody else notices.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::BytesMut;
use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep};

use crate::client::{Client, within};
use crate::error::StormError;
use crate::frame::{self, Incoming, TEXT};
use crate::gateway::Gateway;
use crate::process::returned;
use crate::report::{Report, mebibytes};
use crate::witness::{Witness, unharmed};

/// What one connection may join, which is the default.
const ALLOWED: u64 = 100;
/// What may be resident meanwhile beyond what it was.
const GROWTH: u64 = 16 << 20;
/// The whole attempt may take so long.
const PATIENCE: Duration = Duration::from_secs(300);
/// Joins in one write.
const BATCH: u64 = 200;

pub(crate) async fn run(program: &Path, topics: u64) -> Result<Report, StormError> {
    let mut report = Report::new("joins");
    let gateway = Gateway::start(program, &[])?;
    let witness = Witness::start(gateway.address).await?;
    sleep(Duration::from_secs(5)).await;
    let quiet = witness.take();
    let process = gateway.process;
    let before = process.resident()?;
    process.forget_peak()?;

    let began = Instant::now();
    let client = Client::connect(gateway.address).await?;
    let answers = within(PATIENCE, "every answer", attempt(client, topics)).await?;
    let took = began.elapsed();
    let storm = witness.take();
    let witnessed = witness.stop().await;

    let of = |what: &str| answers.get(what).copied().unwrap_or_default();
    let all: u64 = answers.values().sum();
    report.exactly("joins that were answered", all, topics);
    report.at_most("joins that were granted", of("ok"), ALLOWED);
    let in_words = of("ok") + of("too many channels joined") + of("too many joins");
    report.exactly("answers by the documented limits", in_words, topics);
    report.time("p99 of a good pair", storm.p99(), unharmed(&quiet));
    report.promise(
        "pushes of that pair",
        "all answered and delivered",
        witnessed
            .as_ref()
            .map_or_else(ToString::to_string, |()| storm.in_words()),
        witnessed.is_ok(),
    );
    report.memory("memory meanwhile", process.peak()?, before + GROWTH);
    let most = returned(before);
    let after = process.settle(most, Duration::from_secs(15)).await?;
    report.memory("memory afterwards", after, most);
    report.exactly("panics", gateway.panics(), 0);
    report.figure("memory before", mebibytes(before));
    report.figure("answers", format!("{answers:?}"));
    report.figure("the pair before the storm", quiet.in_words());
    report.figure(
        "joins per second",
        format!("{:.0}", topics as f64 / took.as_secs_f64()),
    );
    Ok(report.end())
}

/// Asks for all of them as fast as they are taken; gives the answers by their words.
async fn attempt(client: Client, topics: u64) -> Result<BTreeMap<String, u64>, StormError> {
    let (mut reader, mut writer) = client.into_stream().into_split();
    let asking = tokio::spawn(async move {
        for first in (0..topics).step_by(BATCH as usize) {
            let batch: Vec<u8> = (first..topics.min(first + BATCH))
                .flat_map(|n| {
                    let join = format!(r#"["{n}","{n}","room:{n}","phx_join",{{}}]"#);
                    frame::masked(TEXT, join.as_bytes())
                })
                .collect();
            if writer.write_all(&batch).await.is_err() {
                break;
            }
        }
        // Kept open until the answers are read.
        writer
    });
    let mut answers = BTreeMap::new();
    let mut answered = 0;
    let mut bytes = BytesMut::new();
    while answered < topics {
        while let Some(incoming) = frame::take(&mut bytes)? {
            match incoming {
                Incoming::Data(message) => {
                    if let Some(words) = words(&message) {
                        *answers.entry(words).or_default() += 1;
                        answered += 1;
                    }
                }
                Incoming::Close(code, reason) => {
                    return Err(StormError::Lost(format!("{code} {reason}")));
                }
                _ => {}
            }
        }
        bytes.reserve(64 * 1024);
        match reader.read_buf(&mut bytes).await {
            Ok(1..) => {}
            Ok(0) => break,
            Err(error) => return Err(StormError::Lost(error.to_string())),
        }
    }
    asking.abort();
    Ok(answers)
}

/// `ok`, or the reason of a refusal.
fn words(message: &[u8]) -> Option<String> {
    memmem::find(message, b"\"phx_reply\"")?;
    let reason = b"\"reason\":\"";
    Some(match memmem::find(message, reason) {
        None => "ok".to_owned(),
        Some(at) => {
            let rest = &message[at + reason.len()..];
            let end = memchr::memchr(b'"', rest)?;
            String::from_utf8_lossy(&rest[..end]).into_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let refused = br#"["1","1","t","phx_reply",{"status":"error","response":{"reason":"no"}}]"#;
        assert_eq!(words(refused).as_deref(), Some("no"));
        let granted = br#"["1","1","t","phx_reply",{"status":"ok","response":{"id":"x"}}]"#;
        assert_eq!(words(granted).as_deref(), Some("ok"));
        assert_eq!(words(br#"[null,null,"t","presence_state",{}]"#), None);
    }
}
