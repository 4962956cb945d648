//! A queue bounded in bytes, between whoever publishes and one slow reader.
//!
//! Publishers never wait for a reader: what does not fit cuts the queue, for good, and frees
//! what it held. That is what Redis does to a subscriber above its `client-output-buffer-limit`.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// What an entry costs beside its own bytes: its place in the queue and its reference count.
/// Without it, empty messages would be free and the bound would be none.
const OVERHEAD: usize = 64;

/// The reader was too slow, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut;

/// Whether a push was the one that cut the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the queue.
    Queued,
    /// The queue was cut by this push.
    CutNow,
    /// The queue takes nothing any more.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Finishing,
    Cut,
}

struct Inner<T> {
    items: VecDeque<(T, usize)>,
    /// Waiting or taken and not yet reported as [`Queue::written`].
    bytes: usize,
    phase: Phase,
}

pub(crate) struct Queue<T> {
    // A std-like lock and not tokio's: it is held for a few instructions and never over an await.
    inner: Mutex<Inner<T>>,
    limit: usize,
    changed: Notify,
    drained: Notify,
}

impl<T> Queue<T> {
    /// At most `limit` bytes, entries counted at their size plus [`OVERHEAD`].
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                items: VecDeque::new(),
                bytes: 0,
                phase: Phase::Open,
            }),
            limit,
            changed: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Appends an entry of `size` bytes, or cuts the queue.
    pub(crate) fn push(&self, item: T, size: usize) -> Pushed {
        let mut inner = self.inner.lock();
        if inner.phase != Phase::Open {
            return Pushed::Closed;
        }
        let size = size.saturating_add(OVERHEAD);
        let pushed = if inner.bytes.saturating_add(size) > self.limit {
            inner.phase = Phase::Cut;
            inner.items = VecDeque::new();
            Pushed::CutNow
        } else {
            inner.bytes += size;
            inner.items.push_back((item, size));
            Pushed::Queued
        };
        drop(inner);
        self.changed.notify_one();
        if pushed == Pushed::CutNow {
            self.drained.notify_one();
        }
        pushed
    }

    /// Takes what waits, at least one entry and then up to about `bytes`, and says how much it
    /// weighs: the same number must be given to [`Queue::written`] once the entries are gone.
    /// `Ok(None)` after [`Queue::finish`] when all was taken. One reader at a time.
    pub(crate) async fn take(&self, into: &mut Vec<T>, bytes: usize) -> Result<Option<usize>, Cut> {
        loop {
            {
                let mut inner = self.inner.lock();
                let mut weight = 0;
                while weight < bytes || weight == 0 {
                    let Some((item, size)) = inner.items.pop_front() else {
                        break;
                    };
                    weight += size;
                    into.push(item);
                }
                match (weight, inner.phase) {
                    (1.., _) => return Ok(Some(weight)),
                    (0, Phase::Open) => {
                        // An idle subscriber does not keep the memory of its busiest moment.
                        if inner.items.capacity() > 1024 {
                            inner.items = VecDeque::new();
                        }
                    }
                    (0, Phase::Finishing) => return Ok(None),
                    (0, Phase::Cut) => return Err(Cut),
                }
            }
            self.changed.notified().await;
        }
    }

    /// Gives back the weight of entries that were taken.
    pub(crate) fn written(&self, weight: usize) {
        let mut inner = self.inner.lock();
        inner.bytes = inner.bytes.saturating_sub(weight);
        drop(inner);
        self.drained.notify_one();
    }

    /// Waits until less than `bytes` wait, or the queue is closed. One waiter at a time.
    pub(crate) async fn below(&self, bytes: usize) {
        loop {
            {
                let inner = self.inner.lock();
                if inner.bytes < bytes || inner.phase != Phase::Open {
                    return;
                }
            }
            self.drained.notified().await;
        }
    }

    /// Takes nothing more; what waits can still be taken.
    pub(crate) fn finish(&self) {
        let mut inner = self.inner.lock();
        if inner.phase == Phase::Open {
            inner.phase = Phase::Finishing;
        }
        drop(inner);
        self.changed.notify_one();
        self.drained.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_cuts_the_queue() {
        let queue = Queue::new(1000);
        assert_eq!(queue.push(1, 400), Pushed::Queued);
        assert_eq!(queue.push(2, 400), Pushed::Queued);
        assert_eq!(queue.push(3, 400), Pushed::CutNow);
        assert_eq!(queue.push(4, 1), Pushed::Closed);
        assert_eq!(queue.take(&mut Vec::new(), 1).await, Err(Cut));
    }

    #[tokio::test]
    async fn what_is_being_written_still_counts() {
        let queue = Queue::new(1000);
        queue.push(1, 400);
        let mut taken = Vec::new();
        let weight = queue.take(&mut taken, 4096).await.unwrap().unwrap();
        assert_eq!((taken, weight), (vec![1], 464));
        assert_eq!(queue.push(2, 600), Pushed::CutNow);

        let queue = Queue::new(1000);
        queue.push(1, 400);
        let weight = queue.take(&mut Vec::new(), 4096).await.unwrap().unwrap();
        queue.written(weight);
        queue.below(1).await;
        assert_eq!(queue.push(2, 600), Pushed::Queued);
    }

    #[tokio::test]
    async fn a_finished_queue_gives_what_it_has() {
        let queue = Queue::new(1000);
        queue.push(1, 0);
        queue.finish();
        assert_eq!(queue.push(2, 0), Pushed::Closed);
        let mut taken = Vec::new();
        assert!(queue.take(&mut taken, 4096).await.unwrap().is_some());
        assert_eq!(queue.take(&mut taken, 4096).await, Ok(None));
        assert_eq!(taken, [1]);
    }

    #[tokio::test]
    async fn empty_messages_are_not_free() {
        let queue = Queue::new(64_000);
        let pushed = (0..2000)
            .filter(|n| queue.push(*n, 0) == Pushed::Queued)
            .count();
        assert_eq!(pushed, 1000);
    }
}
