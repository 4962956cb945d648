//! From one event to the queues of all members, and into the eyes of whoever watches.

use std::sync::atomic::Ordering;
use std::time::Instant;

use tidegate_protocol::{Direction, Event, Payload, Topic, is_reserved_topic};

use crate::Drop;
use crate::admin_feed::{AdminEvent, LIST_MAX, List};
use crate::audience::{Audience, Seen};
use crate::channel::{Channel, Delivered, Lane, To, Waiting};
use crate::connection::Connection;
use crate::hub::Hub;
use crate::watch::{Passed, WATCH_PREFIX};

impl Hub {
    /// An event from the bus for the members of a topic. It is sent with the next [`Hub::flush`],
    /// together with what came before it.
    pub fn deliver(&self, topic: &Topic, event: &Event, payload: &Payload) {
        self.stats.events_from_bus.add(1);
        if event.is_reserved() || is_reserved_topic(topic.as_str()) {
            self.stats.dropped(Drop::BusName, 1);
            return;
        }
        self.watch(topic.as_str(), Direction::To, event.as_str(), payload, None);
        let Some(channel) = self.channels.get(topic.as_str()) else {
            return;
        };
        match channel.put(event, payload) {
            Waiting::More => {}
            Waiting::First => self.unsent.lock().push(channel),
            Waiting::Full => self.flush_channel(&channel),
        }
    }

    /// An event from the bus for some of the members of a topic. It is sent at once, after what
    /// was delivered to the topic before it.
    pub fn deliver_to(&self, topic: &Topic, event: &Event, payload: &Payload, audience: &Audience) {
        self.stats.events_from_bus.add(1);
        if event.is_reserved() || is_reserved_topic(topic.as_str()) {
            self.stats.dropped(Drop::BusName, 1);
            return;
        }
        self.watch(topic.as_str(), Direction::To, event.as_str(), payload, None);
        if let Some(channel) = self.channels.get(topic.as_str()) {
            let began = Instant::now();
            let delivered = channel.send_to(event, payload, audience, self.now_ms());
            self.count(delivered, began);
        }
    }

    /// How many members an event for this audience is for, here and on other gateways, as far as
    /// these tell; without an audience all members of the topic. Who is named and nowhere is counted
    /// as dropped.
    pub fn count_for(&self, topic: &Topic, audience: Option<&Audience>) -> usize {
        let channel = self.channels.get(topic.as_str());
        let Some(audience) = audience else {
            return channel.map_or(0, |c| c.member_count()) + self.remote.count(topic);
        };
        let mut seen = Seen::default();
        let mut means = |connection: &str, user: &str| {
            seen.see(audience, connection, user);
            audience.means(connection, user)
        };
        let mut count = self
            .remote
            .count_where(topic, |user, connection| means(connection, user));
        if let Some(channel) = channel {
            channel.for_each_member(|member| {
                count += usize::from(means(&member.connection.id, &member.tracked.user));
            });
        }
        self.stats.dropped(Drop::Recipient, audience.absent(&seen));
        count
    }

    /// Sends what was delivered since the last time. Whoever delivers calls it when nothing more
    /// is at hand: a single event leaves at once, a backlog leaves in one write per member.
    pub fn flush(&self) {
        let unsent = std::mem::take(&mut *self.unsent.lock());
        for channel in unsent {
            self.flush_channel(&channel);
        }
    }

    fn flush_channel(&self, channel: &Channel) {
        let began = Instant::now();
        let delivered = channel.flush(self.now_ms());
        self.count(delivered, began);
    }

    /// An event of the gateway itself for the members of a topic.
    pub fn broadcast(&self, topic: &str, event: &str, payload: &Payload) -> usize {
        self.watch(topic, Direction::To, event, payload, None);
        self.send(topic, event, payload, To::All, Lane::Data)
    }

    /// An event from a member has reached the bus: counts it, shows it to watchers, and passes
    /// it to the other members where the channel relays; to its sender too if that asked for it.
    pub fn passed_up(&self, connection: &Connection, topic: &str, event: &str, payload: &Payload) {
        self.stats.events_from_clients.add(1);
        self.watch(topic, Direction::From, event, payload, Some(&connection.id));
        if let Some(channel) = self.channels.get(topic) {
            channel.count_from(self.now_ms());
            if channel.definition().relay {
                let echo = connection.joined(topic).is_some_and(|joined| joined.echo);
                let to = match echo {
                    true => To::All,
                    false => To::AllBut(connection.key),
                };
                self.send(topic, event, payload, to, Lane::Data);
            }
        }
    }

    pub(crate) fn send(
        &self,
        topic: &str,
        event: &str,
        payload: &Payload,
        to: To<'_>,
        lane: Lane,
    ) -> usize {
        let Some(channel) = self.channels.get(topic) else {
            return 0;
        };
        let began = Instant::now();
        let delivered = channel.broadcast(event, payload, to, lane, self.now_ms());
        self.count(delivered, began);
        delivered.frames
    }

    fn count(&self, delivered: Delivered, began: Instant) {
        if delivered == Delivered::default() {
            // Somebody else has sent what was there to send, or nobody listens.
            return;
        }
        self.stats.fan_out.observe(began.elapsed());
        self.stats.deliveries.add(delivered.frames);
        self.stats.bytes_out.add(delivered.written);
        if delivered.no_binary > 0 {
            self.stats.dropped(Drop::NoBinary, delivered.no_binary);
        }
    }

    pub(crate) fn tell_admins(&self, event: &AdminEvent) {
        self.send(
            "admin",
            event.event,
            &event.payload(),
            To::All,
            Lane::Control,
        );
    }

    /// An empty list for administrators.
    pub(crate) fn empty_list(&self) -> List {
        List::new(self.limits.queue_bytes)
    }

    pub(crate) fn some_topics(&self) -> List {
        let mut topics = self.empty_list();
        let some = self.channels.some(LIST_MAX);
        let _ = some.iter().all(|c| topics.add(c.topic.to_string()));
        topics
    }

    fn watch(
        &self,
        topic: &str,
        direction: Direction,
        event: &str,
        payload: &Payload,
        connection: Option<&str>,
    ) {
        if self.watch_count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(watch) = self.watches.read().get(topic).cloned() else {
            return;
        };
        let time = self.date_ms();
        if let Some(shown) = watch.see(&Passed {
            time,
            direction,
            event,
            payload,
            connection,
        }) && let Ok(json) = serde_json::to_string(&shown)
        {
            let watching = format!("{WATCH_PREFIX}{topic}");
            self.send(
                &watching,
                "event",
                &Payload::Json(json.into()),
                To::All,
                Lane::Data,
            );
        }
    }

    pub(crate) fn watch_joined(&self, channel: &Channel) {
        if let Some(watched) = channel.topic.as_str().strip_prefix(WATCH_PREFIX) {
            let mut watches = self.watches.write();
            watches.entry(watched.to_owned()).or_default();
            self.watch_count.store(watches.len(), Ordering::Relaxed);
        }
    }

    /// To be called once a second: tells watchers what really flowed.
    pub fn tell_rates(&self) {
        let watches: Vec<_> = self
            .watches
            .read()
            .iter()
            .map(|(topic, watch)| (topic.clone(), watch.take_rate()))
            .collect();
        for (topic, rate) in watches {
            if let Ok(json) = serde_json::to_string(&rate) {
                let watching = format!("{WATCH_PREFIX}{topic}");
                self.send(
                    &watching,
                    "rate",
                    &Payload::Json(json.into()),
                    To::All,
                    Lane::Data,
                );
            }
        }
    }
}
