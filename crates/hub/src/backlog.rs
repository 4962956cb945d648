//! Events that wait for one reader, oldest first, and which of them give way when there is no room.
//!
//! What an event's channel said of overflow when it was queued holds for it as long as it waits. An
//! event of a `drop-oldest` channel gives way to any that comes later: first to those of its own
//! channel, so that who floods pays first, then to those of others. The latest of a `latest-only`
//! channel gives way to the next latest alone, and an event of a `close` channel to none: where only
//! such wait there is no room. Whatever is dropped is counted against its own channel.
//!
//! To take or drop an event costs the same however many wait: those of a channel that may give way form
//! a chain, and who gives way leaves a hole behind. Holes are closed when they are most of what is there.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
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

/// One in its place.
#[derive(Debug)]
struct Waiting {
    event: Event,
    /// The number of the next one of its channel, where those may give way.
    next: u64,
}

/// Those of a channel that may give way: the numbers of the first and the last.
#[derive(Debug, Clone, Copy)]
struct Chain {
    first: u64,
    last: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// In the order of their coming; a hole where one has given way.
    slots: VecDeque<Option<Waiting>>,
    /// The number of the first slot; the next one has the next number.
    first: u64,
    events: usize,
    bytes: usize,
    chains: HashMap<u64, Chain, BuildHasherDefault<ByKey>>,
    /// Before this number none gives way to others of any channel.
    kept: u64,
}

/// Spreads the keys of channels, which are numbers of this process that nobody chooses.
#[derive(Debug, Default)]
struct ByKey(u64);

impl Hasher for ByKey {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        // The golden ratio of 64 bits.
        self.0 = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
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
        self.slots.iter().flatten().map(|one| &one.event.frame)
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
        let chained = event.overflow != Overflow::Close;
        self.slots.push_back(Some(Waiting { event, next: 0 }));
        if chained {
            self.chain(key, number);
        }
        Ok(())
    }

    /// Takes the oldest out.
    pub(crate) fn pop(&mut self) -> Option<Frame> {
        while let Some(slot) = self.slots.pop_front() {
            self.first += 1;
            if let Some(one) = slot {
                return Some(self.taken(one).frame);
            }
        }
        None
    }

    /// Counts all of them as lost to a slow consumer.
    pub(crate) fn lose(&self) {
        let mut run: Option<(&Arc<Origin>, usize)> = None;
        for Waiting { event, .. } in self.slots.iter().flatten() {
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
        let Some(chain) = self.chains.get(&channel) else {
            return false;
        };
        let Some(one) = self.slot(chain.first).and_then(Option::take) else {
            return false;
        };
        let event = self.taken(one);
        let why = match event.overflow {
            Overflow::LatestOnly => Drop::NotLatest,
            Overflow::DropOldest | Overflow::Close => Drop::Oldest,
        };
        event.origin.lose(why, 1);
        true
    }

    /// Drops the oldest event that may give way to others of any channel. Each slot is passed by once:
    /// none that is kept becomes one that is not.
    fn drop_any(&mut self) -> bool {
        self.kept = self.kept.max(self.first);
        while let Some(slot) = self.slot(self.kept) {
            if let Some(Waiting { event, .. }) = slot
                && event.overflow == Overflow::DropOldest
            {
                let channel = event.origin.key;
                return self.drop_of(channel);
            }
            self.kept += 1;
        }
        false
    }

    fn slot(&mut self, number: u64) -> Option<&mut Option<Waiting>> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.slots.get_mut(at)
    }

    /// What has been taken out of its place is no part of the sums any more, nor of its chain, of which
    /// it was the first.
    fn taken(&mut self, Waiting { event, next }: Waiting) -> Event {
        self.events -= 1;
        self.bytes -= event.frame.len();
        if event.overflow != Overflow::Close
            && let Entry::Occupied(mut chain) = self.chains.entry(event.origin.key)
        {
            if chain.get().first == chain.get().last {
                chain.remove();
            } else {
                chain.get_mut().first = next;
            }
        }
        event
    }

    /// Makes an event the last of its channel's chain.
    fn chain(&mut self, channel: u64, number: u64) {
        let before = match self.chains.entry(channel) {
            Entry::Occupied(mut chain) => std::mem::replace(&mut chain.get_mut().last, number),
            Entry::Vacant(none) => {
                none.insert(Chain {
                    first: number,
                    last: number,
                });
                return;
            }
        };
        if let Some(Some(before)) = self.slot(before) {
            before.next = number;
        }
    }

    /// Closes the holes where they are most of what is there: each was paid for by its event.
    fn tidy(&mut self) {
        while matches!(self.slots.front(), Some(None)) {
            self.slots.pop_front();
            self.first += 1;
        }
        if self.slots.len() <= 2 * self.events + SLACK {
            return;
        }
        self.slots.retain(Option::is_some);
        self.chains.clear();
        (self.first, self.kept) = (0, 0);
        for number in 0..self.slots.len() as u64 {
            if let Some(Some(Waiting { event, .. })) = self.slot(number)
                && event.overflow != Overflow::Close
            {
                let channel = event.origin.key;
                self.chain(channel, number);
            }
        }
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
