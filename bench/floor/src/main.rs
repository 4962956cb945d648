//! The yardstick of the benchmarks: what the kernel itself costs.
//!
//! One thread, one epoll. It takes WebSocket handshakes, so that the same load generator can
//! drive it, and then writes each message that is put in with `POST /inject` to every socket:
//! the frame is prepared once, one `write` per socket, nothing is parsed. No server that speaks
//! WebSocket over plain sockets does less for a broadcast, so figures are told as a ratio to it.

mod frame;
mod request;
mod server;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;

use crate::server::Server;

/// Writes one prepared frame per socket per message, and does nothing else.
#[derive(Debug, Parser)]
#[command(name = "tidegate-floor", version)]
struct Options {
    /// Where to listen; with port 0 the system chooses one, which is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

fn main() -> ExitCode {
    match run(Options::parse().listen) {
        Ok(never) => match never {},
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(listen: SocketAddr) -> std::io::Result<std::convert::Infallible> {
    let mut server = Server::bind(listen)?;
    // A closed standard output is no reason to end.
    let _ = writeln!(
        std::io::stdout(),
        "floor: listening on {}",
        server.address()?
    );
    server.run()
}
