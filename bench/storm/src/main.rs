//! Trials of the gateway: each starts one of its own, does its worst to it and holds it to its
//! promises. A trial prints one line, or JSON, and fails when a promise is broken.

mod abuse;
mod churn;
mod client;
mod error;
mod frame;
mod gateway;
mod http;
mod latencies;
mod listeners;
mod options;
mod process;
mod redis_server;
mod report;
mod resp;
mod trials;
mod witness;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::error::StormError;
use crate::options::Options;
use crate::report::Report;

fn main() -> ExitCode {
    let options = Options::parse();
    let result = run(&options).and_then(|report| {
        tell(&options, &report)?;
        Ok(report.kept)
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "storm: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<Report, StormError> {
    process::allow_descriptors(trials::descriptors(&options.trial))?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StormError::system("a runtime"))?
        .block_on(trials::run(options))
}

fn tell(options: &Options, report: &Report) -> Result<(), StormError> {
    let json = serde_json::to_string(report).map_err(|error| StormError::Output(error.into()))?;
    if let Some(path) = &options.keep {
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(StormError::Output)?;
        writeln!(file, "{json}").map_err(StormError::Output)?;
    }
    let text = if options.json { json } else { report.line() };
    writeln!(std::io::stdout(), "{text}").map_err(StormError::Output)
}
