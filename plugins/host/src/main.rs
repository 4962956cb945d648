//! Publishes the CPU, memory, disk and network of the machine it runs on, once a second, as
//! `to:host:telemetry`. It knows nothing of the gateway: only a Redis client.

mod rate;
mod telemetry;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use tidegate_plugin::{Bus, say, shutdown};
use tokio::runtime;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::telemetry::Probe;

const TELEMETRY: &str = "to:host:telemetry";

/// The CPU's use is a difference, too: the first reading waits until there is one.
const FIRST_AFTER: Duration = Duration::from_millis(250);

/// Publishes the telemetry of this machine.
#[derive(Debug, Parser)]
#[command(name = "tidegate-host", version)]
struct Options {
    /// The bus: a gateway's own listener, or a Redis.
    #[arg(long, env = "TIDEGATE_REDIS_URL", hide_env_values = true)]
    #[arg(default_value = "redis://127.0.0.1:2026")]
    redis_url: String,
    /// Seconds from one message to the next, 0.25 to 3600.
    #[arg(long, env = "TIDEGATE_HOST_INTERVAL", default_value = "1", value_parser = seconds)]
    interval: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.25..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("must be a number of seconds between 0.25 and 3600".to_owned()),
    }
}

/// Why the plugin ends before it is asked to; the process ends with the sentence.
#[derive(Debug, thiserror::Error)]
enum HostError {
    #[error(transparent)]
    Url(#[from] tidegate_plugin::BusUrlError),
    #[error("cannot listen for signals: {0}")]
    Signals(#[from] std::io::Error),
    #[error("cannot read this machine's figures: {0}")]
    Reading(#[from] tokio::task::JoinError),
    #[error("cannot write this machine's figures as JSON: {0}")]
    Form(#[source] serde_json::Error),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("host: cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(options));
    // Not dropped, which would wait for a reading that hangs in a dead network mount.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("host: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs until the process is asked to end.
async fn run(options: Options) -> Result<(), HostError> {
    let bus = Bus::start("host", &options.redis_url, &[])?;
    tokio::select! {
        ended = publish(bus, options.interval) => ended,
        asked = shutdown() => Ok(asked?),
    }
}

/// Publishes a reading each `every`, for ever.
async fn publish(mut bus: Bus, every: Duration) -> Result<(), HostError> {
    let probe = tokio::task::spawn_blocking(Probe::new).await?;
    let probe = Arc::new(Mutex::new(probe));
    let mut ticks = interval_at(Instant::now() + FIRST_AFTER, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let probe = Arc::clone(&probe);
        // Only one reading is under way at a time: the lock is never waited for.
        let reading = move || probe.lock().unwrap_or_else(PoisonError::into_inner).read();
        let telemetry = tokio::task::spawn_blocking(reading).await?;
        let body = serde_json::to_vec(&telemetry).map_err(HostError::Form)?;
        // What could not be told is old by the next second; the bus itself says why.
        let _ = bus.publish(TELEMETRY, &body).await;
    }
}
