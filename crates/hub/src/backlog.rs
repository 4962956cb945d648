//! Events that wait for one reader, oldest first, and which of them give way when there is no room.
//!
//! What an event's channel said of overflow when it was queued holds for it as long as it waits. An
//! event of a `drop-oldest` channel gives way to any that comes later: first to those of its own
//! channel, so that who floods pays first, then to those of others. The latest of a `latest-only`
//! channel gives way to the next latest alone, and an event of a `close` channel to none: where only
//! such wait there is no room. Whatever is dropped is counted against its own channel.
//!
//! To take or drop an event costs the same however many wait: those that may give way are found
//! by their number, and leave a hole behind. Holes are closed when they are most of what is there.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tidegate_protocol::Overflow;
use tidegate_websocket::Frame;

use crate::origin::Origin;
use crate::queue::{Full, QueueLimits};
use crate::stats::Drop;

/// Holes that are not worth closing.
const SLACK: usize = 64;

/// An event that waits.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) frame: Frame,
    pub(crate) origin: Arc<Origin>,
    /// What its channel said when it came.
    pub(crate) overflow: Overflow,
}

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// In the order of their coming; a hole where one has given way.
    slots: VecDeque<Option<Event>>,
    /// The number of the first slot; the next one has the next number.
    first: u64,
    events: usize,
    bytes: usize,
    /// The numbers of those that may give way to others of their channel, by channel.
    of_channel: HashMap<u64, VecDeque<u64>>,
    /// The numbers of those that may give way to others of any channel. Some are gone already.
    of_any: VecDeque<u64>,
}

impl Backlog {
    pub(crate) fn len(&self) -> usize {
        self.events
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.slots.iter().flatten().map(|event| &event.frame)
    }

    /// Takes an event in, in place of others if need be.
    pub(crate) fn push(&mut self, event: Event, limits: QueueLimits) -> Result<(), Full> {
        let (length, key) = (event.frame.len(), event.origin.key);
        if length > limits.bytes {
            return Err(Full);
        }
        if event.overflow == Overflow::LatestOnly {
            while self.drop_of(key) {}
        }
        while self.events >= limits.frames || self.bytes + length > limits.bytes {
            let own = event.overflow == Overflow::DropOldest && self.drop_of(key);
            if !own && !self.drop_any() {
                return Err(Full);
            }
        }
        self.tidy();
        self.events += 1;
        self.bytes += length;
        let number = self.first + self.slots.len() as u64;
        note(&mut self.of_channel, &mut self.of_any, number, &event);
        self.slots.push_back(Some(event));
        Ok(())
    }

    /// Takes the oldest out.
    pub(crate) fn pop(&mut self) -> Option<Frame> {
        while let Some(slot) = self.slots.pop_front() {
            let number = self.first;
            self.first += 1;
            if let Some(event) = slot {
                if event.overflow != Overflow::Close
                    && let Some(own) = self.of_channel.get_mut(&event.origin.key)
                {
                    own.pop_front();
                }
                if self.of_any.front() == Some(&number) {
                    self.of_any.pop_front();
                }
                self.events -= 1;
                self.bytes -= event.frame.len();
                return Some(event.frame);
            }
        }
        None
    }

    /// Counts all of them as lost to a slow consumer.
    pub(crate) fn lose(&self) {
        let mut run: Option<(&Arc<Origin>, usize)> = None;
        for event in self.slots.iter().flatten() {
            match &mut run {
                Some((origin, events)) if Arc::ptr_eq(origin, &event.origin) => *events += 1,
                _ => {
                    if let Some((origin, events)) = run.replace((&event.origin, 1)) {
                        origin.lose(Drop::SlowConsumer, events);
                    }
                }
            }
        }
        if let Some((origin, events)) = run {
            origin.lose(Drop::SlowConsumer, events);
        }
    }

    /// Drops the oldest event of a channel that may give way to others of it.
    fn drop_of(&mut self, channel: u64) -> bool {
        let own = self.of_channel.get_mut(&channel);
        let Some(number) = own.and_then(VecDeque::pop_front) else {
            return false;
        };
        self.drop_at(number)
    }

    /// Drops the oldest event that may give way to others of any channel.
    fn drop_any(&mut self) -> bool {
        while let Some(number) = self.of_any.pop_front() {
            if let Some(channel) = self.channel_at(number) {
                // The oldest of all of them is the oldest of its channel.
                return self.drop_of(channel);
            }
        }
        false
    }

    fn channel_at(&self, number: u64) -> Option<u64> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let event = self.slots.get(at)?.as_ref()?;
        Some(event.origin.key)
    }

    fn drop_at(&mut self, number: u64) -> bool {
        let at = number.checked_sub(self.first).map(usize::try_from);
        let Some(Ok(at)) = at else {
            return false;
        };
        let Some(event) = self.slots.get_mut(at).and_then(Option::take) else {
            return false;
        };
        let why = match event.overflow {
            Overflow::LatestOnly => Drop::NotLatest,
            Overflow::DropOldest | Overflow::Close => Drop::Oldest,
        };
        event.origin.lose(why, 1);
        self.events -= 1;
        self.bytes -= event.frame.len();
        true
    }

    /// Closes the holes where they are most of what is there: each was paid for by its event.
    fn tidy(&mut self) {
        while matches!(self.slots.front(), Some(None)) {
            self.slots.pop_front();
            self.first += 1;
        }
        let most = 2 * self.events + SLACK;
        if self
            .slots
            .len()
            .max(self.of_any.len())
            .max(self.of_channel.len())
            <= most
        {
            return;
        }
        self.slots.retain(Option::is_some);
        self.first = 0;
        self.of_channel.clear();
        self.of_any.clear();
        for (number, event) in (0..).zip(self.slots.iter().flatten()) {
            note(&mut self.of_channel, &mut self.of_any, number, event);
        }
    }
}

/// Remembers that an event may give way.
fn note(
    of_channel: &mut HashMap<u64, VecDeque<u64>>,
    of_any: &mut VecDeque<u64>,
    number: u64,
    event: &Event,
) {
    if event.overflow != Overflow::Close {
        let own = of_channel.entry(event.origin.key).or_default();
        own.push_back(number);
    }
    if event.overflow == Overflow::DropOldest {
        of_any.push_back(number);
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
