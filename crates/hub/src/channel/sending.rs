//! What goes to all members of a channel: collected, encoded once, written to each.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use parking_lot::MutexGuard;
use tidegate_protocol::{Event, Overflow, Payload, Serializer};
use tidegate_websocket::Frame;

use super::Channel;
use crate::audience::Audience;
use crate::members::{Chunk, Member};
use crate::origin::Origin;
use crate::outbox::{Events, deflated, frame};

/// Events that are collected before they are sent without waiting for more.
const MAX_WAITING: usize = 64;
/// Bytes of payload that are collected before they are sent without waiting for more.
const MAX_WAITING_BYTES: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    events: Vec<(Event, Payload)>,
    bytes: usize,
}

/// What is to be done after an event was put into the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// It is the first: somebody must see to it that the channel is flushed.
    First,
    /// Others wait already.
    More,
    /// The inbox is full: flush it now.
    Full,
}

/// What a broadcast did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Frames written or queued.
    pub(crate) frames: usize,
    /// Events for which a member's serializer has no form.
    pub(crate) no_binary: usize,
    /// Bytes that sockets took.
    pub(crate) written: usize,
}

/// The lane of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Control,
    /// As control, but only for those who want it.
    Presence,
    Data,
}

/// Which members an event is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum To<'a> {
    All,
    /// All but the member of this connection.
    AllBut(u64),
    Some(&'a Audience),
}

impl To<'_> {
    fn means(self, member: &Member) -> bool {
        match self {
            To::All => true,
            To::AllBut(key) => member.connection.key != key,
            To::Some(audience) => audience.means(&member.connection.id, &member.tracked.user),
        }
    }
}

impl Channel {
    /// Keeps an event for the next [`Channel::flush`].
    pub(crate) fn put(&self, event: &Event, payload: &Payload) -> Waiting {
        let mut inbox = self.inbox.lock();
        inbox.bytes += payload.len();
        inbox.events.push((event.clone(), payload.clone()));
        if inbox.events.len() >= MAX_WAITING || inbox.bytes >= MAX_WAITING_BYTES {
            Waiting::Full
        } else if inbox.events.len() == 1 {
            Waiting::First
        } else {
            Waiting::More
        }
    }

    /// Sends what is in the inbox, all of it in one go.
    pub(crate) fn flush(&self, now_ms: u64) -> Delivered {
        let turn = self.turn.lock();
        self.flush_in(&turn, now_ms)
    }

    /// Sends one event to some of the members, after what was put into the inbox before it.
    pub(crate) fn send_to(
        &self,
        event: &Event,
        payload: &Payload,
        audience: &Audience,
        now_ms: u64,
    ) -> Delivered {
        let turn = self.turn.lock();
        let mut delivered = self.flush_in(&turn, now_ms);
        self.count_to(1, now_ms);
        let events = [(event.as_str(), payload)];
        delivered += self.fan_out(&turn, &events, To::Some(audience), Lane::Data);
        delivered
    }

    fn flush_in(&self, turn: &MutexGuard<'_, ()>, now_ms: u64) -> Delivered {
        // Taken within the turn, so that who comes later sends what came later.
        let events = std::mem::take(&mut *self.inbox.lock()).events;
        if events.is_empty() {
            return Delivered::default();
        }
        let events: Vec<_> = events
            .iter()
            .map(|(event, payload)| (event.as_str(), payload))
            .collect();
        self.count_to(events.len(), now_ms);
        self.fan_out(turn, &events, To::All, Lane::Data)
    }

    /// Sends one event to every member.
    pub(crate) fn broadcast(
        &self,
        event: &str,
        payload: &Payload,
        to: To<'_>,
        lane: Lane,
        now_ms: u64,
    ) -> Delivered {
        let turn = self.turn.lock();
        self.count_to(1, now_ms);
        self.fan_out(&turn, &[(event, payload)], to, lane)
    }

    fn count_to(&self, events: usize, now_ms: u64) {
        self.events_to.fetch_add(events as u64, Ordering::Relaxed);
        self.rate.lock().count(events as u64, now_ms);
    }

    /// Sends events to all members, encoded at most once for each serializer and written to each
    /// socket in one call; where there are many of them, on several cores.
    pub(super) fn fan_out(
        &self,
        _turn: &MutexGuard<'_, ()>,
        events: &[(&str, &Payload)],
        to: To<'_>,
        lane: Lane,
    ) -> Delivered {
        let chunks: Vec<Arc<Chunk>> = self.state.lock().members.chunks();
        let round = Round {
            channel: self,
            events,
            to,
            lane,
            overflow: self.definition.read().overflow,
            encoded: Default::default(),
        };
        self.crew.sum(&chunks, |chunk| round.send(chunk))
    }

    /// `None` when the serializer has a form for none of them.
    fn encode(
        &self,
        serializer: Serializer,
        events: &[(&str, &Payload)],
        deflate: bool,
    ) -> Option<Events> {
        let codec = serializer.codec();
        let topic = self.topic.as_str();
        let frames: Vec<Frame> = events
            .iter()
            .filter_map(|(event, payload)| codec.broadcast(topic, event, payload))
            .map(
                |encoded| match deflate && encoded.len() >= self.deflate_min_bytes {
                    true => deflated(&encoded),
                    false => frame(&encoded),
                },
            )
            .collect();
        (!frames.is_empty()).then(|| Events::new(frames))
    }
}

/// One broadcast under way.
struct Round<'a> {
    channel: &'a Channel,
    events: &'a [(&'a str, &'a Payload)],
    to: To<'a>,
    lane: Lane,
    overflow: Overflow,
    /// For each serializer plain and compressed, each made when the first member needs it.
    encoded: [OnceLock<Option<Events>>; 2 * Serializer::COUNT],
}

impl Round<'_> {
    /// Sends to the members of one chunk.
    fn send(&self, chunk: &Chunk) -> Delivered {
        let mut delivered = Delivered::default();
        let count = self.events.len();
        chunk.for_each_warm(|member| {
            let unwanted = self.lane == Lane::Presence && member.options.no_presence;
            if unwanted || !self.to.means(member) {
                return;
            }
            let deflate = self.lane == Lane::Data && member.connection.deflate();
            let encoded = self.encoded[2 * member.serializer.index() + usize::from(deflate)]
                .get_or_init(|| self.channel.encode(member.serializer, self.events, deflate));
            let Some(encoded) = encoded else {
                delivered.no_binary += count;
                return;
            };
            delivered.no_binary += count - encoded.count();
            delivered.send(
                member,
                &self.channel.origin,
                encoded,
                self.overflow,
                self.lane,
            );
        });
        delivered
    }
}

impl std::iter::Sum for Delivered {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

impl std::ops::AddAssign for Delivered {
    fn add_assign(&mut self, other: Self) {
        self.frames += other.frames;
        self.no_binary += other.no_binary;
        self.written += other.written;
    }
}

impl Delivered {
    fn send(
        &mut self,
        member: &Member,
        origin: &Arc<Origin>,
        events: &Events,
        overflow: Overflow,
        lane: Lane,
    ) {
        let outbox = &member.connection.outbox;
        match lane {
            Lane::Control | Lane::Presence => {
                self.written += outbox.control_of_many(events.joined());
                self.frames += events.count();
            }
            Lane::Data => {
                let sent = outbox.data(origin, events, overflow);
                self.frames += sent.taken;
                self.written += sent.written;
            }
        }
    }
}
