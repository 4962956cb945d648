//! A good pair of clients beside the storm: one pushes fifty times a second, the other gets it.
//!
//! They live in a thread of their own, so that what is measured is the gateway and not how busy
//! the storm is with itself. A latency counts from the moment at which the push was due, to when
//! the other has it and the first has its reply, so that a pause shows in every push that it delays.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::interval;

use crate::client::{Client, within};
use crate::error::StormError;
use crate::latencies::Latencies;
use crate::listeners::number;

/// How often the first pushes.
const EVERY: Duration = Duration::from_millis(20);
/// When a push that has not arrived is lost.
const LOST: Duration = Duration::from_secs(10);

/// What the pair's p99 may be beside a storm: 50 ms, or twice what it was before where the
/// machine is so busy with other things that this is more.
pub(crate) fn unharmed(quiet: &Latencies) -> Duration {
    Duration::from_millis(50).max(quiet.p99() * 2)
}

/// The pair at work.
pub(crate) struct Witness {
    latencies: Arc<Mutex<Latencies>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), StormError>>,
}

impl Witness {
    /// Lets the pair in and to work.
    pub(crate) async fn start(address: SocketAddr) -> Result<Self, StormError> {
        let latencies = Arc::new(Mutex::new(Latencies::new()?));
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, is_ready) = oneshot::channel();
        let thread = std::thread::spawn({
            let (latencies, stop) = (latencies.clone(), stop.clone());
            move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(StormError::system("a runtime"))?
                    .block_on(watch(address, ready, &latencies, &stop))
            }
        });
        let witness = Self {
            latencies,
            stop,
            thread,
        };
        match is_ready.await {
            Ok(()) => Ok(witness),
            // Why is what the thread ended with.
            Err(_) => match witness.stop().await {
                Err(error) => Err(error),
                Ok(()) => Err(StormError::Witness),
            },
        }
    }

    /// Latencies since the last call.
    pub(crate) fn take(&self) -> Latencies {
        self.latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Ends it; an error when a push was lost or refused, or a connection ended.
    pub(crate) async fn stop(self) -> Result<(), StormError> {
        self.stop.store(true, Ordering::Relaxed);
        // It ends within a push.
        tokio::task::spawn_blocking(move || self.thread.join())
            .await
            .map_err(|_| StormError::Witness)?
            .map_err(|_| StormError::Witness)?
    }
}

async fn watch(
    address: SocketAddr,
    ready: oneshot::Sender<()>,
    latencies: &Mutex<Latencies>,
    stop: &AtomicBool,
) -> Result<(), StormError> {
    let mut speaker = Client::connect(address).await?;
    let mut hearer = Client::connect(address).await?;
    speaker.join("witness").await?;
    hearer.join("witness").await?;
    // Whoever waits may have given up.
    let _ = ready.send(());
    let mut ticks = interval(EVERY);
    let mut count = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        let due = ticks.tick().await;
        count += 1;
        let payload = format!(r#"{{"n":{count}}}"#);
        let reference = count.to_string();
        let pushing = speaker.push(&reference, "witness", &payload);
        let hearing = within(LOST, "a witnessed push", async {
            loop {
                if number(&hearer.message().await?) == Some(count) {
                    return Ok(());
                }
            }
        });
        let (reply, ()) = tokio::try_join!(pushing, hearing)?;
        if reply["status"] != "ok" {
            return Err(StormError::Lost(format!("a push was answered {reply}")));
        }
        latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .record(due.elapsed());
        if count.is_multiple_of(200) {
            hearer.heartbeat().await?;
        }
    }
    Ok(())
}
