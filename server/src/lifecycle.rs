//! Tells backends who comes and goes: `from:<topic>:phx_join` and `phx_leave` (wire.md A10).
//!
//! News is handed to the bus at once and in order, so that a member's join is published before its
//! first push. While the bus is down the news waits, within a bound, and is published when the bus
//! is back; what does not fit is counted as dropped. A token is never part of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_bus::{Bus, Publishing};
use tidegate_hub::{Change, Drop, Hub, Lifecycle};
use tidegate_protocol::{BusName, Direction, Event};
use tokio::sync::Notify;

/// How many changes wait for the bus, or for its answer.
const MAX_WAITING: usize = 100_000;
/// How long to wait before asking a bus again that is up but refuses.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Publishes lifecycle events, in the order in which they are handed over.
pub(crate) struct LifecyclePublisher {
    bus: Arc<dyn Bus>,
    hub: Arc<Hub>,
    queues: Mutex<Queues>,
    more: Notify,
    /// Told when nothing waits any more.
    settled: Notify,
}

#[derive(Default)]
struct Queues {
    /// Handed to the bus, which has not answered yet.
    asked: VecDeque<(Lifecycle, Publishing)>,
    /// The answer to one that is in neither list is awaited.
    busy: bool,
    /// Refused by the bus, and what came after.
    kept: VecDeque<Lifecycle>,
}

impl LifecyclePublisher {
    pub(crate) fn new(bus: Arc<dyn Bus>, hub: Arc<Hub>) -> Self {
        Self {
            bus,
            hub,
            queues: Mutex::default(),
            more: Notify::new(),
            settled: Notify::new(),
        }
    }

    /// Publishes, or keeps for when the bus is back.
    pub(crate) fn tell(&self, changes: Vec<Lifecycle>) {
        for change in changes {
            let mut queues = self.queues.lock();
            if queues.asked.len() + queues.kept.len() >= MAX_WAITING {
                self.hub.stats.dropped(Drop::Lifecycle, 1);
            } else if queues.kept.is_empty() {
                let Some(mut publishing) = self.publish(&change) else {
                    continue;
                };
                match publishing.now() {
                    Some(Ok(())) => {}
                    Some(Err(_)) => queues.kept.push_back(change),
                    None => queues.asked.push_back((change, publishing)),
                }
            } else {
                queues.kept.push_back(change);
            }
            let waits = !(queues.asked.is_empty() && queues.kept.is_empty());
            drop(queues);
            if waits {
                self.more.notify_one();
            }
        }
    }

    /// Waits until the bus has answered all that was told so far.
    pub(crate) async fn settled(&self) {
        loop {
            let settled = self.settled.notified();
            {
                let queues = self.queues.lock();
                if queues.asked.is_empty() && queues.kept.is_empty() && !queues.busy {
                    return;
                }
            }
            settled.await;
        }
    }

    fn publish(&self, change: &Lifecycle) -> Option<Publishing> {
        let event = match change.change {
            Change::Join => "phx_join",
            Change::Leave => "phx_leave",
        };
        let name = BusName {
            direction: Direction::From,
            topic: change.topic.clone(),
            event: Event::new(event).ok()?,
        };
        let body = serde_json::json!({"id": change.user, "connection": change.connection});
        Some(self.bus.publish(name, Bytes::from(body.to_string())))
    }

    /// Runs for ever: takes the bus's answers, and publishes what waits as soon as the bus takes
    /// it.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.more.notified().await;
            loop {
                let asked = {
                    let mut queues = self.queues.lock();
                    let asked = queues.asked.pop_front();
                    queues.busy = asked.is_some();
                    asked
                };
                if let Some((change, publishing)) = asked {
                    if publishing.await.is_err() {
                        self.queues.lock().kept.push_back(change);
                    }
                    continue;
                }
                if self.queues.lock().kept.is_empty() {
                    self.settled.notify_waiters();
                    break;
                }
                if !self.publish_kept().await {
                    return;
                }
            }
        }
    }

    /// One attempt at the first that was kept; `false` when there will be no bus any more.
    async fn publish_kept(&self) -> bool {
        let mut status = self.bus.status();
        if status.wait_for(|status| status.up).await.is_err() {
            return false;
        }
        let Some(change) = self.queues.lock().kept.front().cloned() else {
            return true;
        };
        let done = match self.publish(&change) {
            Some(publishing) => publishing.await.is_ok(),
            None => true,
        };
        if done {
            self.queues.lock().kept.pop_front();
        } else {
            // Refused although the bus is up: it is full, or about to be down.
            tokio::time::sleep(RETRY_AFTER).await;
        }
        true
    }
}
