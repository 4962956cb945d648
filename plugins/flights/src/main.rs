//! Replays recorded air traffic onto the bus: aircraft that changed once a second as
//! `to:flights:positions`, all of them as `to:flights:snapshot` when a page asks with
//! `from:flights:snapshot`. It knows nothing of the gateway: only a Redis client.

mod coalesce;
mod fleet;
mod player;
mod recording;
mod replicate;

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tidegate_plugin::{Bus, say, shutdown};

use crate::fleet::Fleet;
use crate::player::{Pace, Player};
use crate::recording::Recording;
use crate::replicate::{Copies, MAX_COPIES};

/// Replays recorded air traffic onto the bus.
#[derive(Debug, Parser)]
#[command(name = "tidegate-flights", version)]
struct Options {
    /// The bus: a gateway's own listener, or a Redis.
    #[arg(long, env = "TIDEGATE_REDIS_URL", hide_env_values = true)]
    #[arg(default_value = "redis://127.0.0.1:2026")]
    redis_url: String,
    /// A recording to play instead of the built-in one: CSV with the same columns.
    #[arg(long, env = "TIDEGATE_FLIGHTS_FILE")]
    file: Option<PathBuf>,
    /// Seconds of the recording to play in a second, 0.1 to 600.
    #[arg(long, env = "TIDEGATE_FLIGHTS_SPEED", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Copies of the traffic in all, spread over Europe; 60 make two thousand aircraft.
    #[arg(long, env = "TIDEGATE_FLIGHTS_REPLICATE", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_COPIES)))]
    replicate: u32,
    /// Second of the recording to begin with; it starts again from its beginning.
    #[arg(long, env = "TIDEGATE_FLIGHTS_START_AT", default_value_t = 0)]
    start_at: u64,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=600.0).contains(&speed) => Ok(speed),
        _ => Err("must be a number between 0.1 and 600".to_owned()),
    }
}

/// Why the plugin cannot start; the process ends with the sentence.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("cannot open {path}: {source}")]
    Open {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: recording::RecordingError,
    },
    #[error(transparent)]
    BuiltIn(recording::RecordingError),
    #[error("--start-at must be less than the {length} s that the recording takes")]
    StartAt { length: u64 },
    #[error(transparent)]
    Copies(#[from] replicate::TooManyCopies),
    #[error(transparent)]
    Url(#[from] tidegate_plugin::BusUrlError),
    #[error("cannot listen for signals: {0}")]
    Signals(#[from] std::io::Error),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("flights: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs until the process is asked to end.
async fn run(options: Options) -> Result<(), StartError> {
    let recording = read(options.file)?;
    let length = recording.length() / 1000;
    if options.start_at >= length {
        return Err(StartError::StartAt { length });
    }
    let fleet = Fleet::new(recording);
    let copies = Copies::new(fleet.recording(), options.replicate)?;
    let pace = Pace {
        speed: options.speed,
        start_at: Duration::from_secs(options.start_at),
    };
    let player = Player::new(fleet, copies, pace);
    let bus = Bus::start("flights", &options.redis_url, &[player::SNAPSHOT_ASKED])?;
    tokio::select! {
        () = player.play(bus) => Ok(()),
        asked = shutdown() => Ok(asked?),
    }
}

fn read(file: Option<PathBuf>) -> Result<Recording, StartError> {
    let Some(path) = file else {
        return Recording::built_in().map_err(StartError::BuiltIn);
    };
    match File::open(&path) {
        Ok(file) => Recording::read(BufReader::new(file))
            .map_err(|source| StartError::File { path, source }),
        Err(source) => Err(StartError::Open { path, source }),
    }
}
