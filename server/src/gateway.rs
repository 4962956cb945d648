//! The parts of a running gateway, together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidegate_auth::{AdminAuth, Tokens};
use tidegate_bus::{Bus, Inbound, Sink};
use tidegate_hub::{Drop, Hub};
use tidegate_protocol::admin::BusInfo;
use tidegate_protocol::plugin::TOPIC_PREFIX;
use tidegate_protocol::publish::{DIRECTED, Directed};
use tidegate_protocol::system::{StoreInfo, StoreState};
use tidegate_protocol::{NameError, Payload};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::api::Refusals;
use crate::cluster::Inbox;
use crate::config::Config;
use crate::figures::LastMinute;
use crate::http::{Ending, Places};
use crate::lifecycle::LifecyclePublisher;
use crate::limits::Limits;
use crate::logs::Lost;
use crate::plugins::Plugins;
use crate::publishes::Publishes;
use crate::sampler::History;
use crate::socket::LongPolls;
use crate::trust::Trust;

/// What every request and every socket shares.
pub(crate) struct Gateway {
    pub(crate) config: Config,
    pub(crate) hub: Arc<Hub>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) tokens: Tokens,
    pub(crate) admin: AdminAuth,
    /// Who may do what, and the store behind it.
    pub(crate) trust: Trust,
    /// Passwords that are hashed at the same time: each takes 19 MiB. A turn lasts as long as the
    /// hashing, whoever still waits for it.
    pub(crate) hashing: Arc<Semaphore>,
    /// How often an address and a principal may ask and push.
    pub(crate) limits: Limits,
    /// Signed requests that were refused.
    pub(crate) signatures: Refusals,
    pub(crate) lifecycle: Arc<LifecyclePublisher>,
    pub(crate) history: History,
    /// What was lost and how long things took in the last minute.
    pub(crate) figures: LastMinute,
    /// Clients that poll.
    pub(crate) long_polls: LongPolls,
    /// HTTP connections and their bounds.
    pub(crate) places: Arc<Places>,
    /// How serving ends.
    pub(crate) ending: Ending,
    /// The tasks of all sockets, from the handshake to the last byte.
    pub(crate) sockets: TaskTracker,
    /// What is being changed by requests, to its end.
    pub(crate) actions: TaskTracker,
    /// Lines that the logs have lost.
    pub(crate) log_lines: Arc<Lost>,
    /// What the API has published a moment ago.
    pub(crate) publishes: Publishes,
    /// Plugins that answer HTTP requests.
    pub(crate) plugins: Arc<Plugins>,
    /// Milliseconds since 1970.
    pub(crate) started_at: u64,
}

impl Gateway {
    /// Whether there may be other gateways on the bus.
    pub(crate) fn in_cluster(&self) -> bool {
        self.bus.status().borrow().kind == tidegate_bus::Kind::Redis
    }

    /// Whether the gateway has been asked to stop: it takes nobody new.
    pub(crate) fn is_stopping(&self) -> bool {
        self.ending.refusing.is_cancelled()
    }

    /// The state of the bus, as administrators see it.
    pub(crate) fn bus_info(&self) -> BusInfo {
        bus_info(&self.bus.status().borrow())
    }

    /// The state of the store, as it was when it was asked last: at most half a second ago.
    pub(crate) fn store_info(&self) -> StoreInfo {
        let status = self.trust.store.status();
        StoreInfo {
            state: if !status.up {
                StoreState::Lost
            } else if self.trust.store.outlives_the_process() {
                StoreState::Ready
            } else {
                StoreState::None
            },
            kind: self.trust.store.kind().to_owned(),
            detail: status.detail,
            connections: u64::from(self.trust.store.connections().0),
            waiting: self.trust.records.waiting() as u64,
        }
    }
}

/// The same from a status at hand.
pub(crate) fn bus_info(status: &tidegate_bus::Status) -> BusInfo {
    let since = status
        .since
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    BusInfo {
        kind: status.kind.as_str().to_owned(),
        up: status.up,
        address: status.address.clone(),
        since: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        detail: status.detail.clone(),
        clients: status.clients,
    }
}

/// Takes what the bus brings and hands it to the hub.
pub(crate) struct ToHub {
    pub(crate) hub: Arc<Hub>,
    pub(crate) peers: Inbox,
    pub(crate) plugins: Arc<Plugins>,
}

impl ToHub {
    /// An event that names the members whom it is for.
    fn deliver_to_some(&self, body: &[u8]) {
        let Ok(directed) = serde_json::from_slice::<Directed>(body) else {
            self.hub.stats.dropped(Drop::BusName, 1);
            return tracing::debug!("an event for some members cannot be read");
        };
        let payload = String::from(Box::<str>::from(directed.payload));
        self.hub.deliver_to(
            &directed.topic,
            &directed.event,
            &Payload::Json(payload.into()),
            &directed.to.into(),
        );
    }
}

impl Sink for ToHub {
    fn deliver(&self, event: Inbound) {
        let (topic, name) = (event.topic.as_str(), event.event.as_str());
        if (topic, name) == DIRECTED {
            return self.deliver_to_some(&event.body);
        }
        if topic.starts_with(TOPIC_PREFIX) {
            self.plugins
                .take(topic, name, &event.body, self.hub.now_ms());
            return;
        }
        self.hub
            .deliver(&event.topic, &event.event, &Payload::from_bus(event.body));
    }

    fn flush(&self) {
        self.hub.flush();
    }

    fn peer(&self, body: Bytes) {
        self.peers.put(body);
    }

    fn answered(&self, took: Duration) {
        self.hub.stats.bus_lag.observe(took);
    }

    fn refused(&self, error: NameError) {
        self.hub.stats.dropped(Drop::BusName, 1);
        tracing::debug!(%error, "a message on the bus has a name that is none");
    }
}
