//! What one connection's kernel would not take yet: two lanes, bounded.
//!
//! Control (replies, presence, closing) has its own lane and goes first; data waits behind it, as
//! [`Backlog`] has it. Of pongs only the latest waits. A frame that has been written in part is
//! finished before anything else, and is dropped by nobody.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf as _, Bytes};
use tidegate_websocket::Frame;

use crate::backlog::{Backlog, Event};

/// Frames handed to the kernel in one call.
const MAX_SLICES: usize = 64;

/// How much may wait for one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) bytes: usize,
    pub(crate) frames: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The rest of what the kernel took a part of.
    begun: Bytes,
    control: VecDeque<Frame>,
    /// The answer to the latest ping; it speaks for those before it (RFC 6455, section 5.5.3).
    pong: Option<Frame>,
    data: Backlog,
    control_bytes: usize,
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
        self.begun.len() + self.control_bytes + pong + self.data.bytes()
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

    /// Queues one event; others may give way to it.
    pub(crate) fn data(&mut self, event: Event, limits: QueueLimits) -> Result<(), Full> {
        self.data.push(event, limits)
    }

    /// Drops every event; control frames stay.
    pub(crate) fn clear_data(&mut self) {
        self.data = Backlog::default();
    }

    /// Drops every event and counts it as lost to a slow consumer, and all else with it.
    pub(crate) fn lose(&mut self) {
        self.data.lose();
        self.clear();
    }

    /// Drops everything but the rest of a frame that has begun: without it what follows would not
    /// be a frame.
    fn clear(&mut self) {
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
        self.data.pop()
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
                .chain(self.data.frames().map(Frame::bytes));
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
    use std::sync::Arc;

    use tidegate_protocol::Overflow;

    use super::*;
    use crate::origin::Origin;

    const LIMITS: QueueLimits = QueueLimits {
        bytes: 100,
        frames: 4,
    };

    fn frame(text: &str) -> Frame {
        Frame::text(text.as_bytes())
    }

    /// An event of a channel that lets nothing give way.
    fn event(text: &str) -> Event {
        Event {
            frame: frame(text),
            origin: Arc::new(Origin::new(1, Arc::default())),
            overflow: Overflow::Close,
        }
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
        queue.data(event("d1"), LIMITS).unwrap();
        queue.control(frame("c1"), LIMITS).unwrap();
        queue.data(event("d2"), LIMITS).unwrap();
        assert_eq!(contents(&mut queue), ["c1", "d1", "d2"]);
        assert_eq!(queue.bytes(), 0);
    }

    /// A18: pings without end cost a peer that reads nothing the room of one pong.
    #[test]
    fn only_the_latest_pong_waits() {
        let mut queue = Queue::default();
        queue.data(event("d"), LIMITS).unwrap();
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
        queue.data(event(&long), LIMITS).unwrap();
        assert_eq!(queue.data(event(&long), LIMITS), Err(Full));
        for _ in 0..4 {
            queue.control(frame("c"), LIMITS).unwrap();
        }
        assert_eq!(queue.control(frame("c"), LIMITS), Err(Full));
    }

    #[test]
    fn a_kernel_that_takes_little_gets_every_byte_in_order() {
        let mut queue = Queue::begun(Bytes::from_static(b"rest"));
        queue.control(frame("control"), LIMITS).unwrap();
        queue.data(event("data"), LIMITS).unwrap();
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
                queue.data(event("data"), LIMITS).unwrap();
            }
        }
        assert_eq!(written, b"rest\x81\x07control\x81\x04data");
        assert_eq!((queue.bytes(), queue.frames()), (0, 0));
    }
}
