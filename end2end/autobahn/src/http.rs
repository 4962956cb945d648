//! What the gateway puts around a socket until it is upgraded, as it is.

#[path = "../../../server/src/http/prompt.rs"]
#[allow(dead_code, reason = "the gateway also asks why a connection ended")]
mod prompt;

use std::time::Duration;

use tokio::net::TcpStream;

pub(crate) use prompt::Prompt;

/// A socket whose answers have to be read.
pub(crate) fn prompt(socket: TcpStream) -> Prompt<TcpStream> {
    Prompt::new(socket, Duration::from_secs(30))
}
