//! The load generator: many Phoenix clients in one thread, and what they tell of the gateway.
//!
//! It drives two targets with the same clients and the same bytes: the gateway (messages are
//! published on its bus) and the floor (messages are posted to `/inject`), so that a figure of
//! the one can be told as a ratio to the other. Each run prints one line of JSON; `report` makes
//! the table of them.

mod client;
mod error;
mod figures;
mod frame;
mod idle;
mod inject;
mod options;
mod pool;
mod process;
mod report;
mod subscribers;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::error::LoadError;
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
        Command::Report => report::table(std::io::stdin().lock())?,
    };
    writeln!(std::io::stdout(), "{text}").map_err(LoadError::Output)
}

fn line(figures: &figures::Figures) -> Result<String, LoadError> {
    serde_json::to_string(figures).map_err(LoadError::Figures)
}
