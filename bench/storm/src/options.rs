//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Does its worst to a gateway and says which promises were kept.
#[derive(Debug, Parser)]
#[command(name = "tidegate-storm", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) trial: Trial,
    /// The program to try
    #[arg(long, global = true, default_value = "target/release/tidegate")]
    pub(crate) gateway: PathBuf,
    /// Print JSON instead of one line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// A file to which the JSON is added as a line, beside what is printed
    #[arg(long, global = true)]
    pub(crate) keep: Option<PathBuf>,
}

/// What is tried.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Trial {
    /// Sockets that never read beside good ones, under each policy
    SlowReaders {
        /// How long one measurement takes
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
        seconds: u32,
        /// Measurements without and with the stalled, in turn; medians are judged
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
        rounds: u32,
    },
    /// As many messages as the bus takes, to many subscribers
    Burst {
        #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        messages: u64,
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
        subscribers: u32,
    },
    /// A Redis that is killed, hangs, is full, is slow, and is replaced
    Redis {
        /// Kills and starts
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(4..=10_000))]
        cycles: u32,
    },
    /// Connections that send half a request
    HalfOpen {
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
        connections: u32,
    },
    /// One client that wants to join a million topics
    Joins {
        #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
        topics: u64,
    },
    /// Bytes one by one, pings without end, endless names, nonsense
    Drip {
        /// How long the storm lasts
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(5..=600))]
        seconds: u32,
        /// One attack alone: drip, ping, names, crumbs, malformed, not-text or too-large
        #[arg(long)]
        only: Option<String>,
    },
    /// Clients that come, join, push, leave and vanish
    Soak {
        #[arg(long, default_value_t = 30.0, value_parser = minutes)]
        minutes: f64,
    },
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if (1.0..=10_000.0).contains(&minutes) => Ok(minutes),
        _ => Err("say a number of minutes, 1 or more".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_one_that_clap_can_make() {
        use clap::CommandFactory as _;
        Options::command().debug_assert();
        for refused in ["soak --minutes 0", "burst --messages 0", ""] {
            let words = format!("tidegate-storm {refused}");
            assert!(Options::try_parse_from(words.split(' ')).is_err());
        }
    }
}
