//! The floor as a program; what it does is told in the library.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use tidegate_floor::Server;

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
