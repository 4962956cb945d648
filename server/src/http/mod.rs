//! Accepting connections and speaking HTTP/1.1 on them, within bounds.
//!
//! A client that begins a request and does not finish its head in time is cut, and so is one that
//! does not read its answer, or has nothing more to ask. Only so many connections may be in one of
//! these states before they become WebSockets, and only so many of one address: whoever opens more
//! waits in the system's own queue, or is turned away. A WebSocket is no longer counted here.

mod places;
mod prompt;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use places::Places;
use places::Share;
pub(crate) use prompt::Prompt;
use prompt::was_unread;

use crate::front::Front;
use crate::limits::key;

/// After an error that does not pass by itself (no file descriptors left) accepting rests.
const REST: Duration = Duration::from_millis(100);
/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// What who is beyond the share of its address is told.
const TURNED_AWAY: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n",
    "content-type: application/problem+json\r\n\r\n",
    r#"{"title":"Service Unavailable","status":503,"#,
    r#""detail":"Too many connections of this address are open; end one, or wait."}"#,
);

/// The bounds of plain HTTP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HttpLimits {
    /// Connections that are no WebSockets (yet).
    pub(crate) connections: usize,
    /// How many of them may be of one address, 0 for all.
    pub(crate) per_address: usize,
    /// How long a request's head may take, and how long a connection may have nothing to ask.
    pub(crate) head: Duration,
    /// How long its body may take.
    pub(crate) body: Duration,
    /// How long a client may take nothing of its answer.
    pub(crate) write: Duration,
    /// How long the API may take to answer one.
    pub(crate) request: Duration,
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
                    let share = match counts(&front, peer).then(|| places.share(key(peer.ip()))) {
                        None => None,
                        Some(Some(share)) => Some(share),
                        Some(None) => {
                            socket.turn_away();
                            continue;
                        }
                    };
                    let connection = Connection {
                        front: front.clone(),
                        peer,
                        places: places.clone(),
                        closing: ending.closing.clone(),
                        _place: (place, share),
                    };
                    tasks.spawn(connection.serve(socket));
                }
                Err(error) if passes(&error) => {}
                Err(error) => {
                    places.not_accepted.add(1);
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

/// Whether this one is a client of its own: a proxy and the Unix socket stand for many.
fn counts(front: &Front, peer: SocketAddr) -> bool {
    peer != UNIX_PEER && !front.is_proxy(peer.ip())
}

impl Accepted {
    /// Says that there is no room, as far as that takes no time, and closes.
    fn turn_away(self) {
        match self {
            Self::Tcp(socket) => refuse(socket),
            Self::Unix(socket) => refuse(socket),
        }
    }
}

fn refuse(socket: impl AsFd) {
    // What was read cannot make the system reset the connection before the answer is there.
    let mut asked = [0; 4096];
    let _ = rustix::net::recv(&socket, &mut asked, RecvFlags::DONTWAIT);
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let _ = rustix::net::send(&socket, TURNED_AWAY.as_bytes(), flags);
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
    _place: (OwnedSemaphorePermit, Option<Share>),
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
        S: AsyncRead + AsyncWrite + AsFd + Unpin + Send + 'static,
    {
        let limits = self.places.limits();
        let socket = Prompt::new(socket, limits.write);
        let Self { front, peer, .. } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let front = front.clone();
            async move { Ok::<_, Infallible>(front.answer(request.map(Body::new), peer).await) }
        });
        let mut serving = std::pin::pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
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
            if was_unread(&error) {
                self.places.unread.add(1);
            } else if error.is_timeout() {
                self.places.slow_heads.add(1);
            }
            tracing::debug!(%peer, %error, "an HTTP connection ended");
        }
    }
}
