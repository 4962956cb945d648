//! The floor as a program; what it does is told in the library.

use std::io::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::Parser;
use tidegate_floor::Server;

/// Writes prepared frames to every socket, answers each frame of a client, and does nothing else.
#[derive(Debug, Parser)]
#[command(name = "tidegate-floor", version)]
struct Options {
    /// Where to listen; with port 0 the system chooses one, which is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How many messages that wait go into one write at most.
    #[arg(long, default_value = "1")]
    frames_per_call: NonZeroUsize,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(never) => match never {},
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> std::io::Result<std::convert::Infallible> {
    let mut server = Server::bind(options.listen, options.frames_per_call)?;
    // A closed standard output is no reason to end.
    let _ = writeln!(
        std::io::stdout(),
        "floor: listening on {}",
        server.address()?
    );
    server.run()
}
