//! The rules of a Phoenix client, without I/O and without a clock.
//!
//! Whoever drives it hands in frames, commands and the time (milliseconds of any clock that does
//! not go back) and takes out [`Action`]s, frames to send and the next deadline, until there are
//! none. The same input gives the same output: the only chance in it, the spread of the delays,
//! comes from a seed.

mod channels;
mod link;
mod pushes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use tidegate_protocol::{Encoded, Payload};

use crate::backoff::Jitter;
use crate::config::Config;
use crate::event::{ChannelEvent, PushError, Status};
use channels::Channel;
use link::Link;
use pushes::Pending;

/// One channel of one client, for its whole life.
pub type ChannelId = u64;

/// What an answer to a push is handed out under.
pub type Ticket = u64;

/// What the driver must do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Open a transport; [`Machine::connected`] or [`Machine::lost`] tells how it went.
    Connect,
    /// Drop the transport, or the attempt to open one.
    Disconnect,
    /// Ask for the parameters of a join; hand them to [`Machine::params`] with the serial.
    AskParams {
        /// Whose join.
        channel: ChannelId,
        /// Which join of it: late parameters of an earlier one are ignored.
        serial: u64,
    },
    /// Tell the channel's reader. Nothing follows a [`ChannelEvent::Closed`].
    Emit {
        /// Whose reader.
        channel: ChannelId,
        /// What.
        event: ChannelEvent,
    },
    /// Tell who pushed.
    Answer {
        /// The push.
        ticket: Ticket,
        /// The response, or why there is none.
        result: Result<Payload, PushError>,
    },
    /// The connection's state changed; `retry_at_ms` is in the machine's time.
    Status(Status),
}

/// The state machine. See the module's page.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    jitter: Jitter,
    link: Link,
    /// Failed tries since the connection was last good.
    attempt: u32,
    /// What ended the connection or the last try.
    reason: Option<String>,
    /// The last ref, serial, ticket or channel given out; one counter, as in phoenix.js.
    counter: u64,
    channels: BTreeMap<ChannelId, Channel>,
    topics: HashMap<Arc<str>, ChannelId>,
    /// Pushes on their way, by ref.
    pending: HashMap<u64, Pending>,
    /// Their deadlines in order; answered ones are skipped.
    deadlines: VecDeque<(u64, u64)>,
    actions: VecDeque<Action>,
    frames: VecDeque<Encoded>,
    frame_bytes: usize,
    /// Frames that could not be read or that belong to nobody.
    ignored: u64,
}

impl Machine {
    /// A machine that waits for [`Machine::start`].
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            config,
            jitter: Jitter::new(seed),
            link: Link::Idle,
            attempt: 0,
            reason: None,
            counter: 0,
            channels: BTreeMap::new(),
            topics: HashMap::new(),
            pending: HashMap::new(),
            deadlines: VecDeque::new(),
            actions: VecDeque::new(),
            frames: VecDeque::new(),
            frame_bytes: 0,
            ignored: 0,
        }
    }

    /// The next thing to do.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next frame to send; ask only when the socket takes one.
    pub fn next_frame(&mut self) -> Option<Encoded> {
        let frame = self.frames.pop_front()?;
        self.frame_bytes -= frame.len();
        Some(frame)
    }

    /// Whether [`Machine::next_frame`] has one.
    pub fn has_frames(&self) -> bool {
        !self.frames.is_empty()
    }

    /// When [`Machine::timeout`] must be called, if nothing happens before.
    pub fn deadline(&self) -> Option<u64> {
        let channels = self.channels.values().filter_map(Channel::deadline);
        let push = self.deadlines.front().map(|(at, _)| *at);
        channels.chain(push).chain(self.link.deadline()).min()
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: u64) {
        self.link_timeout(now);
        self.channels_timeout(now);
        self.pushes_timeout(now);
    }

    /// Frames from the gateway that could not be read or belonged to nobody, such as those of a
    /// join that has been left.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// The next number of the one counter.
    fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn millis(duration: std::time::Duration) -> u64 {
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
    }

    /// Queues a frame that must not be lost while the connection lasts.
    fn send(&mut self, frame: Encoded) {
        self.frame_bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// Whether the socket lags too far behind for another push.
    fn congested(&self) -> bool {
        self.frames.len() >= self.config.outgoing_frames
            || self.frame_bytes >= self.config.outgoing_bytes
    }

    /// Takes a frame from the gateway.
    pub fn received(&mut self, now: u64, frame: &Encoded) {
        let Ok(frame) = crate::frame::ServerFrame::decode(frame) else {
            self.ignored += 1;
            return;
        };
        let used = if frame.event == "phx_reply" {
            self.answered(now, &frame)
        } else {
            self.event(now, frame)
        };
        if !used {
            self.ignored += 1;
        }
    }
}
