//! Publishes the CPU, memory, disk and network of the machine it runs on, once a second, as
//! `to:host:telemetry`, and answers the HTTP requests about this machine that a gateway passes on.
//! It knows nothing of the gateway: only a Redis client.

mod answers;
mod rate;
mod telemetry;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use serde_json::json;
use tidegate_plugin::http::{Request, here_name, reply_name, request_name};
use tidegate_plugin::{Bus, say, shutdown};
use tokio::runtime;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::answers::{Desk, Services, is_service_name};
use crate::telemetry::Probe;

const NAME: &str = "host";
const TELEMETRY: &str = "to:host:telemetry";

/// How often the plugin says that it is there.
const HERE_EVERY: Duration = Duration::from_secs(2);

/// What waits to be published, at most.
const OUTGOING: usize = 64;

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
    /// A service of this machine that administrators may look at, start and stop; may be given
    /// several times.
    #[arg(long = "allow-service", value_name = "NAME", value_parser = service)]
    allowed_services: Vec<String>,
    /// The program that manages services.
    #[arg(long, env = "TIDEGATE_SERVICE_MANAGER", default_value = "systemctl")]
    service_manager: OsString,
    /// The folder in which the kernel lists Bluetooth adapters.
    #[arg(
        long,
        env = "TIDEGATE_BLUETOOTH_PATH",
        default_value = "/sys/class/bluetooth"
    )]
    bluetooth_path: PathBuf,
}

fn service(name: &str) -> Result<String, String> {
    match is_service_name(name) {
        true => Ok(name.to_owned()),
        false => Err("must be the name of a service, for instance nginx.service".to_owned()),
    }
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

/// A name on the bus and what is published under it.
type Outgoing = (String, Vec<u8>);

/// Runs until the process is asked to end.
async fn run(options: Options) -> Result<(), HostError> {
    let bus = Bus::start(NAME, &options.redis_url, &[&request_name(NAME)])?;
    let services = Services {
        allowed: options.allowed_services,
        manager: options.service_manager,
    };
    let desk = Desk::new(services, options.bluetooth_path);
    let (out, outgoing) = mpsc::channel(OUTGOING);
    tokio::select! {
        ended = measure(&out, options.interval) => ended,
        () = say_here(&out) => Ok(()),
        () = serve(bus, desk, &out, outgoing) => Ok(()),
        asked = shutdown() => Ok(asked?),
    }
}

/// Reads the figures each `every`, for ever.
async fn measure(out: &mpsc::Sender<Outgoing>, every: Duration) -> Result<(), HostError> {
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
        put(out, TELEMETRY.to_owned(), body).await;
    }
}

/// Says now and then that the plugin is there, for ever.
async fn say_here(out: &mpsc::Sender<Outgoing>) {
    let here = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "about": env!("CARGO_PKG_DESCRIPTION"),
    });
    let mut ticks = tokio::time::interval(HERE_EVERY);
    loop {
        ticks.tick().await;
        put(out, here_name(NAME), here.to_string().into_bytes()).await;
    }
}

async fn put(out: &mpsc::Sender<Outgoing>, name: String, body: Vec<u8>) {
    // The other end is open as long as the plugin runs.
    let _ = out.send((name, body)).await;
}

/// Publishes what there is to publish and answers what is asked, for ever.
async fn serve(
    mut bus: Bus,
    desk: Desk,
    out: &mpsc::Sender<Outgoing>,
    mut outgoing: mpsc::Receiver<Outgoing>,
) {
    loop {
        tokio::select! {
            Some((name, body)) = outgoing.recv() => {
                // What could not be told is old by the next second; the bus itself says why.
                let _ = bus.publish(&name, &body).await;
            }
            message = bus.heard() => {
                let Some(request) = Request::read(&message.body) else {
                    continue;
                };
                let (desk, out) = (desk.clone(), out.clone());
                tokio::spawn(async move {
                    let answer = desk.answer(&request).await;
                    put(&out, reply_name(NAME), answer.reply(&request.id)).await;
                });
            }
        }
    }
}
