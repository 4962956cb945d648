//! The command line.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// Measures what deliveries and idle connections cost.
#[derive(Debug, Parser)]
#[command(name = "tidegate-load", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Subscribers to one topic, and messages to all of them
    Subscribers(Subscribers),
    /// Connections that joined one topic and then say nothing
    Idle(Idle),
    /// Reads the lines of several runs and prints the table, each with its ratio to the floor
    Report,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Target {
    /// The gateway: Phoenix clients join, messages go in on its bus
    Gateway,
    /// The floor: nobody joins, messages go in with POST /inject
    Floor,
}

/// What both kinds of run need to know.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// What listens there
    #[arg(long, value_enum, default_value = "gateway")]
    pub(crate) target: Target,
    /// Where the clients connect
    #[arg(long, default_value = "127.0.0.1:2025")]
    pub(crate) address: SocketAddr,
    /// The process to measure
    #[arg(long)]
    pub(crate) pid: u32,
    /// The topic to join, which must be public
    #[arg(long, default_value = "bench", value_parser = topic)]
    pub(crate) topic: String,
    /// Clients
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=25_000))]
    pub(crate) clients: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Subscribers {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Where messages go in: the bus of the gateway; the floor takes them where clients connect
    #[arg(long, default_value = "127.0.0.1:2026")]
    pub(crate) bus: SocketAddr,
    /// Bytes of a message's payload
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Messages a second; without it the next one goes in when the last one has arrived everywhere
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: Option<u32>,
    /// Messages that are counted
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) messages: u32,
    /// Messages before those, not counted
    #[arg(long, default_value_t = 100)]
    pub(crate) warm_up: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Idle {
    #[command(flatten)]
    pub(crate) common: Common,
}

/// The generator writes the topic into JSON as it is.
fn topic(text: &str) -> Result<String, String> {
    if !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-:".contains(&b))
    {
        Ok(text.to_owned())
    } else {
        Err("use letters, digits, _, - and : only".to_owned())
    }
}
