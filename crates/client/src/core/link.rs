//! The connection: opening, heartbeats, losing it, coming back.

use bytes::Bytes;
use tidegate_protocol::Payload;

use super::{Action, Machine};
use crate::event::{ChannelEvent, PushError, Status};
use crate::frame::encode;

/// A connection that lasted this long was good: the next loss starts the delays anew.
const GOOD_AFTER_MS: u64 = 5000;

#[derive(Debug)]
pub(super) enum Link {
    /// Not started.
    Idle,
    /// Between tries.
    Waiting { at: u64 },
    /// A try is under way.
    Connecting { deadline: u64 },
    /// Open; `heartbeat` is the ref of one without an answer.
    Open {
        since: u64,
        beat_at: u64,
        heartbeat: Option<u64>,
    },
    /// Over.
    Closed { reason: String },
}

impl Link {
    pub(super) fn deadline(&self) -> Option<u64> {
        match self {
            Link::Idle | Link::Closed { .. } => None,
            Link::Waiting { at } => Some(*at),
            Link::Connecting { deadline } => Some(*deadline),
            Link::Open { beat_at, .. } => Some(*beat_at),
        }
    }
}

impl Machine {
    /// The state of the connection; `retry_at_ms` is in the machine's time.
    pub fn status(&self) -> Status {
        let connecting = |retry_at_ms| Status::Connecting {
            attempt: self.attempt,
            retry_at_ms,
            reason: self.reason.clone(),
        };
        match &self.link {
            Link::Idle | Link::Connecting { .. } => connecting(None),
            Link::Waiting { at } => connecting(Some(*at)),
            Link::Open { .. } => Status::Open,
            Link::Closed { reason } => Status::Closed {
                reason: reason.clone(),
            },
        }
    }

    fn set_link(&mut self, link: Link) {
        self.link = link;
        self.actions.push_back(Action::Status(self.status()));
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.link, Link::Open { .. })
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.link, Link::Closed { .. })
    }

    /// Begins.
    pub fn start(&mut self, now: u64) {
        if matches!(self.link, Link::Idle) {
            self.connect(now);
        }
    }

    fn connect(&mut self, now: u64) {
        let deadline = now + Self::millis(self.config.timeout);
        self.actions.push_back(Action::Connect);
        self.set_link(Link::Connecting { deadline });
    }

    /// The transport is open.
    pub fn connected(&mut self, now: u64) {
        if !matches!(self.link, Link::Connecting { .. }) {
            return;
        }
        self.reason = None;
        let beat_at = now + Self::millis(self.config.heartbeat);
        self.set_link(Link::Open {
            since: now,
            beat_at,
            heartbeat: None,
        });
        self.join_all(now);
    }

    /// The transport is gone, or could not be opened.
    pub fn lost(&mut self, now: u64, reason: &str) {
        match self.link {
            Link::Open { since, .. } => {
                if now.saturating_sub(since) >= GOOD_AFTER_MS {
                    self.attempt = 0;
                }
            }
            Link::Connecting { .. } => {}
            Link::Idle | Link::Waiting { .. } | Link::Closed { .. } => return,
        }
        self.attempt = self.attempt.saturating_add(1);
        self.reason = Some(reason.to_owned());
        self.frames.clear();
        self.frame_bytes = 0;
        let at = now + self.jitter.reconnect_ms(self.attempt);
        self.set_link(Link::Waiting { at });
        self.interrupt_all(reason);
    }

    fn give_up(&mut self, now: u64, reason: &str) {
        self.actions.push_back(Action::Disconnect);
        self.lost(now, reason);
    }

    /// Tries at once what waits for a later try: the connection, and refused channels.
    pub fn retry_now(&mut self, now: u64) {
        match self.link {
            Link::Waiting { .. } => self.connect(now),
            Link::Open { .. } => self.rejoin_refused(now),
            Link::Idle | Link::Connecting { .. } | Link::Closed { .. } => {}
        }
    }

    /// Ends the client: every channel is closed, every push answered with [`PushError::Closed`].
    pub fn close(&mut self, reason: &str) {
        if self.is_closed() {
            return;
        }
        self.actions.push_back(Action::Disconnect);
        self.frames.clear();
        self.frame_bytes = 0;
        self.fail_pushes(None, &PushError::Closed);
        let channels: Vec<_> = self.channels.keys().copied().collect();
        for channel in channels {
            self.remove(
                channel,
                &PushError::Closed,
                ChannelEvent::Closed {
                    reason: reason.to_owned(),
                },
            );
        }
        self.set_link(Link::Closed {
            reason: reason.to_owned(),
        });
    }

    pub(super) fn link_timeout(&mut self, now: u64) {
        match self.link {
            Link::Waiting { at } if at <= now => self.connect(now),
            Link::Connecting { deadline } if deadline <= now => {
                self.give_up(now, "the gateway did not answer in time");
            }
            Link::Open {
                beat_at,
                heartbeat: Some(_),
                ..
            } if beat_at <= now => {
                self.give_up(now, "the gateway did not answer the heartbeat");
            }
            Link::Open {
                since,
                beat_at,
                heartbeat: None,
            } if beat_at <= now => {
                let reference = self.next_number();
                let empty = Payload::Json(Bytes::from_static(b"{}"));
                if let Some(frame) = encode(None, Some(reference), "phoenix", "heartbeat", &empty) {
                    self.send(frame);
                }
                let beat_at = now + Self::millis(self.config.heartbeat);
                self.link = Link::Open {
                    since,
                    beat_at,
                    heartbeat: Some(reference),
                };
            }
            _ => {}
        }
    }

    /// Whether this ref is the heartbeat's, which is then answered.
    pub(super) fn heartbeat_answered(&mut self, reference: u64) -> bool {
        match &mut self.link {
            Link::Open { heartbeat, .. } if *heartbeat == Some(reference) => {
                *heartbeat = None;
                true
            }
            _ => false,
        }
    }
}
