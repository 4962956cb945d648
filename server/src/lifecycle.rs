//! Tells backends who comes and goes: `from:<topic>:phx_join` and `phx_leave` (wire.md A10).
//!
//! While the bus is down the news waits, in order and within a bound, and is published when the
//! bus is back; what does not fit is counted as dropped. A token is never part of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_bus::Bus;
use tidegate_hub::{Change, Drop, Hub, Lifecycle};
use tidegate_protocol::{BusName, Direction, Event};
use tokio::sync::Notify;

/// How many changes wait for the bus.
const MAX_WAITING: usize = 100_000;
/// How long to wait before asking a bus again that is up but refuses.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Publishes lifecycle events, in the order in which they are handed over.
pub(crate) struct LifecyclePublisher {
    bus: Arc<dyn Bus>,
    hub: Arc<Hub>,
    waiting: Mutex<VecDeque<Lifecycle>>,
    kept: Notify,
}

impl LifecyclePublisher {
    pub(crate) fn new(bus: Arc<dyn Bus>, hub: Arc<Hub>) -> Self {
        Self {
            bus,
            hub,
            waiting: Mutex::default(),
            kept: Notify::new(),
        }
    }

    /// Publishes, or keeps for when the bus is back.
    pub(crate) async fn tell(&self, changes: Vec<Lifecycle>) {
        for change in changes {
            let behind_others = !self.waiting.lock().is_empty();
            if behind_others || !self.publish(&change).await {
                self.keep(change);
            }
        }
    }

    fn keep(&self, change: Lifecycle) {
        let mut waiting = self.waiting.lock();
        if waiting.len() < MAX_WAITING {
            waiting.push_back(change);
            self.kept.notify_one();
        } else {
            self.hub.stats.dropped(Drop::Lifecycle, 1);
        }
    }

    async fn publish(&self, change: &Lifecycle) -> bool {
        let event = match change.change {
            Change::Join => "phx_join",
            Change::Leave => "phx_leave",
        };
        let Ok(event) = Event::new(event) else {
            return true;
        };
        let name = BusName {
            direction: Direction::From,
            topic: change.topic.clone(),
            event,
        };
        let body = serde_json::json!({"id": change.user, "connection": change.connection});
        self.bus
            .publish(name, Bytes::from(body.to_string()))
            .await
            .is_ok()
    }

    /// Runs for ever: publishes what waits as soon as the bus takes it.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut status = self.bus.status();
        loop {
            self.kept.notified().await;
            loop {
                if status.wait_for(|status| status.up).await.is_err() {
                    return;
                }
                let Some(change) = self.waiting.lock().front().cloned() else {
                    break;
                };
                if self.publish(&change).await {
                    self.waiting.lock().pop_front();
                } else {
                    // Refused although the bus is up: it is full, or about to be down.
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }
}
