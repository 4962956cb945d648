//! The command line.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};

use crate::dialect::Target;

/// Measures what deliveries, joins, pushes and idle connections cost.
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
    /// Joins of one topic as fast as they are answered, each with a token of its own
    Joins(Joins),
    /// Clients that push and wait for the reply, over and over
    Push(Push),
    /// Clients that join a topic with presence, all within a second
    Presence(Presence),
    /// Reads the lines of several runs and prints the tables: medians, and ratios to the floor
    Report,
}

/// What every kind of run needs to know.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// What listens there
    #[arg(long, value_enum, default_value = "gateway")]
    pub(crate) target: Target,
    /// What the tables call it, if not by that name
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Where the clients connect
    #[arg(long, default_value = "127.0.0.1:2025")]
    pub(crate) address: SocketAddr,
    /// The process to measure
    #[arg(long)]
    pub(crate) pid: u32,
    /// The topic to join
    #[arg(long, default_value = "bench", value_parser = topic)]
    pub(crate) topic: String,
    /// Clients
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=25_000))]
    pub(crate) clients: u32,
}

impl Common {
    /// What the tables call the target.
    pub(crate) fn label(&self) -> String {
        self.label
            .clone()
            .unwrap_or_else(|| self.target.name().to_owned())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Subscribers {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Where messages go in: the bus of the gateway, NATS's port for TCP; others take them where
    /// clients connect
    #[arg(long, default_value = "127.0.0.1:2026")]
    pub(crate) bus: SocketAddr,
    /// Bytes of a message's payload
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Messages a second, whether the earlier ones have arrived or not
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: Option<u32>,
    /// Messages on their way at once: the next go in when earlier ones have arrived everywhere
    #[arg(long, default_value_t = 1, conflicts_with = "rate",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) in_flight: u32,
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

#[derive(Debug, Args)]
pub(crate) struct Joins {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The secret that signs the tokens; the floor asks for none, but gets as many bytes
    #[arg(long)]
    pub(crate) jwt_secret: Option<String>,
    /// Joins that wait for their reply at once
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) in_flight: u32,
    /// How many joins the first and the last part have whose rates are told apart
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) part: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Push {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Bytes of a push's payload
    #[arg(long, default_value_t = 200)]
    pub(crate) bytes: usize,
    /// Pushes that are counted, of all clients together
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) requests: u64,
    /// Pushes before those, not counted
    #[arg(long, default_value_t = 5_000)]
    pub(crate) warm_up: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Presence {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The time over which the joins are spread, in milliseconds
    #[arg(long, default_value_t = 1000)]
    pub(crate) within: u64,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Command, clap::Error> {
        let words = format!("tidegate-load {arguments}");
        Options::try_parse_from(words.split(' ')).map(|options| options.command)
    }

    /// The command line is one that clap can make at all, and what is not said has a value.
    #[test]
    fn what_is_not_said_has_a_value() {
        use clap::CommandFactory as _;
        Options::command().debug_assert();
        let Command::Subscribers(run) = parse("subscribers --pid 7").unwrap() else {
            panic!("another command")
        };
        assert_eq!((run.common.clients, run.bytes), (1000, 200));
        assert_eq!((run.in_flight, run.rate), (1, None));
        assert_eq!(run.common.label(), "gateway");
        let Command::Idle(run) = parse("idle --pid 7 --target floor --label x").unwrap() else {
            panic!("another command")
        };
        assert_eq!(run.common.label(), "x");
    }

    /// A window and a rate exclude each other, and sizes have bounds.
    #[test]
    fn what_makes_no_sense_is_refused() {
        for arguments in [
            "subscribers",
            "subscribers --pid 7 --rate 20 --in-flight 32",
            "subscribers --pid 7 --in-flight 0",
            "subscribers --pid 7 --clients 0",
            "idle --pid 7 --topic a\"b",
            "joins --pid 7 --part 0",
            "push --pid 7 --requests 0",
        ] {
            assert!(parse(arguments).is_err(), "{arguments}");
        }
    }
}
