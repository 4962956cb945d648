//! The gateway's own sockets with an echo behind them, for the Autobahn test suite.
//!
//! That suite judges a server by what it echoes, and a gateway echoes nothing. So this program is
//! made of the gateway's own files from the listening socket to the last frame: accepting
//! connections, the handshake, the loop that reads, decodes, writes and closes, the outbox. Only
//! the [`session`](socket::session) is another: it sends back what it gets.
//!
//! Prints the port it listens on, on a line of its own, and serves until standard input ends.

mod gateway;
#[path = "../../../server/src/http.rs"]
mod http;
mod socket;

use std::io::Read as _;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;
use crate::http::HttpLimits;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let gateway = Arc::new(Gateway::new().map_err(std::io::Error::other)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    #[allow(clippy::print_stdout, reason = "this is how the port is told")]
    {
        println!("{}", listener.local_addr()?.port());
    }
    let app = Router::new()
        .route("/websocket", get(socket::upgrade))
        .with_state(gateway);
    let limits = HttpLimits {
        connections: 100,
        head: Duration::from_secs(10),
    };
    let stopping = CancellationToken::new();
    let stop = stopping.clone();
    // Whoever started this program may be killed; its end of the pipe is closed then, too.
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        stop.cancel();
    });
    http::serve(listener, app, limits, stopping).await;
    Ok(())
}
