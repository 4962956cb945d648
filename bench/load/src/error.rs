//! Why a run has no figures.

use std::io;

/// A run that failed; its figures would mislead and are not printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The system has no sockets or no epoll to give.
    #[error("cannot open connections: {0}")]
    System(#[source] io::Error),
    /// A client was not let in.
    #[error("client {client} of {clients} could not connect: {reason}")]
    Connect {
        client: usize,
        clients: usize,
        reason: String,
    },
    /// The target did not let all clients in.
    #[error("only {open} of {clients} clients were in after {seconds} s")]
    Slow {
        open: usize,
        clients: usize,
        seconds: u64,
    },
    /// A client that was in fell out.
    #[error("client {client} lost its connection: {reason}")]
    Lost { client: usize, reason: String },
    /// A join or a push was answered with an error.
    #[error("client {client} was refused: {answer}")]
    Refused { client: usize, answer: String },
    /// Answers that did not come.
    #[error("only {answered} of {asked} requests were answered, then nothing for {seconds} s")]
    Silent {
        answered: u64,
        asked: u64,
        seconds: u64,
    },
    /// Too few file descriptors.
    #[error(
        "{needed} connections need {needed} file descriptors and some more, {limit} are allowed; run ulimit -n {ask}"
    )]
    Descriptors {
        needed: usize,
        limit: u64,
        ask: usize,
    },
    /// The bus, or the floor, did not take a message.
    #[error("a message could not be put in: {0}")]
    Inject(String),
    /// The figures of the target's process cannot be had.
    #[error("cannot read the figures of process {pid}: {reason}")]
    Process { pid: u32, reason: String },
    /// No message arrived at all.
    #[error("no message arrived at any client within {0} s; is this the right bus and topic?")]
    Deaf(u64),
    /// The histogram refuses its bounds.
    #[error("cannot keep latencies: {0}")]
    Histogram(#[source] hdrhistogram::CreationError),
    /// A message too small for its own number.
    #[error("a message must have at least {0} bytes to hold its number")]
    TooSmall(usize),
    /// The gateway lets nobody in without a token.
    #[error("say --jwt-secret, the secret that the gateway was started with")]
    NoSecret,
    /// A token that could not be signed.
    #[error("cannot sign a token: {0}")]
    Token(#[source] jsonwebtoken::errors::Error),
    /// The line cannot be written or read.
    #[error("the figures cannot be told: {0}")]
    Figures(#[source] serde_json::Error),
    /// Standard output is closed.
    #[error("the figures cannot be written: {0}")]
    Output(#[source] io::Error),
}
