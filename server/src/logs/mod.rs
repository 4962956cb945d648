//! The logs: three sinks with a rule each (P19).
//!
//! | sink | level | where |
//! | --- | --- | --- |
//! | console | `--log`, INFO by default, DEBUG with `--debug` | standard error |
//! | app log | INFO, always | a folder that lasts |
//! | debug log | DEBUG, always | a folder that a restart of the machine empties |
//!
//! What the console shows changes neither file. Who logs never waits: a line goes into a bounded
//! queue, and a thread of the sink writes it (`queue`); what finds no room is counted. Files hold one
//! JSON object a line, grow to a size and are then rotated, and only so many are kept (`rotation`).
//! Nothing that is logged can make a line of its own (`line`).
//!
//! DEBUG is the gateway's own; of libraries the files hold INFO. Nothing is logged for an event that
//! is delivered, at any level: what DEBUG costs is paid when a connection comes or goes.

mod line;
mod place;
mod queue;
mod rotation;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};

pub(crate) use queue::Lost;

use line::{Console, Json};
use place::Claimed;
use queue::{Queue, Writing};
use rotation::Rotating;

/// What tells of the gateway itself: the targets of all its crates begin so.
const OWN: &str = "tidegate";

/// How the console is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where the debug log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DebugPlace {
    /// The first volatile folder that can be used.
    Volatile,
    /// This one.
    Folder(PathBuf),
    /// Nowhere.
    None,
}

/// What the settings say.
#[derive(Debug, Clone)]
pub(crate) struct LogSettings {
    /// A filter for the console.
    pub(crate) console: String,
    /// Whether the filter was widened to what the gateway says at DEBUG.
    pub(crate) debug_on_console: bool,
    pub(crate) format: LogFormat,
    /// The folder of the app log.
    pub(crate) app: Option<PathBuf>,
    pub(crate) debug: DebugPlace,
    /// A file of more bytes is rotated.
    pub(crate) file_bytes: u64,
    /// Files of one log at most, the one that is written to among them.
    pub(crate) files: usize,
    /// Bytes that wait for one sink at most.
    pub(crate) queue_bytes: usize,
}

/// Why nothing can be logged as the settings say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("--log {0:?} is no log filter; use error, warn, info, debug or trace")]
    Filter(String),
    #[error(
        "the log folder {} cannot be used: {source}; name another one with --{flag}, or none", .path.display()
    )]
    Folder {
        flag: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("a thread that writes the log cannot be started: {0}")]
    Thread(std::io::Error),
}

/// The sinks as long as they are written to; what waits is written when this is dropped.
pub(crate) struct Logs {
    writing: Vec<Writing>,
    lost: Arc<Lost>,
    /// Where the debug log is.
    debug: Option<PathBuf>,
}

impl Logs {
    /// Opens the sinks; from here on everything that is logged goes there.
    pub(crate) fn start(settings: &LogSettings) -> Result<Self, LogError> {
        let filter = EnvFilter::try_new(&settings.console)
            .map_err(|_| LogError::Filter(settings.console.clone()))?;
        let lost = Arc::<Lost>::default();
        let mut writing = Vec::new();
        let mut sink = |name, to: Box<dyn std::io::Write + Send>| {
            let queue = Arc::new(Queue::new(settings.queue_bytes, lost.of(name)));
            let thread = queue.write_to(name, to).map_err(LogError::Thread)?;
            writing.push(thread);
            Ok::<_, LogError>(queue)
        };

        let console = sink("console", Box::new(std::io::stderr()))?;
        let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let console = match settings.format {
            LogFormat::Text => fmt::layer()
                .with_ansi(ansi)
                .with_writer(Console::new(console, ansi))
                .with_filter(filter)
                .boxed(),
            LogFormat::Json => json(Json(console)).with_filter(filter).boxed(),
        };
        let app = match app_log(settings)? {
            Some(claimed) => {
                let file = Rotating::new(claimed, settings.file_bytes, settings.files);
                let queue = sink("app", Box::new(file))?;
                Some(json(Json(queue)).with_filter(LevelFilter::INFO))
            }
            None => None,
        };
        let debug = debug_log(settings)?;
        let debug_path = debug.as_ref().map(|claimed| claimed.path.clone());
        let debug = match debug {
            Some(claimed) => {
                let file = Rotating::new(claimed, settings.file_bytes, settings.files);
                let queue = sink("debug", Box::new(file))?;
                let own = Targets::new()
                    .with_default(LevelFilter::INFO)
                    .with_target(OWN, LevelFilter::DEBUG);
                Some(json(Json(queue)).with_filter(own))
            }
            None => None,
        };
        tracing_subscriber::registry()
            .with(vec![console])
            .with(app)
            .with(debug)
            .init();
        Ok(Self {
            writing,
            lost,
            debug: debug_path,
        })
    }

    /// Lines that found no room, sink by sink.
    pub(crate) fn lost(&self) -> Arc<Lost> {
        self.lost.clone()
    }

    /// Says where the debug log is: nobody would look for it there.
    pub(crate) fn announce(&self) {
        if let Some(path) = &self.debug {
            tracing::info!(path = %path.display(), "the debug log is here");
        }
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        for writing in &mut self.writing {
            writing.end();
        }
    }
}

fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::layer().json().flatten_event(true).with_writer(writer)
}

fn app_log(settings: &LogSettings) -> Result<Option<Claimed>, LogError> {
    let Some(folder) = &settings.app else {
        return Ok(None);
    };
    claim(folder, OWN, "log-dir").map(Some)
}

fn debug_log(settings: &LogSettings) -> Result<Option<Claimed>, LogError> {
    match &settings.debug {
        DebugPlace::None => Ok(None),
        DebugPlace::Folder(folder) => claim(folder, "debug", "debug-log-dir").map(Some),
        // A machine without any is no reason not to serve.
        DebugPlace::Volatile => Ok(place::volatile("debug")),
    }
}

fn claim(folder: &std::path::Path, name: &str, flag: &'static str) -> Result<Claimed, LogError> {
    place::folder(folder)
        .and_then(|()| place::claim(folder, name))
        .map_err(|source| LogError::Folder {
            flag,
            path: folder.to_owned(),
            source,
        })
}
