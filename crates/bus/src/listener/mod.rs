//! The door for stock Redis clients: a TCP listener that speaks RESP2 and RESP3.
//!
//! It takes what a pub/sub client needs and answers everything else with an error that names the
//! command. One task serves one client, so that a confirmation and the subscription it confirms
//! cannot be torn apart, see [`client`]. Requests are bounded before they are decoded, see
//! [`request`]; what waits for a client is bounded in bytes, see [`outbox`].

mod client;
mod commands;
mod handshake;
mod outbox;
mod reply;
mod request;
mod transaction;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::client::Client;
use self::outbox::Outbox;
pub(crate) use self::reply::{Protocol, Reply};
use crate::broker::{Broker, Tally};
use crate::bus::Status;
use crate::in_process::InProcessConfig;

/// How long to wait after the system had no socket to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the clients of one listener share.
pub(crate) struct Shared {
    pub(crate) broker: Arc<Broker>,
    pub(crate) config: InProcessConfig,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) shutdown: CancellationToken,
    /// Ordered, so that `CLIENT LIST` is.
    pub(crate) clients: Mutex<BTreeMap<u64, Arc<Outbox>>>,
}

impl Shared {
    fn count_clients(&self, clients: usize) {
        self.status
            .send_modify(|status| status.clients = clients as u64);
    }

    /// Enters a new client, or says that there is no room for it.
    fn enter(&self, outbox: &Arc<Outbox>) -> bool {
        let mut clients = self.clients.lock();
        if clients.len() >= self.config.limits.clients {
            return false;
        }
        clients.insert(outbox.id, outbox.clone());
        self.count_clients(clients.len());
        true
    }

    /// Forgets a client that has gone.
    pub(crate) fn leave(&self, id: u64) {
        let mut clients = self.clients.lock();
        clients.remove(&id);
        self.count_clients(clients.len());
    }
}

/// Binds the address now, so that a taken port is an error at start.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

/// Lets clients in until the shutdown.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = shared.shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => welcome(socket, peer, &shared, &tasks),
            Err(error) => {
                // Out of file descriptors for instance; it would fail again at once.
                tracing::warn!(%error, "a Redis client could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn welcome(socket: TcpStream, peer: SocketAddr, shared: &Arc<Shared>, tasks: &TaskTracker) {
    // Without this, small messages would wait for the acknowledgement of the one before.
    let _ = socket.set_nodelay(true);
    let limit = shared.config.limits.output_bytes;
    let outbox = Arc::new(Outbox::new(shared.broker.clone(), peer, limit));
    if shared.enter(&outbox) {
        tasks.spawn(Client::new(shared.clone(), outbox).serve(socket));
    } else {
        Tally::add(&shared.broker.tally.clients_refused);
        // A new socket has room for a line; who is not read to is told nothing.
        let _ = socket.try_write(b"-ERR max number of clients reached\r\n");
    }
}
