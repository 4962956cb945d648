//! What bad clients do. Each attack goes on until it is told to stop, and says how the gateway
//! answered.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, HEARTBEAT, PATIENCE};
use crate::error::StormError;
use crate::frame::{self, PING, TEXT};

/// A pause between two attacks of one client, so that the storm is no race for the processor.
const BREATH: Duration = Duration::from_millis(100);
/// How long a client that was refused waits to be told so.
const GOODBYE: Duration = Duration::from_secs(10);

/// What came of one attacker's attempts.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Attempts that ended as promised.
    pub(crate) as_promised: u64,
    /// Others, in words.
    pub(crate) otherwise: Vec<String>,
}

impl Outcome {
    fn expect(&mut self, wanted: &str, got: String) {
        if got.starts_with(wanted) {
            self.as_promised += 1;
        } else {
            self.otherwise.push(got);
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.as_promised += other.as_promised;
        self.otherwise.extend(other.otherwise);
    }
}

/// One byte every 10 ms; every heartbeat so sent is answered.
pub(crate) async fn drip(address: SocketAddr, until: Instant) -> Result<Outcome, StormError> {
    let mut outcome = Outcome::default();
    let mut client = Client::connect(address).await?;
    let beat = frame::masked(TEXT, HEARTBEAT.as_bytes());
    while Instant::now() < until {
        let (last, first) = beat.split_last().unwrap_or((&0, &[]));
        for byte in first {
            client.send_raw(&[*byte]).await?;
            sleep(Duration::from_millis(10)).await;
        }
        client.send_raw(&[*last]).await?;
        let answered = timeout(PATIENCE, client.message()).await;
        match answered {
            Ok(Ok(_)) => outcome.as_promised += 1,
            Ok(Err(error)) => return Err(error),
            Err(_) => outcome.otherwise.push("no answer".to_owned()),
        }
    }
    Ok(outcome)
}

/// Pings of one client in one write.
const AT_ONCE: u64 = 64;

/// Pings without end, and no pong is read: told that it is too slow once it reads, or still served.
pub(crate) async fn ping(address: SocketAddr, until: Instant) -> Result<Outcome, StormError> {
    let mut outcome = Outcome::default();
    let mut client = Client::connect_narrow(address).await?;
    let pings: Vec<u8> = (0..AT_ONCE)
        .flat_map(|_| frame::masked(PING, &[b'x'; 125]))
        .collect();
    let mut sent = 0_u64;
    while Instant::now() < until {
        // When it reads no more, or has hung up, there is nothing left to do.
        match timeout(Duration::from_secs(1), client.send_raw(&pings)).await {
            Ok(Ok(())) => sent += AT_ONCE,
            Ok(Err(_)) | Err(_) => break,
        }
        // Three thousand a second from each: more than the buffers between hold in that time.
        sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep_until(until).await;
    let end = client.ended(Duration::from_secs(2)).await;
    match end.as_str() {
        // The gateway kept up with it: the pongs were read at last.
        "still open" | "1008 slow consumer" => outcome.as_promised += 1,
        _ => outcome.otherwise.push(format!("{end} after {sent} pings")),
    }
    Ok(outcome)
}

/// Joins of topics of 64 KB: refused in words, and closed after too many of them.
pub(crate) async fn long_names(address: SocketAddr, until: Instant) -> Result<Outcome, StormError> {
    let mut outcome = Outcome::default();
    let topic = "t".repeat(64 * 1024);
    let join = format!(r#"["1","1","{topic}","phx_join",{{}}]"#);
    let join = frame::masked(TEXT, join.as_bytes());
    repeated(address, until, "1008 too many errors", &join, &mut outcome).await?;
    Ok(outcome)
}

/// What is no frame of Phoenix: refused in words, and closed after too many.
pub(crate) async fn malformed(address: SocketAddr, until: Instant) -> Result<Outcome, StormError> {
    let mut outcome = Outcome::default();
    let nonsense = ["", "[", "[1,2", "{}", "null", "[null,null,1,2,3]", "\u{0}"];
    let all: Vec<u8> = nonsense
        .iter()
        .flat_map(|text| frame::masked(TEXT, text.as_bytes()))
        .collect();
    repeated(address, until, "1008 too many errors", &all, &mut outcome).await?;
    Ok(outcome)
}

/// Text that is not UTF-8: closed with 1007.
pub(crate) async fn not_text(address: SocketAddr, until: Instant) -> Result<Outcome, StormError> {
    let mut outcome = Outcome::default();
    let bytes = frame::masked(TEXT, b"[null,\"\xff\xfe\",\"phoenix\",\"heartbeat\",{}]");
    repeated(address, until, "1007 ", &bytes, &mut outcome).await?;
    Ok(outcome)
}

/// A frame that says it is larger than any may be: closed with 1009.
pub(crate) async fn too_large(address: SocketAddr, until: Instant) -> Result<Outcome, StormError> {
    let mut outcome = Outcome::default();
    let mut head = vec![0x81, 0xFF];
    head.extend_from_slice(&(1_u64 << 40).to_be_bytes());
    head.extend_from_slice(&[1, 2, 3, 4]);
    repeated(address, until, "1009 ", &head, &mut outcome).await?;
    Ok(outcome)
}

/// Connects, sends this up to thirty times, reads how it ends; again and again.
async fn repeated(
    address: SocketAddr,
    until: Instant,
    wanted: &str,
    bytes: &[u8],
    outcome: &mut Outcome,
) -> Result<(), StormError> {
    while Instant::now() < until {
        let mut client = Client::connect(address).await?;
        for _ in 0..30 {
            // It may be closed before the thirtieth.
            if client.send_raw(bytes).await.is_err() {
                break;
            }
        }
        outcome.expect(wanted, client.ended(GOODBYE).await);
        sleep(BREATH).await;
    }
    Ok(())
}

/// A message of the largest size in fragments of one byte: taken as any other.
pub(crate) async fn crumbs(address: SocketAddr, until: Instant) -> Result<Outcome, StormError> {
    /// The largest frame that the gateway takes by default.
    const LARGEST: usize = 1 << 20;
    let mut outcome = Outcome::default();
    let mut client = Client::connect(address).await?;
    let head = r#"[null,"c","phoenix","heartbeat",{"fill":""#;
    let fill = "x".repeat(LARGEST - head.len() - 3);
    let crumbs = frame::fragments(TEXT, format!("{head}{fill}\"}}]").as_bytes(), 1);
    while Instant::now() < until {
        for part in crumbs.chunks(64 * 1024) {
            client.send_raw(part).await?;
        }
        match timeout(PATIENCE, client.message()).await {
            Ok(Ok(_)) => outcome.as_promised += 1,
            Ok(Err(error)) => outcome.otherwise.push(error.to_string()),
            Err(_) => outcome.otherwise.push("no answer".to_owned()),
        }
        sleep(BREATH).await;
    }
    Ok(outcome)
}
