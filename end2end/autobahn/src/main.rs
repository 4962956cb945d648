//! The gateway's own sockets with an echo behind them, for the Autobahn test suite.
//!
//! That suite judges a server by what it echoes, and a gateway echoes nothing. So this program is
//! made of the gateway's own files from the handshake to the last frame: the request for a
//! WebSocket, the loop that reads, decodes, writes and closes, the outbox. Only the
//! [`session`](socket::session) is another: it sends back what it gets.
//!
//! Prints the port it listens on, on a line of its own, and serves until standard input ends.

mod client;
mod gateway;
mod http;
mod socket;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::gateway::Gateway;

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
    let accepting = async {
        loop {
            let (socket, peer) = listener.accept().await?;
            tokio::spawn(serve(app.clone(), socket, peer));
        }
    };
    // Whoever started this program may be killed; its end of the pipe is closed then, too.
    let mut rest = Vec::new();
    tokio::select! {
        failed = accepting => failed,
        _ = async { tokio::io::stdin().read_to_end(&mut rest).await } => Ok(()),
    }
}

/// One connection: a request, and what becomes of it.
async fn serve(app: Router, socket: TcpStream, peer: SocketAddr) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = app.clone().oneshot(request);
        async move {
            Ok::<_, Infallible>(match answer.await {
                Ok(response) => response,
                Err(never) => match never {},
            })
        }
    });
    // Whether it was served shows on the other side.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(http::prompt(socket)), service)
        .with_upgrades()
        .await;
}
