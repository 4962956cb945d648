//! The members of one channel, in chunks with a lock each.
//!
//! A broadcast to ten thousand sockets takes tens of milliseconds of system calls. It holds one
//! chunk at a time, so a join or a leave waits for at most [`CHUNK`] of them. Members never move
//! from one chunk to another: a broadcast that walks the chunks meets each member once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tidegate_protocol::{Ref, Serializer, Standing, Topic};

use crate::connection::Connection;
use crate::grant::Grant;
use crate::membership::JoinOptions;
use crate::presence::Tracked;

/// Members in one chunk.
pub(crate) const CHUNK: usize = 64;
/// Members whose memory is fetched together before they are written to.
const WARMED: usize = 8;

/// One join of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) connection: Arc<Connection>,
    pub(crate) serializer: Serializer,
    pub(crate) standing: Standing,
    pub(crate) grant: Option<Arc<Grant>>,
    pub(crate) options: JoinOptions,
    pub(crate) join_ref: Ref,
    pub(crate) joined_at: u64,
    pub(crate) tracked: Tracked,
}

impl Member {
    /// `<connection>:<topic>:<join_ref>`.
    pub(crate) fn id(&self, topic: &Topic) -> String {
        format!(
            "{}:{}:{}",
            self.connection.id,
            topic,
            self.join_ref.to_text()
        )
    }

    /// Sends an event to this member alone, and says of how many bytes it is.
    pub(crate) fn push(&self, topic: &Topic, event: &str, payload: &str) -> usize {
        let codec = self.serializer.codec();
        let frame = codec.push(&self.join_ref, topic.as_str(), event, payload);
        self.connection.outbox.control(&frame);
        frame.len()
    }

    /// Tells this member that its join has ended.
    pub(crate) fn end(&self, topic: &Topic, payload: &str) {
        let codec = self.serializer.codec();
        let frame = codec.end(&self.join_ref, topic.as_str(), "phx_close", payload);
        self.connection.outbox.control(&frame);
    }
}

#[derive(Debug, Default)]
pub(crate) struct Chunk(Mutex<Vec<Member>>);

impl Chunk {
    /// Calls `each` for the members of this chunk, of which none leaves meanwhile.
    pub(crate) fn for_each(&self, each: impl FnMut(&Member)) {
        self.0.lock().iter().for_each(each);
    }

    /// The same for whoever writes to each: what that needs is fetched ahead, for some at a time.
    /// Between two messages the kernel's work on a thousand sockets has driven it all out of the
    /// processor's cache.
    pub(crate) fn for_each_warm(&self, mut each: impl FnMut(&Member)) {
        for some in self.0.lock().chunks(WARMED) {
            for member in some {
                member.connection.warm();
            }
            some.iter().for_each(&mut each);
        }
    }
}

/// Where a member is.
#[derive(Debug, Clone, Copy)]
struct Place {
    chunk: u32,
    at: u32,
}

/// All members, found by their connection's key.
#[derive(Debug, Default)]
pub(crate) struct Members {
    chunks: Vec<Arc<Chunk>>,
    index: HashMap<u64, Place>,
    /// Chunks that are not full.
    roomy: BTreeSet<u32>,
}

impl Members {
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The chunks as they are now: members that come later are in them, or in none of them.
    pub(crate) fn chunks(&self) -> Vec<Arc<Chunk>> {
        self.chunks.clone()
    }

    /// Looks at one member.
    pub(crate) fn with<T>(&self, key: u64, look: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let place = self.index.get(&key)?;
        let mut members = self.chunks.get(place.chunk as usize)?.0.lock();
        members.get_mut(place.at as usize).map(look)
    }

    /// Looks at all members, until `look` says that it has seen enough.
    pub(crate) fn for_each_while(&self, mut look: impl FnMut(&Member) -> bool) {
        for chunk in &self.chunks {
            if !chunk.0.lock().iter().all(&mut look) {
                return;
            }
        }
    }

    pub(crate) fn to_vec(&self) -> Vec<Member> {
        let mut all = Vec::with_capacity(self.len());
        self.for_each_while(|member| {
            all.push(member.clone());
            true
        });
        all
    }

    /// Adds a member, or replaces the one of the same connection, which it gives back.
    pub(crate) fn put(&mut self, key: u64, member: Member) -> Option<Member> {
        if self.index.contains_key(&key) {
            let mut member = Some(member);
            return self
                .with(key, |old| {
                    member.take().map(|new| std::mem::replace(old, new))
                })
                .flatten();
        }
        let number = match self.roomy.first() {
            Some(number) => *number,
            None => {
                self.chunks.push(Arc::default());
                let number = (self.chunks.len() - 1) as u32;
                self.roomy.insert(number);
                number
            }
        };
        let mut members = self.chunks.get(number as usize)?.0.lock();
        let place = Place {
            chunk: number,
            at: members.len() as u32,
        };
        members.push(member);
        if members.len() >= CHUNK {
            self.roomy.remove(&number);
        }
        self.index.insert(key, place);
        None
    }

    /// Removes a member.
    pub(crate) fn take(&mut self, key: u64) -> Option<Member> {
        let Place { chunk, at } = self.index.remove(&key)?;
        let mut members = self.chunks.get(chunk as usize)?.0.lock();
        let member = members.swap_remove(at as usize);
        if let Some(moved) = members.get(at as usize) {
            self.index.insert(moved.connection.key, Place { chunk, at });
        }
        let empty = members.is_empty();
        drop(members);
        self.roomy.insert(chunk);
        if empty {
            self.shrink();
        }
        Some(member)
    }

    /// Gives back empty chunks at the end.
    fn shrink(&mut self) {
        while self
            .chunks
            .last()
            .is_some_and(|chunk| chunk.0.lock().is_empty())
        {
            self.chunks.pop();
            self.roomy.remove(&(self.chunks.len() as u32));
        }
        if self.index.is_empty() {
            *self = Self::default();
        }
    }
}
