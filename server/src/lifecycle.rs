//! Tells backends who comes and goes: `from:<topic>:phx_join` and `phx_leave` (wire.md A10).
//!
//! While the bus is down the news waits, in order and within a bound, and is published when the
//! bus is back; what does not fit is counted as dropped. A token is never part of it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_bus::Bus;
use tidegate_hub::{Change, Drop, Hub, Lifecycle};
use tidegate_protocol::{BusName, Direction, Event};

/// How many changes wait for the bus.
const MAX_WAITING: usize = 100_000;

/// Publishes lifecycle events, in the order in which they are handed over.
pub(crate) struct LifecyclePublisher {
    bus: Arc<dyn Bus>,
    hub: Arc<Hub>,
    waiting: Mutex<VecDeque<Lifecycle>>,
}

impl LifecyclePublisher {
    pub(crate) fn new(bus: Arc<dyn Bus>, hub: Arc<Hub>) -> Self {
        Self {
            bus,
            hub,
            waiting: Mutex::default(),
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

    /// Runs for ever: empties what waits whenever the bus comes back.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut status = self.bus.status();
        loop {
            if status.wait_for(|status| status.up).await.is_err() {
                return;
            }
            loop {
                let next = self.waiting.lock().front().cloned();
                match next {
                    Some(change) if self.publish(&change).await => {
                        self.waiting.lock().pop_front();
                    }
                    _ => break,
                }
            }
            if status.changed().await.is_err() {
                return;
            }
        }
    }
}
