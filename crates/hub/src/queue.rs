//! What one connection's kernel would not take yet: two lanes, bounded.
//!
//! Control (replies, presence, closing) has its own lane and goes first; data waits behind it. Of
//! pongs only the latest waits. A frame that has been written in part is finished before anything
//! else, and is dropped by nobody.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf as _, Bytes};
use tidegate_protocol::Overflow;
use tidegate_websocket::Frame;

/// Frames handed to the kernel in one call.
const MAX_SLICES: usize = 64;

/// How much may wait for one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) bytes: usize,
    pub(crate) frames: usize,
}

/// An event that waits, with the channel it came over.
#[derive(Debug)]
struct Event {
    channel: u64,
    frame: Frame,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The rest of what the kernel took a part of.
    begun: Bytes,
    control: VecDeque<Frame>,
    /// The answer to the latest ping; it speaks for those before it (RFC 6455, section 5.5.3).
    pong: Option<Frame>,
    data: VecDeque<Event>,
    control_bytes: usize,
    data_bytes: usize,
}

/// There is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// What became of the queue when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// Nothing waits any more.
    All,
    /// The kernel takes no more for now.
    Blocked,
}

impl Queue {
    /// Begins with what is left of a frame.
    pub(crate) fn begun(rest: Bytes) -> Self {
        Self {
            begun: rest,
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.begun.is_empty()
            && self.control.is_empty()
            && self.pong.is_none()
            && self.data.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        let pong = self.pong.as_ref().map_or(0, Frame::len);
        self.begun.len() + self.control_bytes + pong + self.data_bytes
    }

    pub(crate) fn frames(&self) -> usize {
        self.control.len()
            + usize::from(self.pong.is_some())
            + self.data.len()
            + usize::from(!self.begun.is_empty())
    }

    pub(crate) fn control(&mut self, frame: Frame, limits: QueueLimits) -> Result<(), Full> {
        if self.control.len() >= limits.frames || self.control_bytes + frame.len() > limits.bytes {
            return Err(Full);
        }
        self.control_bytes += frame.len();
        self.control.push_back(frame);
        Ok(())
    }

    /// Queues a pong in place of the one that waits.
    pub(crate) fn pong(&mut self, frame: Frame) {
        self.pong = Some(frame);
    }

    /// Queues one event and says how many others of its channel were dropped for it.
    pub(crate) fn data(
        &mut self,
        channel: u64,
        frame: Frame,
        overflow: Overflow,
        limits: QueueLimits,
    ) -> Result<usize, Full> {
        let mut dropped = 0;
        if overflow == Overflow::LatestOnly {
            dropped += self.drop_data(channel, usize::MAX);
        }
        while self.data.len() >= limits.frames || self.data_bytes + frame.len() > limits.bytes {
            let gone = match overflow {
                Overflow::DropOldest => self.drop_data(channel, 1),
                Overflow::Close | Overflow::LatestOnly => 0,
            };
            if gone == 0 {
                return Err(Full);
            }
            dropped += gone;
        }
        self.data_bytes += frame.len();
        self.data.push_back(Event { channel, frame });
        Ok(dropped)
    }

    /// Drops up to `most` events of a channel, the oldest first.
    fn drop_data(&mut self, channel: u64, most: usize) -> usize {
        // The usual case: this channel is the only one that floods.
        if most == 1 && self.data.front().is_some_and(|e| e.channel == channel) {
            if let Some(event) = self.data.pop_front() {
                self.data_bytes -= event.frame.len();
            }
            return 1;
        }
        let (mut gone, mut bytes) = (0, 0);
        self.data.retain(|event| {
            let drop = event.channel == channel && gone < most;
            if drop {
                gone += 1;
                bytes += event.frame.len();
            }
            !drop
        });
        self.data_bytes -= bytes;
        gone
    }

    /// Drops every event; control frames stay.
    pub(crate) fn clear_data(&mut self) {
        self.data = VecDeque::new();
        self.data_bytes = 0;
    }

    /// Drops everything but the rest of a frame that has begun: without it what follows would not
    /// be a frame.
    pub(crate) fn clear(&mut self) {
        self.clear_data();
        self.control = VecDeque::new();
        self.control_bytes = 0;
        self.pong = None;
    }

    /// The next frame, for a transport that takes whole ones.
    pub(crate) fn pop(&mut self) -> Option<Frame> {
        if let Some(frame) = self.control.pop_front() {
            self.control_bytes -= frame.len();
            return Some(frame);
        }
        if let Some(frame) = self.pong.take() {
            return Some(frame);
        }
        let event = self.data.pop_front()?;
        self.data_bytes -= event.frame.len();
        Some(event.frame)
    }

    /// Writes what waits until nothing does or the kernel takes no more.
    pub(crate) fn write(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<Written> {
        while !self.is_empty() {
            let waiting = std::iter::once(&self.begun)
                .chain(self.control.iter().map(Frame::bytes))
                .chain(self.pong.iter().map(Frame::bytes))
                .chain(self.data.iter().map(|event| event.frame.bytes()));
            let slices: Vec<_> = waiting
                .filter(|bytes| !bytes.is_empty())
                .take(MAX_SLICES)
                .map(|bytes| IoSlice::new(bytes))
                .collect();
            match write(&slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Written::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Written::All)
    }

    fn advance(&mut self, mut written: usize) {
        let of_begun = written.min(self.begun.len());
        self.begun.advance(of_begun);
        written -= of_begun;
        while written > 0 {
            let Some(frame) = self.pop() else {
                return;
            };
            if written < frame.len() {
                self.begun = frame.bytes().slice(written..);
            }
            written = written.saturating_sub(frame.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: QueueLimits = QueueLimits {
        bytes: 100,
        frames: 4,
    };

    fn frame(text: &str) -> Frame {
        Frame::text(text.as_bytes())
    }

    fn contents(queue: &mut Queue) -> Vec<String> {
        std::iter::from_fn(|| queue.pop())
            .flat_map(|frame| frame.messages().collect::<Vec<_>>())
            .map(|(_, content)| String::from_utf8_lossy(&content).into_owned())
            .collect()
    }

    /// Control never waits behind data (blueprint, "the way of an event").
    #[test]
    fn control_goes_before_data() {
        let mut queue = Queue::default();
        queue.data(1, frame("d1"), Overflow::Close, LIMITS).unwrap();
        queue.control(frame("c1"), LIMITS).unwrap();
        queue.data(1, frame("d2"), Overflow::Close, LIMITS).unwrap();
        assert_eq!(contents(&mut queue), ["c1", "d1", "d2"]);
        assert_eq!(queue.bytes(), 0);
    }

    /// A18: pings without end cost a peer that reads nothing the room of one pong.
    #[test]
    fn only_the_latest_pong_waits() {
        let mut queue = Queue::default();
        queue.data(1, frame("d"), Overflow::Close, LIMITS).unwrap();
        for n in 0..6 {
            queue.pong(frame(&format!("p{n}")));
        }
        queue.control(frame("c"), LIMITS).unwrap();
        assert_eq!(queue.frames(), 3);
        assert_eq!(contents(&mut queue), ["c", "p5", "d"]);
        assert_eq!((queue.bytes(), queue.frames()), (0, 0));
    }

    /// A15: a full lane is refused, in frames and in bytes.
    #[test]
    fn a_full_lane_takes_nothing() {
        let mut queue = Queue::default();
        let long = "x".repeat(90);
        queue
            .data(1, frame(&long), Overflow::Close, LIMITS)
            .unwrap();
        assert_eq!(
            queue.data(1, frame(&long), Overflow::Close, LIMITS),
            Err(Full)
        );
        for _ in 0..4 {
            queue.control(frame("c"), LIMITS).unwrap();
        }
        assert_eq!(queue.control(frame("c"), LIMITS), Err(Full));
    }

    /// A15: the oldest of the same channel make room; another channel's stay.
    #[test]
    fn the_oldest_make_room() {
        let mut queue = Queue::default();
        queue
            .data(2, frame("other"), Overflow::Close, LIMITS)
            .unwrap();
        let dropped: usize = (0..6)
            .map(|n| {
                let frame = frame(&format!("e{n}"));
                queue.data(1, frame, Overflow::DropOldest, LIMITS).unwrap()
            })
            .sum();
        assert_eq!(dropped, 3);
        assert_eq!(contents(&mut queue), ["other", "e3", "e4", "e5"]);
    }

    /// A15: all but the latest.
    #[test]
    fn only_the_latest_waits() {
        let mut queue = Queue::default();
        for n in 0..6 {
            let frame = frame(&format!("e{n}"));
            queue.data(1, frame, Overflow::LatestOnly, LIMITS).unwrap();
        }
        assert_eq!(contents(&mut queue), ["e5"]);
    }

    #[test]
    fn a_kernel_that_takes_little_gets_every_byte_in_order() {
        let mut queue = Queue::begun(Bytes::from_static(b"rest"));
        queue.control(frame("control"), LIMITS).unwrap();
        queue
            .data(1, frame("data"), Overflow::Close, LIMITS)
            .unwrap();
        let mut written = Vec::new();
        for size in [3, 5, 1, 100] {
            let mut room = size;
            let done = queue
                .write(|slices| {
                    let all: Vec<u8> = slices.iter().flat_map(|s| s.to_vec()).collect();
                    let took = all.len().min(room);
                    room -= took;
                    written.extend_from_slice(&all[..took]);
                    match took {
                        0 => Err(io::ErrorKind::WouldBlock.into()),
                        took => Ok(took),
                    }
                })
                .unwrap();
            assert_eq!(done == Written::All, size == 100);
            // What has begun is never dropped.
            if size == 5 {
                queue.clear_data();
                queue
                    .data(1, frame("data"), Overflow::Close, LIMITS)
                    .unwrap();
            }
        }
        assert_eq!(written, b"rest\x81\x07control\x81\x04data");
        assert_eq!((queue.bytes(), queue.frames()), (0, 0));
    }
}
