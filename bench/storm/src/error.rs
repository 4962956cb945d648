//! Why a trial could not be held. A promise that is broken is no error but a figure.

use std::io;
use std::path::PathBuf;

/// A trial that has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StormError {
    /// The gateway's program cannot be run.
    #[error("cannot start {program}: {source}; build it first, or say --gateway")]
    Start { program: PathBuf, source: io::Error },
    /// The gateway ended, or did not say where it listens.
    #[error("the gateway did not start: {0}")]
    NotReady(String),
    /// Files, sockets, processes of this program's own.
    #[error("{what}: {source}")]
    System {
        what: &'static str,
        source: io::Error,
    },
    /// The figures of a process cannot be had.
    #[error("cannot read the figures of process {pid}: {reason}")]
    Process { pid: u32, reason: String },
    /// A good client was not let in.
    #[error("a client was not let in: {0}")]
    Handshake(String),
    /// A connection that should stay was lost.
    #[error("a connection ended: {0}")]
    Lost(String),
    /// What was waited for did not come.
    #[error("{what} did not come within {seconds} s")]
    Late { what: String, seconds: u64 },
    /// The bus, or Redis, answered with an error.
    #[error("the bus answered {0:?}")]
    Bus(String),
    /// The admin interface, or a long poll, answered something else.
    #[error("{request} was answered {answer:?}")]
    Http { request: String, answer: String },
    /// The histogram refuses its bounds or a value.
    #[error("cannot keep latencies: {0}")]
    Latencies(String),
    /// The thread of the witnesses panicked.
    #[error("the witnesses have gone")]
    Witness,
    /// Too few file descriptors.
    #[error("{needed} file descriptors are needed, {limit} are allowed: raise ulimit -n")]
    Descriptors { needed: u64, limit: u64 },
    /// The result cannot be written.
    #[error("the result cannot be told: {0}")]
    Output(#[source] io::Error),
}

impl StormError {
    /// For `map_err`: what was tried when the system refused.
    pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}
