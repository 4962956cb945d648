//! The bus of a gateway that has no Redis beside it.
//!
//! A [broker](crate::broker) in memory that the gateway publishes to directly and that stock
//! Redis clients reach through a listener. Being up is its only state: it ends with the gateway.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tidegate_protocol::{BusName, Direction};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::broker::{Broker, Tally};
use crate::bus::{Bus, BusError, Counters, Kind, Sink, StartError, Status};
use crate::listener::{self, Shared};
use crate::local::Local;
use crate::publishing::Publishing;

/// What the in-process bus allows its Redis clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connected Redis clients; one more is told `max number of clients reached` and
    /// disconnected.
    pub clients: usize,
    /// Bytes of one request; a longer one is a protocol error and ends the connection.
    pub request_bytes: usize,
    /// Channels and patterns one client may be subscribed to; one more is answered with an error.
    pub subscriptions: usize,
    /// Bytes that may wait for one client; a subscriber above it is disconnected, as Redis does
    /// with `client-output-buffer-limit pubsub`.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 1_000,
            request_bytes: 16 * 1024 * 1024,
            subscriptions: 10_000,
            output_bytes: 32 * 1024 * 1024,
        }
    }
}

/// Settings of the in-process bus.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct InProcessConfig {
    /// The bounds.
    pub limits: Limits,
    /// What Redis clients must give with `AUTH` or `HELLO`; `None` lets everybody in.
    pub password: Option<String>,
}

impl fmt::Debug for InProcessConfig {
    /// Does not show the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessConfig")
            .field("limits", &self.limits)
            .field("password", &self.password.as_ref().map(|_| "set"))
            .finish()
    }
}

/// The in-process bus.
pub struct InProcess {
    shared: Arc<Shared>,
    address: Option<SocketAddr>,
    tasks: TaskTracker,
}

impl InProcess {
    /// Starts the bus; with `listen`, Redis clients may connect there (port 0 takes a free one,
    /// see [`InProcess::local_addr`]). Must be called within a tokio runtime.
    ///
    /// When `shutdown` is cancelled, publishing is refused and the clients are disconnected;
    /// [`InProcess::stopped`] waits until they are.
    pub fn start(
        config: InProcessConfig,
        listen: Option<SocketAddr>,
        sink: Arc<dyn Sink>,
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>, StartError> {
        let bound = match listen {
            None => None,
            Some(address) if config.password.is_none() && !address.ip().is_loopback() => {
                return Err(StartError::Unprotected(address));
            }
            Some(address) => Some(
                listener::bind(address).map_err(|source| StartError::Listen { address, source })?,
            ),
        };
        let address = bound.as_ref().map(|(_, address)| *address);
        let status = watch::Sender::new(Status {
            kind: Kind::InProcess,
            up: true,
            address: address.map(|address| address.to_string()),
            since: SystemTime::now(),
            detail: None,
            clients: 0,
        });
        let shared = Arc::new(Shared {
            broker: Arc::new(Broker::new(sink)),
            config,
            status,
            shutdown,
            clients: Mutex::default(),
        });
        let tasks = TaskTracker::new();
        if let Some((socket, _)) = bound {
            tasks.spawn(listener::accept(socket, shared.clone(), tasks.clone()));
        }
        tasks.close();
        Ok(Arc::new(Self {
            shared,
            address,
            tasks,
        }))
    }

    /// Where Redis clients may connect.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Subscribes Rust code to a pattern, with Redis's glob semantics.
    pub fn subscribe(&self, pattern: &str) -> Local {
        let pattern = Bytes::copy_from_slice(pattern.as_bytes());
        Local::new(
            self.shared.broker.clone(),
            pattern,
            self.shared.config.limits.output_bytes,
        )
    }

    /// Waits, after the shutdown, until the last client is disconnected: about a second at most.
    pub async fn stopped(&self) {
        self.shared.shutdown.cancelled().await;
        self.tasks.wait().await;
    }
}

impl Bus for InProcess {
    fn publish(&self, name: BusName, body: Bytes) -> Publishing {
        let broker = &self.shared.broker;
        if self.shared.shutdown.is_cancelled() {
            Tally::add(&broker.tally.failed);
            let stopping = BusError::Unavailable("the gateway is stopping".into());
            return Publishing::done(Err(stopping));
        }
        Tally::add(&broker.tally.published);
        let receivers = broker.publish(&Bytes::from(name.to_string()), &body);
        if name.direction == Direction::To {
            broker.flush();
        }
        Publishing::done(Ok(receivers))
    }

    fn publish_to_peers(&self, _: Bytes) -> Publishing {
        Publishing::done(Ok(0))
    }

    fn status(&self) -> watch::Receiver<Status> {
        self.shared.status.subscribe()
    }

    fn counters(&self) -> Counters {
        self.shared.broker.tally.read()
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        Box::pin(Self::stopped(self))
    }
}
