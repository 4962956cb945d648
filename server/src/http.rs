//! Accepting connections and speaking HTTP/1.1 on them, within bounds.
//!
//! A client that begins a request and does not finish its head in time is cut, and only so many
//! connections may be in that state or any other before they become WebSockets: whoever opens more
//! waits in the system's own queue. A WebSocket is no longer counted here.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tidegate_hub::Counter;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::front::Front;

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
    /// How long its body may take.
    pub(crate) body: Duration,
    /// How long the API may take to answer one.
    pub(crate) request: Duration,
}

/// The places of HTTP connections, and how often their bounds were reached.
pub(crate) struct Places {
    limits: HttpLimits,
    room: Arc<Semaphore>,
    /// Times that all places were taken, so that whoever came next waited.
    pub(crate) full: Counter,
    /// Connections that were cut because a request's head did not come in time.
    pub(crate) slow_heads: Counter,
    /// Requests that were refused because their body did not come in time.
    pub(crate) slow_bodies: Counter,
}

impl Places {
    pub(crate) fn new(limits: HttpLimits) -> Self {
        Self {
            limits,
            room: Arc::new(Semaphore::new(limits.connections)),
            full: Counter::default(),
            slow_heads: Counter::default(),
            slow_bodies: Counter::default(),
        }
    }

    /// The bounds.
    pub(crate) fn limits(&self) -> HttpLimits {
        self.limits
    }

    /// Connections that are no WebSockets (yet).
    pub(crate) fn taken(&self) -> usize {
        let free = self.room.available_permits();
        self.limits.connections.saturating_sub(free)
    }

    /// Waits for a place; `None` never comes, as nobody closes the semaphore.
    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.room.clone().try_acquire_owned() {
            return Some(place);
        }
        self.full.add(1);
        self.room.clone().acquire_owned().await.ok()
    }
}

/// When serving ends, in two steps.
#[derive(Clone, Default)]
pub(crate) struct Ending {
    /// From here on no new connection is taken; those that are open are served.
    pub(crate) refusing: CancellationToken,
    /// From here on open connections end with the request that they are at.
    pub(crate) closing: CancellationToken,
}

/// Where clients come in.
pub(crate) enum Listener {
    /// A port.
    Tcp(TcpListener),
    /// A socket of this machine. Its clients have no address: they count as one, [`UNIX_PEER`].
    Unix(UnixListener),
}

/// Who came in.
enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The address of all that come by a Unix socket; nobody on a network has it.
pub(crate) const UNIX_PEER: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

/// An address as people read it: `unix` for clients of a Unix socket.
pub(crate) fn shown(address: IpAddr) -> String {
    if address == UNIX_PEER.ip() {
        "unix".to_owned()
    } else {
        address.to_string()
    }
}

impl Listener {
    async fn accept(&self) -> std::io::Result<(Accepted, SocketAddr)> {
        Ok(match self {
            Self::Tcp(listener) => {
                let (socket, peer) = listener.accept().await?;
                (Accepted::Tcp(socket), peer)
            }
            Self::Unix(listener) => (Accepted::Unix(listener.accept().await?.0), UNIX_PEER),
        })
    }
}

/// Serves until the end.
pub(crate) async fn serve(listener: Listener, front: Front, places: Arc<Places>, ending: Ending) {
    let tasks = TaskTracker::new();
    let accepting = async {
        loop {
            let Some(place) = places.take().await else {
                return;
            };
            match listener.accept().await {
                Ok((socket, peer)) => {
                    let connection = Connection {
                        front: front.clone(),
                        peer,
                        places: places.clone(),
                        closing: ending.closing.clone(),
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
    ending.refusing.run_until_cancelled(accepting).await;
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
    front: Front,
    peer: SocketAddr,
    places: Arc<Places>,
    closing: CancellationToken,
    /// Given back when the connection ends or becomes a WebSocket.
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, socket: Accepted) {
        match socket {
            Accepted::Tcp(socket) => {
                // Events are small and wanted at once: none waits for more to fill a segment.
                if let Err(error) = socket.set_nodelay(true) {
                    tracing::debug!(peer = %self.peer, %error, "TCP_NODELAY cannot be set");
                }
                self.speak(socket).await;
            }
            Accepted::Unix(socket) => self.speak(socket).await,
        }
    }

    async fn speak<S>(self, socket: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { front, peer, .. } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let front = front.clone();
            async move { Ok::<_, Infallible>(front.answer(request.map(Body::new), peer).await) }
        });
        let mut serving = std::pin::pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.places.limits.head)
                .max_buf_size(MAX_HEAD_BYTES)
                .serve_connection(TokioIo::new(socket), service)
                .with_upgrades()
        );
        let ended = tokio::select! {
            ended = &mut serving => ended,
            () = self.closing.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = ended {
            if error.is_timeout() {
                self.places.slow_heads.add(1);
            }
            tracing::debug!(%peer, %error, "an HTTP connection ended");
        }
    }
}
