//! What waits to be written to one connection: two lanes, bounded, never blocking.
//!
//! Control (replies, presence, closing) has its own lane and goes first; data waits behind it.
//! A full data lane closes the connection as a slow consumer: a client that silently misses
//! events would be worse off than one that is told and comes back. The control lane has the same
//! bound, for a client that asks without end and never reads the answers.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tidegate_protocol::{Close, Encoded};
use tokio::sync::Notify;

/// A queue capacity above this is given back once the queue is empty.
const KEEP_CAPACITY: usize = 32;

/// One connection's queue. Many put in, one task takes out.
#[derive(Debug)]
pub struct Outbox {
    lanes: Mutex<Lanes>,
    wake: Notify,
    ended: Notify,
    max_bytes: usize,
    max_frames: usize,
}

#[derive(Debug, Default)]
struct Lanes {
    control: VecDeque<Encoded>,
    data: VecDeque<Encoded>,
    control_bytes: usize,
    data_bytes: usize,
    close: Option<Close>,
}

/// What [`Outbox::take`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// Frames were appended; write them and come back.
    Frames,
    /// Nothing waits.
    Empty,
    /// Everything that had to go is gone: close the socket so.
    Close(Close),
}

impl Outbox {
    /// An empty one; it allocates nothing until something waits.
    pub fn new(max_bytes: usize, max_frames: usize) -> Self {
        Self {
            lanes: Mutex::default(),
            wake: Notify::new(),
            ended: Notify::new(),
            max_bytes,
            max_frames,
        }
    }

    /// Queues a reply, a presence frame or an end of a channel.
    pub fn control(&self, frame: Encoded) {
        let mut lanes = self.lanes.lock();
        if lanes.close.is_some() {
            return;
        }
        if lanes.control.len() >= self.max_frames
            || lanes.control_bytes + frame.len() > self.max_bytes
        {
            lanes.end(Close::SlowConsumer, &self.ended);
        } else {
            lanes.control_bytes += frame.len();
            lanes.control.push_back(frame);
        }
        drop(lanes);
        self.wake.notify_one();
    }

    /// Queues an event. `false` when it was dropped because the connection is closing; the one
    /// that finds the lane full is what closes it.
    pub fn data(&self, frame: Encoded) -> bool {
        let mut lanes = self.lanes.lock();
        if lanes.close.is_some() {
            return false;
        }
        let room =
            lanes.data.len() < self.max_frames && lanes.data_bytes + frame.len() <= self.max_bytes;
        if room {
            lanes.data_bytes += frame.len();
            lanes.data.push_back(frame);
        } else {
            lanes.end(Close::SlowConsumer, &self.ended);
        }
        drop(lanes);
        self.wake.notify_one();
        room
    }

    /// Asks for the socket to be closed; the first reason given stands. Events that wait are
    /// dropped. Control frames still go out, except to a slow consumer.
    pub fn close(&self, close: Close) {
        self.lanes.lock().end(close, &self.ended);
        self.wake.notify_one();
    }

    /// Moves what waits into `frames`, control first, about `max_bytes` at a time.
    pub fn take(&self, frames: &mut Vec<Encoded>, max_bytes: usize) -> Batch {
        let mut lanes = self.lanes.lock();
        let mut taken = 0;
        while taken < max_bytes {
            let frame = if let Some(frame) = lanes.control.pop_front() {
                lanes.control_bytes -= frame.len();
                frame
            } else if let Some(frame) = lanes.data.pop_front() {
                lanes.data_bytes -= frame.len();
                frame
            } else {
                break;
            };
            taken += frame.len();
            frames.push(frame);
        }
        if !frames.is_empty() {
            return Batch::Frames;
        }
        if lanes.data.capacity() > KEEP_CAPACITY {
            lanes.data = VecDeque::new();
        }
        if lanes.control.capacity() > KEEP_CAPACITY {
            lanes.control = VecDeque::new();
        }
        lanes.close.map_or(Batch::Empty, Batch::Close)
    }

    /// Waits until something was put in since the last time. One waiter at a time.
    pub async fn wait(&self) {
        self.wake.notified().await;
    }

    /// Waits until the connection is to be closed. One waiter at a time.
    pub async fn ended(&self) {
        while self.closing().is_none() {
            self.ended.notified().await;
        }
    }

    /// Bytes that wait.
    pub fn queued_bytes(&self) -> usize {
        let lanes = self.lanes.lock();
        lanes.control_bytes + lanes.data_bytes
    }

    /// Why the socket is being closed, if it is.
    pub fn closing(&self) -> Option<Close> {
        self.lanes.lock().close
    }
}

impl Lanes {
    fn end(&mut self, close: Close, ended: &Notify) {
        if self.close.is_some() {
            return;
        }
        ended.notify_one();
        self.close = Some(close);
        self.data = VecDeque::new();
        self.data_bytes = 0;
        if close == Close::SlowConsumer {
            self.control = VecDeque::new();
            self.control_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &'static str) -> Encoded {
        Encoded::Text(text.into())
    }

    fn drain(outbox: &Outbox) -> (Vec<String>, Batch) {
        let mut frames = Vec::new();
        outbox.take(&mut frames, usize::MAX);
        let batch = outbox.take(&mut Vec::new(), usize::MAX);
        (
            frames
                .iter()
                .map(|f| String::from_utf8_lossy(f.bytes()).into_owned())
                .collect(),
            batch,
        )
    }

    /// Control never waits behind data (blueprint, "the way of an event").
    #[test]
    fn control_goes_before_data() {
        let outbox = Outbox::new(100, 10);
        outbox.data(frame("d1"));
        outbox.control(frame("c1"));
        outbox.data(frame("d2"));
        assert_eq!(
            drain(&outbox),
            (vec!["c1".into(), "d1".into(), "d2".into()], Batch::Empty)
        );
        assert_eq!(outbox.queued_bytes(), 0);
    }

    /// A15: a full queue, in bytes or in frames, ends the connection as a slow consumer.
    #[test]
    fn a_full_queue_closes_the_connection() {
        for outbox in [Outbox::new(5, 10), Outbox::new(100, 2)] {
            assert!(outbox.data(frame("ab")) && outbox.data(frame("cd")));
            assert!(!outbox.data(frame("ef")));
            assert_eq!(drain(&outbox), (vec![], Batch::Close(Close::SlowConsumer)));
            assert!(!outbox.data(frame("gh")));
            assert_eq!(outbox.queued_bytes(), 0);
        }
    }

    #[test]
    fn the_control_lane_is_bounded_too() {
        let outbox = Outbox::new(100, 2);
        for _ in 0..3 {
            outbox.control(frame("reply"));
        }
        assert_eq!(outbox.closing(), Some(Close::SlowConsumer));
    }

    #[test]
    fn what_was_promised_goes_out_before_the_close() {
        let outbox = Outbox::new(100, 10);
        outbox.data(frame("event"));
        outbox.control(frame("reply"));
        outbox.close(Close::Restart);
        outbox.close(Close::Idle);
        assert_eq!(
            drain(&outbox),
            (vec!["reply".into()], Batch::Close(Close::Restart))
        );
    }
}
