//! Accepting connections and speaking HTTP/1.1 on them, within bounds.
//!
//! A client that begins a request and does not finish its head in time is cut, and only so many
//! connections may be in that state or any other before they become WebSockets: whoever opens more
//! waits in the system's own queue. A WebSocket is no longer counted here.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// After an error that does not pass by itself (no file descriptors left) accepting rests.
const REST: Duration = Duration::from_millis(100);
/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The bounds of plain HTTP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HttpLimits {
    /// Connections that are no WebSockets (yet).
    pub(crate) connections: usize,
    /// How long a request's head may take.
    pub(crate) head: Duration,
}

/// Serves until `stopping`; then takes no new connection and lets open requests end.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: HttpLimits,
    stopping: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let tasks = TaskTracker::new();
    let accepting = async {
        loop {
            let Ok(place) = room.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((socket, peer)) => {
                    let connection = Connection {
                        app: app.clone(),
                        peer,
                        head: limits.head,
                        stopping: stopping.clone(),
                        _place: place,
                    };
                    tasks.spawn(connection.serve(socket));
                }
                Err(error) if passes(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    };
    // Who cancels wants no new connection, not even one that is being accepted.
    stopping.run_until_cancelled(accepting).await;
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Whether the error is the fault of that one connection.
fn passes(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// One accepted connection.
struct Connection {
    app: Router,
    peer: SocketAddr,
    head: Duration,
    stopping: CancellationToken,
    /// Given back when the connection ends or becomes a WebSocket.
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, socket: TcpStream) {
        // Events are small and wanted at once: none waits for more to fill a segment.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        let Self { app, peer, .. } = self;
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
        let mut serving = std::pin::pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.head)
                .max_buf_size(MAX_HEAD_BYTES)
                .serve_connection(TokioIo::new(socket), service)
                .with_upgrades()
        );
        let ended = tokio::select! {
            ended = &mut serving => ended,
            () = self.stopping.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "an HTTP connection ended");
        }
    }
}
