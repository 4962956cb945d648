//! The bus as a plugin sees it: publish, and hear what was asked for at the start.
//!
//! Promises: one connection to Redis (RESP3 carries both directions); nothing is queued while
//! the bus is away, because live data that is late is wrong; what is heard waits in a queue of
//! [`HEARD_BOUND`] messages, and what does not fit is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, Client, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use crate::keeper::{Keeper, Name};
use crate::say;

/// How many heard messages may wait for the plugin.
pub const HEARD_BOUND: usize = 64;

/// A message that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The name on the bus, `from:<topic>:<event>`.
    pub name: String,
    /// The body, as its sender wrote it: check it before use.
    pub body: Vec<u8>,
}

/// Why an address is no address of a bus.
#[derive(Debug)]
pub struct BusUrlError(redis::RedisError);

impl std::fmt::Display for BusUrlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the bus address must look like redis://127.0.0.1:2026 ({})",
            self.0
        )
    }
}

impl std::error::Error for BusUrlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Why something was not published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishError {
    /// No connection now; the next message may fare better.
    Away,
    /// The bus answered with an error; its text.
    Refused(String),
}

impl std::fmt::Display for PublishError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PublishError::Away => f.write_str("the bus is away"),
            PublishError::Refused(reason) => write!(f, "the bus refused the message: {reason}"),
        }
    }
}

impl std::error::Error for PublishError {}

/// A live connection, and the bell to ring when it turns out to be dead.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) lost: Arc<Notify>,
}

/// The bus. Dropping it closes the connection.
pub struct Bus {
    plugin: String,
    /// The last refusal that was said, so that it is said once.
    refused: Option<String>,
    link: watch::Receiver<Option<Link>>,
    heard: mpsc::Receiver<Message>,
    dropped: Arc<AtomicU64>,
    keeper: JoinHandle<()>,
}

impl Bus {
    /// Starts to keep a connection to `url`, subscribed to `names`, for the plugin called
    /// `plugin`. Returns at once; a bus that is away is said on standard error and tried again.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// When `url` is not a Redis address.
    pub fn start(plugin: &str, url: &str, names: &[&str]) -> Result<Self, BusUrlError> {
        let info = url.into_connection_info().map_err(BusUrlError)?;
        let address = info.addr().to_string();
        let client = Client::open(with_resp3(info)).map_err(BusUrlError)?;
        let (link_sender, link) = watch::channel(None);
        let (heard_sender, heard) = mpsc::channel(HEARD_BOUND);
        let dropped = Arc::new(AtomicU64::new(0));
        let keeper = Keeper {
            name: Name {
                plugin: plugin.to_owned(),
                address,
            },
            client,
            subscriptions: names.iter().map(|name| (*name).to_owned()).collect(),
            link: link_sender,
            heard: heard_sender,
            dropped: Arc::clone(&dropped),
        };
        let keeper = tokio::spawn(keeper.run());
        Ok(Self {
            plugin: plugin.to_owned(),
            refused: None,
            link,
            heard,
            dropped,
            keeper,
        })
    }

    /// Publishes `body` as `name` (`to:<topic>:<event>`). Returns when the bus has it, after
    /// five seconds at most. A refusal is said on standard error, once as long as it is the same.
    ///
    /// # Errors
    /// [`PublishError::Away`] without a connection or when it breaks meanwhile: then the bus may
    /// or may not have the message. [`PublishError::Refused`] when the bus says no.
    pub async fn publish(&mut self, name: &str, body: &[u8]) -> Result<(), PublishError> {
        let Some(mut link) = self.link.borrow().clone() else {
            return Err(PublishError::Away);
        };
        match link.connection.publish::<_, _, ()>(name, body).await {
            Ok(()) => {
                self.refused = None;
                Ok(())
            }
            Err(error) if error.is_io_error() || error.is_unrecoverable_error() => {
                link.lost.notify_one();
                Err(PublishError::Away)
            }
            Err(error) => {
                let reason = error.to_string();
                if self.refused.as_ref() != Some(&reason) {
                    say(&format!(
                        "{}: the bus refused {name}: {reason}",
                        self.plugin
                    ));
                    self.refused = Some(reason.clone());
                }
                Err(PublishError::Refused(reason))
            }
        }
    }

    /// The next message; pending while there is none. Cancel safe.
    pub async fn heard(&mut self) -> Message {
        match self.heard.recv().await {
            Some(message) => message,
            // The keeper owns the sender and runs as long as this value lives.
            None => std::future::pending().await,
        }
    }

    /// Waits until a connection is there. Cancel safe.
    pub async fn connected(&mut self) {
        if self.link.wait_for(Option::is_some).await.is_err() {
            std::future::pending().await
        }
    }

    /// How many heard messages were dropped because the plugin did not take them in time.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// RESP3 lets one connection publish and hear.
fn with_resp3(info: ConnectionInfo) -> ConnectionInfo {
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3);
    info.set_redis_settings(settings)
}
