//! The way to one connection: at once where the kernel takes it, through a bounded queue where it
//! does not, and never blocking.
//!
//! Whoever sends writes: a frame for a connection with nothing queued goes straight into its
//! socket, so a broadcast needs no task to wake. Only what the kernel would not take is queued,
//! and the connection's task is woken to write it when there is room again. In a full data lane
//! events give way whose channels say so; where there are none the connection is closed as a slow
//! consumer: a client that silently misses events would be worse off than one that is told and comes
//! back. The control lane has the same bound, for a client that asks without end and never reads the
//! answers. What a slow reader does not get is counted here, each event once (see [`Origin`]).

use std::fmt;
use std::hint::black_box;
use std::io::{self, IoSlice};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};

use parking_lot::Mutex;
use tidegate_protocol::{Close, Encoded, Overflow};
use tidegate_websocket::{Frame, Opcode};

use crate::backlog::Event;
use crate::origin::Origin;
use crate::queue::{Full, Queue, QueueLimits, Written};
use crate::stats::Drop;

/// Where a connection's frames go. Taken by reference from any task; never waits.
pub trait Wire: Send + Sync {
    /// Hands over what the kernel takes at once; [`io::ErrorKind::WouldBlock`] when it takes
    /// nothing.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// The same for several strings of bytes.
    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Tells the peer that nothing more will be written.
    fn shut(&self);

    /// Reads a little of what a write will need, so that it is in the processor's cache by then.
    fn warm(&self);
}

/// Several events for the same members, in one frame and one by one: whoever takes them at once
/// gets the one, a queue holds the others.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    joined: Frame,
    parts: Vec<Frame>,
}

impl Events {
    pub(crate) fn new(parts: Vec<Frame>) -> Self {
        Self {
            joined: Frame::join(&parts),
            parts,
        }
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.parts.len()
    }

    /// All of them in one.
    pub(crate) fn joined(&self) -> Frame {
        self.joined.clone()
    }
}

/// What a codec made, as a frame.
pub(crate) fn frame(encoded: &Encoded) -> Frame {
    Frame::new(opcode(encoded), encoded.bytes())
}

/// The same, compressed where that makes it smaller.
pub(crate) fn deflated(encoded: &Encoded) -> Frame {
    Frame::deflated(opcode(encoded), encoded.bytes()).unwrap_or_else(|| frame(encoded))
}

fn opcode(encoded: &Encoded) -> Opcode {
    match encoded {
        Encoded::Text(_) => Opcode::Text,
        Encoded::Binary(_) => Opcode::Binary,
    }
}

/// What became of events for one connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Events that were written or queued.
    pub(crate) taken: usize,
    /// Bytes that the kernel took.
    pub(crate) written: usize,
}

/// One connection's way out. Many put in; its task writes what waits.
pub struct Outbox {
    /// Beside the lock, so that [`Outbox::warm`] needs none.
    wire: OnceLock<Box<dyn Wire>>,
    state: Mutex<State>,
    limits: QueueLimits,
}

#[derive(Default)]
struct State {
    /// Nothing, nearly always.
    queue: Option<Box<Queue>>,
    close: Option<Close>,
    /// The socket is to be closed so once what its client has asked is answered.
    leaving: Option<Close>,
    /// The socket is broken: nothing more can be written.
    broken: bool,
    /// The task waits for the socket to take more: what is queued need not wake it.
    blocked: bool,
    /// There is more to be said once nothing waits.
    more: bool,
    /// Bytes that the socket took at once and that nobody has counted yet.
    uncounted: usize,
    frames: u64,
    waker: Option<Waker>,
}

/// What the connection's task is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing.
    None,
    /// Wait until the socket takes more, then [`Outbox::flush`].
    Blocked,
    /// Nothing waits, and there is more to be said: [`crate::Hub::feed`].
    More,
    /// Everything that had to go is gone: close the socket so.
    Close(Close),
    /// The socket is broken.
    Gone,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("queued_bytes", &self.queued_bytes())
            .field("closing", &self.closing())
            .finish_non_exhaustive()
    }
}

impl Outbox {
    /// An empty one; it allocates nothing until something waits. Without a `wire` everything
    /// waits until it is taken with [`Outbox::pop`].
    pub fn new(max_bytes: usize, max_frames: usize) -> Self {
        Self {
            wire: OnceLock::new(),
            state: Mutex::default(),
            limits: QueueLimits {
                bytes: max_bytes,
                frames: max_frames,
            },
        }
    }

    /// From here on frames are written to this; the first one stands.
    pub fn attach(&self, wire: Box<dyn Wire>) {
        let _ = self.wire.set(wire);
    }

    /// Writes nothing more, tells the peer so, and lets go of everything that waits.
    pub fn detach(&self) {
        let mut state = self.state.lock();
        state.broken = true;
        state.queue = None;
        drop(state);
        if let Some(wire) = self.wire.get() {
            wire.shut();
        }
    }

    /// Fetches what [`Outbox::data`] is about to need. The pieces lie apart, and each costs a wait
    /// for memory: asked for several connections at once, the waits go on side by side.
    pub(crate) fn warm(&self) {
        black_box(self.state.is_locked());
        if let Some(wire) = self.wire.get() {
            wire.warm();
        }
    }

    /// Sends a reply, a presence frame, an end of a channel. What the socket takes is counted with
    /// the next [`Outbox::flush`].
    pub fn control(&self, encoded: &Encoded) {
        self.control_frame(frame(encoded));
    }

    /// Answers a ping. Of the answers that must wait only the latest is kept.
    pub fn pong(&self, frame: Frame) {
        let mut state = self.state.lock();
        state.uncounted += self.prior(&mut state, frame, |queue, frame, _| {
            queue.pong(frame);
            Ok(())
        });
    }

    /// Sends a frame as [`Outbox::control`] does.
    pub fn control_frame(&self, frame: Frame) {
        let mut state = self.state.lock();
        state.uncounted += self.prior(&mut state, frame, Queue::control);
    }

    /// Sends a frame that goes to many as [`Outbox::control`] does, and gives the bytes that the
    /// socket took, for whoever sends it to count them once for all.
    pub(crate) fn control_of_many(&self, frame: Frame) -> usize {
        self.prior(&mut self.state.lock(), frame, Queue::control)
    }

    /// Sends what goes before data; `wait` queues what the kernel does not take.
    fn prior(
        &self,
        state: &mut State,
        frame: Frame,
        wait: impl FnOnce(&mut Queue, Frame, QueueLimits) -> Result<(), Full>,
    ) -> usize {
        if state.close.is_some() || state.broken {
            return 0;
        }
        state.frames += frame.count() as u64;
        let written = match state.write_through(self.wire(), frame.bytes()) {
            Through::All => return frame.len(),
            Through::Part(written) => {
                state.queue = Some(Box::new(Queue::begun(frame.bytes().slice(written..))));
                written
            }
            Through::Nothing => {
                let queue = state.queue.get_or_insert_default();
                if wait(queue, frame, self.limits) == Err(Full) {
                    state.end(Close::SlowConsumer);
                }
                0
            }
        };
        state.wake_for_more();
        written
    }

    /// Sends events of a channel.
    pub(crate) fn data(&self, origin: &Arc<Origin>, events: &Events, overflow: Overflow) -> Sent {
        let count = events.joined.count();
        let mut state = self.state.lock();
        if state.close.is_some() || state.broken {
            // Whoever goes for another reason misses nothing: it has left.
            if state.close == Some(Close::SlowConsumer) {
                origin.lose(Drop::SlowConsumer, count);
            }
            return Sent::default();
        }
        let mut sent = Sent {
            taken: count,
            ..Sent::default()
        };
        match state.write_through(self.wire(), events.joined.bytes()) {
            Through::All => {
                state.frames += count as u64;
                sent.written = events.joined.len();
                return sent;
            }
            Through::Part(written) => {
                let rest = events.joined.bytes().slice(written..);
                state.queue = Some(Box::new(Queue::begun(rest)));
                state.frames += count as u64;
                sent.written = written;
            }
            Through::Nothing => {
                sent.taken = state.enqueue(origin, events, overflow, self.limits);
                if sent.taken < count {
                    state.end(Close::SlowConsumer);
                    origin.lose(Drop::SlowConsumer, count - sent.taken);
                }
            }
        }
        state.wake_for_more();
        sent
    }

    /// Asks for the socket to be closed; the first reason given stands. Events that wait are
    /// dropped. Control frames still go out, except to a slow consumer.
    pub fn close(&self, close: Close) {
        let mut state = self.state.lock();
        state.end(close);
        state.wake();
    }

    /// Asks for the socket to be closed as soon as what its client has asked is answered. Whoever
    /// answers looks at [`Outbox::leaving`].
    pub fn leave(&self, close: Close) {
        let mut state = self.state.lock();
        state.leaving = state.leaving.or(Some(close));
        state.wake();
    }

    /// How the socket is to be closed when nothing is left to answer.
    pub fn leaving(&self) -> Option<Close> {
        self.state.lock().leaving
    }

    /// Says whether there is more to be said once nothing waits.
    pub(crate) fn set_more(&self, more: bool) {
        let mut state = self.state.lock();
        state.more = more;
        state.wake();
    }

    /// Bytes that the socket took and that nobody has counted yet.
    pub(crate) fn take_uncounted(&self) -> usize {
        std::mem::take(&mut self.state.lock().uncounted)
    }

    /// Writes what waits, as far as the socket takes it, and says what is to be done next, and how many
    /// bytes the socket has taken that nobody has counted. When there is nothing to do now, `context`
    /// is woken as soon as there is.
    pub fn flush(&self, context: &Context<'_>) -> (Work, usize) {
        let mut state = self.state.lock();
        let before = state.queue.as_ref().map_or(0, |queue| queue.bytes());
        let work = state.work(self.wire());
        state.blocked = work == Work::Blocked;
        if !state
            .waker
            .as_ref()
            .is_some_and(|w| w.will_wake(context.waker()))
        {
            state.waker = Some(context.waker().clone());
        }
        let after = state.queue.as_ref().map_or(0, |queue| queue.bytes());
        let taken = std::mem::take(&mut state.uncounted);
        (work, taken + before.saturating_sub(after))
    }

    /// Takes the next frame that waits, for a transport that has no socket of its own.
    pub fn pop(&self) -> Option<Frame> {
        let mut state = self.state.lock();
        let frame = state.queue.as_mut()?.pop();
        if frame.is_none() {
            state.queue = None;
        }
        frame
    }

    /// Bytes that wait.
    pub fn queued_bytes(&self) -> usize {
        self.state
            .lock()
            .queue
            .as_ref()
            .map_or(0, |queue| queue.bytes())
    }

    /// Frames that wait.
    pub fn queued_frames(&self) -> usize {
        self.state
            .lock()
            .queue
            .as_ref()
            .map_or(0, |queue| queue.frames())
    }

    /// Bytes and frames that wait.
    pub(crate) fn queued(&self) -> (usize, usize) {
        let state = self.state.lock();
        let queue = state.queue.as_ref();
        queue.map_or((0, 0), |queue| (queue.bytes(), queue.frames()))
    }

    /// Frames that were written or queued.
    pub fn frames(&self) -> u64 {
        self.state.lock().frames
    }

    fn wire(&self) -> Option<&dyn Wire> {
        self.wire.get().map(|wire| &**wire)
    }

    /// Why the socket is being closed, if it is.
    pub fn closing(&self) -> Option<Close> {
        self.state.lock().close
    }
}

enum Through {
    All,
    Part(usize),
    Nothing,
}

impl State {
    fn nothing_waits(&self) -> bool {
        self.queue.as_ref().is_none_or(|queue| queue.is_empty())
    }

    /// Writes at once where nothing waits.
    fn write_through(&mut self, wire: Option<&dyn Wire>, bytes: &[u8]) -> Through {
        if !self.nothing_waits() {
            return Through::Nothing;
        }
        let Some(wire) = wire else {
            return Through::Nothing;
        };
        match wire.try_write(bytes) {
            Ok(written) if written >= bytes.len() => Through::All,
            Ok(written) => Through::Part(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Through::Nothing,
            Err(_) => {
                self.broken = true;
                self.wake();
                Through::All
            }
        }
    }

    fn work(&mut self, wire: Option<&dyn Wire>) -> Work {
        if self.broken {
            return Work::Gone;
        }
        if let (Some(queue), Some(wire)) = (&mut self.queue, wire) {
            match queue.write(|slices| wire.try_write_vectored(slices)) {
                // An idle connection holds no queue.
                Ok(Written::All) => self.queue = None,
                Ok(Written::Blocked) => return Work::Blocked,
                Err(_) => {
                    self.broken = true;
                    return Work::Gone;
                }
            }
        }
        match self.close {
            Some(close) => Work::Close(close),
            None if self.more && self.nothing_waits() => Work::More,
            None => Work::None,
        }
    }

    /// Queues events until there is no room, and says how many.
    fn enqueue(
        &mut self,
        origin: &Arc<Origin>,
        events: &Events,
        overflow: Overflow,
        limits: QueueLimits,
    ) -> usize {
        let queue = self.queue.get_or_insert_default();
        let queued = events.parts.iter().take_while(|part| {
            let event = Event {
                frame: (*part).clone(),
                origin: origin.clone(),
                overflow,
            };
            queue.data(event, limits).is_ok()
        });
        let queued = queued.count();
        self.frames += queued as u64;
        queued
    }

    fn end(&mut self, close: Close) {
        if self.close.is_some() {
            return;
        }
        self.close = Some(close);
        self.blocked = false;
        if let Some(queue) = &mut self.queue {
            match close {
                Close::SlowConsumer => queue.lose(),
                _ => queue.clear_data(),
            }
        }
    }

    fn wake_for_more(&mut self) {
        if !self.blocked {
            self.wake();
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
