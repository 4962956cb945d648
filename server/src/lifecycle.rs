//! Tells backends who comes and goes: `from:<topic>:phx_join` and `phx_leave` (wire.md A10).
//!
//! News is handed to the bus at once and in order, so that a member's join is published before its
//! first push. While the bus is down the news waits, within a bound, and is published when the bus
//! is back, in the order in which it happened; what does not fit is counted as dropped. Pushes do
//! not wait: until the news of an outage is published, a push can be before its sender's join. A
//! token is never part of it.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_bus::{Bus, BusError, Publishing};
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
    /// Told when the bus has answered something.
    answered: Notify,
}

#[derive(Default)]
struct Queues {
    /// How many changes there were.
    count: u64,
    /// Handed to the bus, which has not answered yet.
    asked: VecDeque<(u64, Lifecycle, Publishing)>,
    /// Refused by the bus, and what came after, by number: an answer comes when newer ones are
    /// kept already.
    kept: BTreeMap<u64, Lifecycle>,
}

impl Queues {
    fn len(&self) -> usize {
        self.asked.len() + self.kept.len()
    }

    /// The bus has answered the first that it was asked.
    fn answer(&mut self, result: Result<(), BusError>) {
        if let Some((number, change, _)) = self.asked.pop_front()
            && result.is_err()
        {
            self.kept.insert(number, change);
        }
    }

    /// Takes the answers that are there.
    fn take_answers(&mut self) {
        while let Some((_, _, publishing)) = self.asked.front_mut() {
            let Some(result) = publishing.now() else {
                return;
            };
            self.answer(result);
        }
    }
}

impl LifecyclePublisher {
    pub(crate) fn new(bus: Arc<dyn Bus>, hub: Arc<Hub>) -> Self {
        Self {
            bus,
            hub,
            queues: Mutex::default(),
            more: Notify::new(),
            answered: Notify::new(),
        }
    }

    /// Publishes, or keeps for when the bus is back.
    pub(crate) fn tell(&self, changes: Vec<Lifecycle>) {
        for change in changes {
            let mut queues = self.queues.lock();
            let waited = queues.len() > 0;
            // One that was refused is known before a newer one is published.
            queues.take_answers();
            let number = queues.count;
            queues.count += 1;
            if queues.len() >= MAX_WAITING {
                self.hub.stats.dropped(Drop::Lifecycle, 1);
            } else if queues.kept.is_empty() {
                let Some(mut publishing) = self.publish(&change) else {
                    continue;
                };
                match publishing.now() {
                    Some(Ok(())) => {}
                    Some(Err(_)) => {
                        queues.kept.insert(number, change);
                    }
                    None => queues.asked.push_back((number, change, publishing)),
                }
            } else {
                queues.kept.insert(number, change);
            }
            let waits = waited || queues.len() > 0;
            drop(queues);
            if waits {
                self.more.notify_one();
            }
        }
    }

    /// Waits until the bus has answered all that was told so far.
    pub(crate) async fn settled(&self) {
        self.fewer_than(1).await;
    }

    /// Waits until fewer changes wait.
    pub(crate) async fn fewer_than(&self, count: usize) {
        loop {
            let answered = self.answered.notified();
            if self.queues.lock().len() < count {
                return;
            }
            answered.await;
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
            let (asked, kept) = {
                let queues = self.queues.lock();
                (!queues.asked.is_empty(), !queues.kept.is_empty())
            };
            if asked {
                tokio::select! {
                    () = self.next_answer() => {}
                    // Whoever tells takes answers, too: this one may have been taken.
                    () = self.more.notified() => {}
                }
            } else if kept {
                if !self.publish_kept().await {
                    return;
                }
            } else {
                self.answered.notify_waiters();
                self.more.notified().await;
            }
            self.answered.notify_waiters();
        }
    }

    /// Waits for the answer to the first that the bus was asked, and takes it.
    async fn next_answer(&self) {
        std::future::poll_fn(|context| {
            let mut queues = self.queues.lock();
            if let Some((_, _, publishing)) = queues.asked.front_mut() {
                let result = ready!(Pin::new(publishing).poll(context));
                queues.answer(result);
            }
            Poll::Ready(())
        })
        .await;
    }

    /// One attempt at the first that was kept; `false` when there will be no bus any more.
    async fn publish_kept(&self) -> bool {
        let mut status = self.bus.status();
        if status.wait_for(|status| status.up).await.is_err() {
            return false;
        }
        let first = {
            let queues = self.queues.lock();
            let first = queues.kept.first_key_value();
            first.map(|(number, change)| (*number, change.clone()))
        };
        let Some((number, change)) = first else {
            return true;
        };
        let done = match self.publish(&change) {
            Some(publishing) => publishing.await.is_ok(),
            None => true,
        };
        if done {
            self.queues.lock().kept.remove(&number);
        } else {
            // Refused although the bus is up: it is full, or about to be down.
            tokio::time::sleep(RETRY_AFTER).await;
        }
        true
    }
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
