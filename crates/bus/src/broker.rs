//! Who has subscribed to what, and the hand-over of a message to each of them.
//!
//! The gateway's [`Sink`] stands in for a subscription to `to:*` and is called directly, by
//! whoever publishes, outside every lock. A subscriber gets a message once for its channel and
//! once more for each of its patterns that fits, as with Redis.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;
use tidegate_protocol::{BusName, Direction};

use crate::bus::{Counters, Inbound, Sink};
use crate::glob::Glob;
use crate::listener::{Protocol, Reply};

/// What the gateway is subscribed to.
pub(crate) const GATEWAY_PATTERN: &str = "to:*";

/// One message on its way to all subscribers of one channel or one pattern.
pub(crate) struct Delivery<'a> {
    /// The name it was published under.
    pub(crate) channel: &'a Bytes,
    /// The pattern that fits, for subscribers of a pattern.
    pub(crate) pattern: Option<&'a Bytes>,
    /// What was published.
    pub(crate) body: &'a Bytes,
    resp2: OnceCell<Option<Bytes>>,
    resp3: OnceCell<Option<Bytes>>,
}

impl<'a> Delivery<'a> {
    fn new(channel: &'a Bytes, pattern: Option<&'a Bytes>, body: &'a Bytes) -> Self {
        Self {
            channel,
            pattern,
            body,
            resp2: OnceCell::new(),
            resp3: OnceCell::new(),
        }
    }

    /// The message as a Redis client gets it: encoded once for each protocol, however many
    /// subscribers there are.
    pub(crate) fn encoded(&self, protocol: Protocol) -> Option<Bytes> {
        let cell = match protocol {
            Protocol::Resp2 => &self.resp2,
            Protocol::Resp3 => &self.resp3,
        };
        cell.get_or_init(|| {
            let kind = if self.pattern.is_some() {
                "pmessage"
            } else {
                "message"
            };
            let words = [self.pattern, Some(self.channel), Some(self.body)];
            let words = words.into_iter().flatten().cloned().map(Reply::Bulk);
            Reply::Push([Reply::bulk(kind)].into_iter().chain(words).collect()).encode(protocol)
        })
        .clone()
    }
}

/// Whoever can be subscribed: a Redis client of the listener, a [`Local`](crate::Local).
pub(crate) trait Subscriber: Send + Sync {
    /// Different for every subscriber of a broker.
    fn id(&self) -> u64;
    /// Queues the message without waiting; false when the subscriber takes nothing any more.
    fn push(&self, delivery: &Delivery<'_>) -> bool;
}

type Subscribers = Vec<Arc<dyn Subscriber>>;

#[derive(Default)]
struct State {
    channels: HashMap<Bytes, Subscribers>,
    patterns: HashMap<Bytes, (Glob, Subscribers)>,
}

/// Counters that only the in-process bus has are counted here as well.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) delivered: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) published: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) connects: AtomicU64,
    pub(crate) slow_cut: AtomicU64,
    pub(crate) clients_refused: AtomicU64,
    pub(crate) queue_full: AtomicU64,
    pub(crate) subscriptions_refused: AtomicU64,
    pub(crate) protocol_errors: AtomicU64,
}

impl Tally {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counters {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            delivered: get(&self.delivered),
            refused: get(&self.refused),
            published: get(&self.published),
            failed: get(&self.failed),
            connects: get(&self.connects),
            slow_cut: get(&self.slow_cut),
            clients_refused: get(&self.clients_refused),
            queue_full: get(&self.queue_full),
            subscriptions_refused: get(&self.subscriptions_refused),
            protocol_errors: get(&self.protocol_errors),
        }
    }

    /// Hands a message that came in on `to:` to the sink, or tells it why not.
    pub(crate) fn deliver(&self, sink: &dyn Sink, name: &[u8], body: Bytes) {
        match BusName::parse(name) {
            Ok(BusName {
                direction: Direction::To,
                topic,
                event,
            }) => {
                Self::add(&self.delivered);
                sink.deliver(Inbound { topic, event, body });
            }
            Ok(BusName {
                direction: Direction::From | Direction::Sent,
                ..
            }) => {}
            Err(error) => {
                Self::add(&self.refused);
                sink.refused(error);
            }
        }
    }
}

pub(crate) struct Broker {
    sink: Arc<dyn Sink>,
    // Many publish at once, few subscribe.
    state: RwLock<State>,
    next_id: AtomicU64,
    pub(crate) tally: Tally,
}

impl Broker {
    pub(crate) fn new(sink: Arc<dyn Sink>) -> Self {
        Self {
            sink,
            state: RwLock::default(),
            next_id: AtomicU64::new(1),
            tally: Tally::default(),
        }
    }

    /// A number for a new subscriber.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Hands the message to all who subscribed and says how many they are, the gateway included.
    pub(crate) fn publish(&self, channel: &Bytes, body: &Bytes) -> u64 {
        let mut receivers = 0;
        {
            let state = self.state.read();
            if let Some(subscribers) = state.channels.get(channel) {
                receivers += push_all(subscribers, &Delivery::new(channel, None, body));
            }
            for (pattern, (glob, subscribers)) in &state.patterns {
                if glob.matches(channel) {
                    let delivery = Delivery::new(channel, Some(pattern), body);
                    receivers += push_all(subscribers, &delivery);
                }
            }
        }
        if channel.starts_with(Direction::To.prefix().as_bytes()) {
            receivers += 1;
            self.tally.deliver(&*self.sink, channel, body.clone());
        }
        receivers
    }

    /// What was published for clients may go on its way.
    pub(crate) fn flush(&self) {
        self.sink.flush();
    }

    /// Subscribes to a channel. The caller sees to it that nobody subscribes twice.
    pub(crate) fn subscribe(&self, channel: Bytes, subscriber: Arc<dyn Subscriber>) {
        self.state
            .write()
            .channels
            .entry(channel)
            .or_default()
            .push(subscriber);
    }

    /// Subscribes to a pattern. The caller sees to it that nobody subscribes twice.
    pub(crate) fn subscribe_pattern(&self, pattern: Bytes, subscriber: Arc<dyn Subscriber>) {
        let glob = Glob::new(pattern.clone());
        let mut state = self.state.write();
        state
            .patterns
            .entry(pattern)
            .or_insert_with(|| (glob, Vec::new()))
            .1
            .push(subscriber);
    }

    /// Ends a subscription to a channel.
    pub(crate) fn unsubscribe(&self, channel: &[u8], id: u64) {
        let mut state = self.state.write();
        if let Some(subscribers) = state.channels.get_mut(channel) {
            subscribers.retain(|s| s.id() != id);
            if subscribers.is_empty() {
                state.channels.remove(channel);
            }
        }
    }

    /// Ends a subscription to a pattern.
    pub(crate) fn unsubscribe_pattern(&self, pattern: &[u8], id: u64) {
        let mut state = self.state.write();
        if let Some((_, subscribers)) = state.patterns.get_mut(pattern) {
            subscribers.retain(|s| s.id() != id);
            if subscribers.is_empty() {
                state.patterns.remove(pattern);
            }
        }
    }

    /// The channels that somebody subscribed to and that fit the pattern.
    pub(crate) fn channels(&self, pattern: Option<&Glob>) -> Vec<Bytes> {
        let state = self.state.read();
        let channels = state.channels.keys();
        channels
            .filter(|c| pattern.is_none_or(|p| p.matches(c)))
            .cloned()
            .collect()
    }

    /// How many subscribed to this very channel.
    pub(crate) fn subscribers(&self, channel: &[u8]) -> u64 {
        self.state
            .read()
            .channels
            .get(channel)
            .map_or(0, |s| s.len() as u64)
    }

    /// How many different patterns are subscribed to, the gateway's included.
    pub(crate) fn patterns(&self) -> u64 {
        let state = self.state.read();
        let gateway = !state.patterns.contains_key(GATEWAY_PATTERN.as_bytes());
        state.patterns.len() as u64 + u64::from(gateway)
    }
}

fn push_all(subscribers: &Subscribers, delivery: &Delivery<'_>) -> u64 {
    subscribers.iter().filter(|s| s.push(delivery)).count() as u64
}
