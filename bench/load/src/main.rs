//! The load generator: many Phoenix clients in one thread, and what they tell of the gateway.
//!
//! It drives the gateway (messages are published on its bus), the floor (messages are posted to
//! `/inject`) and a few other servers with as many clients and the same bytes, so that a figure of
//! the one can be told as a ratio to the other. Each run prints one line of JSON; `report` makes
//! the tables of them.

mod arrivals;
mod client;
mod dialect;
mod error;
mod figures;
mod frame;
mod idle;
mod inject;
mod joins;
mod latencies;
mod meter;
mod nats;
mod options;
mod phoenix;
mod pool;
mod presence;
mod process;
mod push;
mod report;
mod socket_io;
mod subscribers;
mod token;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::error::LoadError;
use crate::figures::Line;
use crate::options::{Command, Options};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), LoadError> {
    let text = match Options::parse().command {
        Command::Subscribers(run) => line(&subscribers::run(&run)?)?,
        Command::Idle(run) => line(&idle::run(&run)?)?,
        Command::Joins(run) => line(&joins::run(&run)?)?,
        Command::Push(run) => line(&push::run(&run)?)?,
        Command::Presence(run) => line(&presence::run(&run)?)?,
        Command::Report => report::tables(std::io::stdin().lock())?,
    };
    writeln!(std::io::stdout(), "{text}").map_err(LoadError::Output)
}

fn line(line: &Line) -> Result<String, LoadError> {
    serde_json::to_string(line).map_err(LoadError::Figures)
}
