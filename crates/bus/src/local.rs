//! A subscription for Rust code in the same process, with the semantics of a Redis client's.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::broker::{Broker, Delivery, Subscriber, Tally};
use crate::queue::{Pushed, Queue};

/// One message as a subscriber sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMessage {
    /// The name it was published under, `from:room:said` for instance.
    pub channel: Bytes,
    /// What was published.
    pub body: Bytes,
}

/// A subscription to one pattern of the in-process bus; ends when it is dropped.
pub struct Local {
    broker: Arc<Broker>,
    pattern: Bytes,
    subscriber: Arc<LocalSubscriber>,
    taken: VecDeque<LocalMessage>,
}

struct LocalSubscriber {
    id: u64,
    broker: Arc<Broker>,
    queue: Queue<LocalMessage>,
}

impl Subscriber for LocalSubscriber {
    fn id(&self) -> u64 {
        self.id
    }

    fn push(&self, delivery: &Delivery<'_>) -> bool {
        let message = LocalMessage {
            channel: delivery.channel.clone(),
            body: delivery.body.clone(),
        };
        let size = message.channel.len() + message.body.len();
        match self.queue.push(message, size) {
            Pushed::Queued => true,
            Pushed::CutNow => {
                Tally::add(&self.broker.tally.slow_cut);
                false
            }
            Pushed::Closed => false,
        }
    }
}

impl Local {
    pub(crate) fn new(broker: Arc<Broker>, pattern: Bytes, limit: usize) -> Self {
        let subscriber = Arc::new(LocalSubscriber {
            id: broker.next_id(),
            broker: broker.clone(),
            queue: Queue::new(limit),
        });
        broker.subscribe_pattern(pattern.clone(), subscriber.clone());
        Self {
            broker,
            pattern,
            subscriber,
            taken: VecDeque::new(),
        }
    }

    /// The next message; `None` once this subscriber was cut for reading too slowly.
    pub async fn recv(&mut self) -> Option<LocalMessage> {
        if let Some(message) = self.taken.pop_front() {
            return Some(message);
        }
        let mut taken = Vec::new();
        let weight = self
            .subscriber
            .queue
            .take(&mut taken, 64 * 1024)
            .await
            .ok()??;
        self.subscriber.queue.written(weight);
        self.taken.extend(taken);
        self.taken.pop_front()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.broker
            .unsubscribe_pattern(&self.pattern, self.subscriber.id);
    }
}
