//! A bus, the sink behind it, and what tests wait for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_bus::{Bus, InProcess, InProcessConfig, Inbound, Redis, RedisConfig, Sink};
use tidegate_protocol::{BusName, NameError};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::server::RedisServer;

/// How long a condition may take to come true.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until something is so.
#[track_caller]
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + PATIENCE;
        while !so() {
            assert!(Instant::now() < deadline, "{place}: never so: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Does not wait longer than a test is patient.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it takes too long")
}

/// Keeps what the bus hands over.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Delivered, and not yet said to go on its way.
    unflushed: Mutex<Vec<Inbound>>,
    pub(crate) events: Mutex<Vec<Inbound>>,
    pub(crate) refused: Mutex<Vec<NameError>>,
    pub(crate) peers: Mutex<Vec<Bytes>>,
}

impl Sink for Recorder {
    fn deliver(&self, event: Inbound) {
        self.unflushed.lock().push(event);
    }

    fn flush(&self) {
        // Both locked, so that two tasks that flush keep the order.
        let mut events = self.events.lock();
        events.append(&mut self.unflushed.lock());
    }

    fn peer(&self, body: Bytes) {
        self.peers.lock().push(body);
    }

    fn refused(&self, error: NameError) {
        self.refused.lock().push(error);
    }
}

impl Recorder {
    /// Waits for the next `count` events and takes them.
    pub(crate) async fn take(&self, count: usize) -> Vec<Inbound> {
        let came = || self.events.lock().len();
        eventually(&format!("{count} events came"), || came() >= count).await;
        std::mem::take(&mut *self.events.lock())
    }

    /// The next events as `topic event body`.
    pub(crate) async fn take_text(&self, count: usize) -> Vec<String> {
        let text = |e: Inbound| {
            format!(
                "{} {} {}",
                e.topic,
                e.event,
                String::from_utf8_lossy(&e.body)
            )
        };
        self.take(count).await.into_iter().map(text).collect()
    }
}

pub(crate) struct Stage {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) sink: Arc<Recorder>,
    /// Where plugins connect.
    pub(crate) port: u16,
    pub(crate) server: Option<RedisServer>,
    _stop: DropGuard,
}

/// Impatient, so that the tests are quick.
pub(crate) fn redis_config(port: u16) -> RedisConfig {
    RedisConfig {
        connect_timeout: Duration::from_millis(1000),
        publish_timeout: Duration::from_millis(1000),
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_millis(1000),
        backoff_min: Duration::from_millis(10),
        backoff_max: Duration::from_millis(100),
        ..RedisConfig::new(format!("redis://127.0.0.1:{port}"))
    }
}

impl Stage {
    /// The in-process bus with a listener on a free port.
    pub(crate) fn in_process() -> Self {
        Self::in_process_with(InProcessConfig::default()).0
    }

    /// The same with other settings, and the bus under its own type.
    pub(crate) fn in_process_with(config: InProcessConfig) -> (Self, Arc<InProcess>) {
        let (sink, stop) = (Arc::new(Recorder::default()), CancellationToken::new());
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let bus = InProcess::start(config, listen, sink.clone(), stop.clone()).unwrap();
        let port = bus.local_addr().unwrap().port();
        let stage = Self {
            bus: bus.clone(),
            sink,
            port,
            server: None,
            _stop: stop.drop_guard(),
        };
        (stage, bus)
    }

    /// A real Redis, connected to.
    pub(crate) async fn redis() -> Self {
        let mut server = RedisServer::prepare();
        server.start().await;
        let config = redis_config(server.port);
        let stage = Self::redis_with(config, server);
        stage.is_up().await;
        stage
    }

    /// The bus on a server that may be up or not.
    pub(crate) fn redis_with(config: RedisConfig, server: RedisServer) -> Self {
        let (sink, stop) = (Arc::new(Recorder::default()), CancellationToken::new());
        let bus = Redis::start(config, sink.clone(), stop.clone()).unwrap();
        let port = server.port;
        Self {
            bus,
            sink,
            port,
            server: Some(server),
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn server(&mut self) -> &mut RedisServer {
        self.server.as_mut().unwrap()
    }

    /// Waits for the status.
    pub(crate) async fn is_up(&self) {
        soon(self.bus.status().wait_for(|s| s.up)).await.unwrap();
    }

    /// Waits for the status and returns why.
    pub(crate) async fn is_down(&self) -> String {
        let mut status = self.bus.status();
        let status = soon(status.wait_for(|s| !s.up)).await.unwrap();
        status.detail.clone().unwrap()
    }

    /// The gateway publishes.
    pub(crate) async fn publish(&self, name: &str, body: &[u8]) {
        let name = BusName::parse(name.as_bytes()).unwrap();
        soon(self.bus.publish(name, Bytes::copy_from_slice(body)))
            .await
            .unwrap();
    }

    /// A stock Rust client, as a plugin has it.
    pub(crate) async fn client(&self) -> ::redis::aio::MultiplexedConnection {
        let client = ::redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        soon(client.get_multiplexed_async_connection())
            .await
            .unwrap()
    }

    /// A stock Rust client that subscribes.
    pub(crate) async fn subscriber(&self) -> ::redis::aio::PubSub {
        let client = ::redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        soon(client.get_async_pubsub()).await.unwrap()
    }
}
