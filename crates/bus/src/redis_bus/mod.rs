//! The bus of gateways that share a Redis or Valkey.
//!
//! Two connections for each gateway, however many channels and clients there are: one is
//! subscribed to `to:*`, one publishes. One task owns both. They live and die together: when
//! either is lost, errs or hangs, both are dropped and made anew, with back-off and for ever.
//! Meanwhile every publish is answered [`BusError::Unavailable`] at once; nothing is kept for
//! later and nothing is swallowed. A replica counts as lost: it takes what is published and hands
//! it to its own subscribers alone.
//!
//! # Why these parts of the `redis` crate
//!
//! Both connections are its `MultiplexedConnection` in RESP3. Of what else it has:
//!
//! - Its `PubSub` hands messages over through a queue without a bound. A multiplexed connection
//!   calls a push sender from its own reading task, so that messages reach the [`Sink`] without
//!   any queue, and a gateway that cannot keep up is felt by Redis, which has a bound for that.
//! - Its `ConnectionManager` reconnects, but lets commands wait for the new connection and gives
//!   up after some tries; here they must be refused at once and it must go on for ever.
//!
//! RESP3 needs Redis 6 or any Valkey. It also lets the subscribed connection answer `PING` like
//! any other, which is how a server that hangs without closing its sockets is noticed.
//!
//! # What may be lost
//!
//! Redis pub/sub keeps nothing: what is published on `to:` while a gateway is not connected does
//! not reach its clients, and a publish that was not answered may have happened or not.

mod publisher;
mod session;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::future::BoxFuture;
use redis::{Client, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};
use tidegate_protocol::BusName;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::publisher::{Publisher, queue};
use self::session::Supervisor;
use crate::broker::Tally;
use crate::bus::{Bus, BusError, Counters, Kind, Sink, StartError, Status};
use crate::publishing::Publishing;

/// Settings of the Redis bus.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisConfig {
    /// `redis://[user][:password@]host[:port]`, `valkey://...` or `unix:///path`.
    pub url: String,
    /// How long making both connections may take.
    pub connect_timeout: Duration,
    /// How long Redis may take to answer a publish; then it is answered [`BusError::Timeout`]
    /// and the connections are made anew.
    pub publish_timeout: Duration,
    /// How often both connections are asked for a sign of life.
    pub ping_interval: Duration,
    /// How long that may take; then the connections are made anew.
    pub ping_timeout: Duration,
    /// The first pause before connecting again; doubles up to `backoff_max`. Each pause is
    /// shortened by up to a half at random, so that gateways do not come back all at once.
    pub backoff_min: Duration,
    /// The longest pause before connecting again.
    pub backoff_max: Duration,
    /// Bytes that may wait to be published, names included; more is answered
    /// [`BusError::Full`]. At most 4 GiB.
    pub queue_bytes: usize,
}

impl RedisConfig {
    /// The defaults, for this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connect_timeout: Duration::from_secs(5),
            publish_timeout: Duration::from_secs(2),
            ping_interval: Duration::from_secs(1),
            ping_timeout: Duration::from_secs(3),
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(2),
            queue_bytes: 64 * 1024 * 1024,
        }
    }
}

impl fmt::Debug for RedisConfig {
    /// Does not show the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("connect_timeout", &self.connect_timeout)
            .field("publish_timeout", &self.publish_timeout)
            .field("ping_interval", &self.ping_interval)
            .field("ping_timeout", &self.ping_timeout)
            .field("backoff_min", &self.backoff_min)
            .field("backoff_max", &self.backoff_max)
            .field("queue_bytes", &self.queue_bytes)
            .finish_non_exhaustive()
    }
}

/// The channel on which gateways talk to each other.
pub(crate) const PEERS: &str = "tidegate:peers";

/// The bus on a Redis or Valkey.
pub struct Redis {
    publisher: Publisher,
    status: watch::Sender<Status>,
    tally: Arc<Tally>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Redis {
    /// Begins to connect and returns at once; [`Bus::status`] tells when events flow. Must be
    /// called within a tokio runtime.
    ///
    /// When `shutdown` is cancelled, the connections are closed and publishing is refused:
    /// cancel it after the last event was published.
    pub fn start(
        config: RedisConfig,
        sink: Arc<dyn Sink>,
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>, StartError> {
        let info = connection_info(&config.url)?;
        let address = info.addr().to_string();
        let client = Client::open(info).map_err(|error| StartError::Url(error.to_string()))?;
        let status = watch::Sender::new(Status {
            kind: Kind::Redis,
            up: false,
            address: Some(address),
            since: SystemTime::now(),
            detail: Some("not connected yet".to_owned()),
            clients: 0,
        });
        let tally = Arc::new(Tally::default());
        let (publisher, waiting) = queue(config.queue_bytes);
        let tasks = TaskTracker::new();
        let delivered = Arc::new(Notify::new());
        tasks.spawn(flush(sink.clone(), delivered.clone(), shutdown.clone()));
        tasks.spawn(
            Supervisor {
                delivered,
                client,
                config,
                sink,
                tally: tally.clone(),
                status: status.clone(),
                shutdown: shutdown.clone(),
                waiting,
            }
            .run(),
        );
        tasks.close();
        Ok(Arc::new(Self {
            publisher,
            status,
            tally,
            shutdown,
            tasks,
        }))
    }

    /// Waits, after the shutdown, until the connections are closed.
    pub async fn stopped(&self) {
        self.shutdown.cancelled().await;
        self.tasks.wait().await;
    }
}

/// Sends on what was delivered. The connection's reading task hands over all that has arrived
/// before this one gets its turn, so a backlog is sent on as one.
async fn flush(sink: Arc<dyn Sink>, delivered: Arc<Notify>, shutdown: CancellationToken) {
    let flushing = async {
        loop {
            delivered.notified().await;
            sink.flush();
        }
    };
    shutdown.run_until_cancelled(flushing).await;
    sink.flush();
}

fn connection_info(url: &str) -> Result<ConnectionInfo, StartError> {
    let scheme = url.split("://").next().unwrap_or_default();
    if matches!(scheme, "rediss" | "valkeys") {
        let text = "TLS is not supported, use redis:// or a TLS proxy on this machine";
        return Err(StartError::Url(text.to_owned()));
    }
    let info = url
        .into_connection_info()
        .map_err(|error| StartError::Url(error.to_string()))?;
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("tidegate", env!("CARGO_PKG_VERSION"));
    Ok(info.set_redis_settings(settings))
}

impl Bus for Redis {
    fn publish(&self, name: BusName, body: Bytes) -> Publishing {
        self.publish_under(name.to_string(), body)
    }

    fn publish_to_peers(&self, body: Bytes) -> Publishing {
        self.publish_under(PEERS.to_owned(), body)
    }

    fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    fn counters(&self) -> Counters {
        self.tally.read()
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        Box::pin(Self::stopped(self))
    }
}

impl Redis {
    fn publish_under(&self, name: String, body: Bytes) -> Publishing {
        match self.publisher.publish(name, body) {
            Ok(answer) => Publishing::waiting(answer, self.tally.clone()),
            Err(error) => {
                Tally::add(&self.tally.failed);
                if matches!(error, BusError::Full { .. }) {
                    Tally::add(&self.tally.queue_full);
                }
                Publishing::done(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_url_is_refused_without_repeating_it() {
        for url in [
            "",
            "nonsense",
            "http://u:hunter2@localhost",
            "rediss://:hunter2@localhost",
            "redis://:hunter2@localhost/db",
            "redis://:hunter2@",
        ] {
            let error = connection_info(url).map(|_| ()).unwrap_err().to_string();
            assert!(
                error.starts_with("the Redis URL cannot be used: "),
                "{error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
        let config = RedisConfig::new("redis://:hunter2@localhost");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
