//! `tidegate`: live events between browsers and backends, in one binary.
//!
//! This crate is wiring: it reads the settings, opens the port, and joins the hub, the bus, the
//! tokens and the interface. It has no rules of its own about channels or names.

// The types of rendered pages are nested as deeply as the pages are.
#![recursion_limit = "512"]

mod api;
mod assets;
mod body;
mod cli;
mod client;
mod cluster;
mod config;
mod cookies;
mod descriptors;
mod fetch;
mod figures;
mod front;
mod gateway;
mod http;
mod lifecycle;
mod limits;
mod logs;
mod origin;
mod pages;
mod plugins;
mod publishes;
mod sampler;
mod serve;
mod socket;
mod stopping;
mod system;
mod trust;
mod unix_socket;

use std::process::ExitCode;

/// Chosen by measurement (docs/PERFORMANCE.md): what a storm took is given back to the system.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            if !error.is_silent() {
                // Nothing is left to be done when even this cannot be written.
                let _ = writeln!(std::io::stderr(), "tidegate: {error}");
            }
            error.exit_code()
        }
    }
}
