//! Channels: joining, joining again, events, leaving.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use tidegate_protocol::Payload;

use super::pushes::Buffered;
use super::{Action, ChannelId, Machine};
use crate::event::{ChannelEvent, ChannelState, PushError};
use crate::frame::{ServerFrame, encode};

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) topic: Arc<str>,
    pub(super) phase: Phase,
    /// The ref of the last join sent; 0 before the first.
    pub(super) join_ref: u64,
    /// Joins that failed in a row.
    failures: u32,
    /// Pushes that wait for the join.
    pub(super) buffer: VecDeque<Buffered>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waits for the connection.
    Waiting,
    /// Waits for the join's parameters.
    Params { serial: u64 },
    /// Waits for the join's answer.
    Joining { deadline: u64 },
    /// Joined.
    Joined,
    /// Waits for the next try.
    Retrying { at: u64 },
}

impl Channel {
    pub(super) fn deadline(&self) -> Option<u64> {
        let phase = match self.phase {
            Phase::Waiting | Phase::Params { .. } | Phase::Joined => None,
            Phase::Joining { deadline: at } | Phase::Retrying { at } => Some(at),
        };
        let buffered = self.buffer.front().map(|push| push.deadline);
        phase.into_iter().chain(buffered).min()
    }

    /// Whether a frame with this join_ref is meant for this join of the topic.
    fn is_current(&self, join_ref: Option<&str>) -> bool {
        join_ref.is_none_or(|text| text.parse() == Ok(self.join_ref))
    }
}

fn empty() -> Payload {
    Payload::Json(Bytes::from_static(b"{}"))
}

/// The `reason` of a response, or the whole response where it has none.
pub(super) fn reason_of(payload: &Payload) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        reason: String,
    }
    let json = payload.as_json()?;
    let reason = serde_json::from_str(json).map(|Refusal { reason }| reason);
    Some(reason.unwrap_or_else(|_| json.to_owned())).filter(|text| text != "{}")
}

impl Machine {
    /// Starts to join a topic. A channel of the same topic that is there already is left.
    pub fn join(&mut self, now: u64, topic: &str) -> ChannelId {
        if let Some(older) = self.topics.get(topic).copied() {
            self.leave(older, "replaced by a newer channel of the same topic");
        }
        let id = self.next_number();
        let topic: Arc<str> = topic.into();
        self.topics.insert(topic.clone(), id);
        let channel = Channel {
            topic,
            phase: Phase::Waiting,
            join_ref: 0,
            failures: 0,
            buffer: VecDeque::new(),
        };
        self.channels.insert(id, channel);
        if self.is_closed() {
            let reason = "the client is closed".to_owned();
            self.remove(id, &PushError::Closed, ChannelEvent::Closed { reason });
        } else if self.is_open() {
            self.ask(now, id);
        }
        id
    }

    /// Leaves a channel; its reader is told at once. Nothing happens when it is over already.
    pub fn leave(&mut self, id: ChannelId, reason: &str) {
        self.say_leave(id);
        let event = ChannelEvent::Closed {
            reason: reason.to_owned(),
        };
        self.remove(id, &PushError::NotJoined, event);
    }

    /// Where a channel stands.
    pub fn channel_state(&self, id: ChannelId) -> ChannelState {
        match self.channels.get(&id).map(|channel| channel.phase) {
            Some(Phase::Waiting) => ChannelState::Waiting,
            Some(Phase::Params { .. } | Phase::Joining { .. }) => ChannelState::Joining,
            Some(Phase::Joined) => ChannelState::Joined,
            Some(Phase::Retrying { .. }) => ChannelState::Retrying,
            None => ChannelState::Closed,
        }
    }

    /// Tells the gateway, when it may know of the join.
    fn say_leave(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else {
            return;
        };
        if self.is_open() && matches!(channel.phase, Phase::Joining { .. } | Phase::Joined) {
            let (join_ref, topic) = (channel.join_ref, channel.topic.clone());
            let reference = self.next_number();
            if let Some(frame) = encode(
                Some(join_ref),
                Some(reference),
                &topic,
                "phx_leave",
                &empty(),
            ) {
                self.send(frame);
            }
        }
    }

    pub(super) fn remove(&mut self, id: ChannelId, error: &PushError, event: ChannelEvent) {
        let Some(mut channel) = self.channels.remove(&id) else {
            return;
        };
        self.topics.remove(&channel.topic);
        self.fail_pushes(Some(id), error);
        self.fail_buffered(&mut channel.buffer, error);
        self.actions.push_back(Action::Emit { channel: id, event });
    }

    /// Asks for the parameters of a join.
    fn ask(&mut self, _now: u64, id: ChannelId) {
        let serial = self.next_number();
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.phase = Phase::Params { serial };
            self.actions.push_back(Action::AskParams {
                channel: id,
                serial,
            });
        }
    }

    /// The parameters of a join, or why there are none.
    pub fn params(&mut self, now: u64, id: ChannelId, serial: u64, params: Result<Value, String>) {
        let open = self.is_open();
        match self.channels.get(&id) {
            Some(channel) if open && channel.phase == (Phase::Params { serial }) => {}
            _ => return,
        }
        let params = match params {
            Ok(params) => params,
            Err(reason) => return self.refused(now, id, reason),
        };
        let join_ref = self.next_number();
        let deadline = now + Self::millis(self.config.timeout);
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        channel.join_ref = join_ref;
        channel.phase = Phase::Joining { deadline };
        let topic = channel.topic.clone();
        let payload = Payload::Json(Bytes::from(params.to_string()));
        if let Some(frame) = encode(Some(join_ref), Some(join_ref), &topic, "phx_join", &payload) {
            self.send(frame);
        }
    }

    /// The connection is there: every channel joins.
    pub(super) fn join_all(&mut self, now: u64) {
        let channels: Vec<_> = self.channels.keys().copied().collect();
        for channel in channels {
            self.ask(now, channel);
        }
    }

    /// Joins again what waits for a later try.
    pub(super) fn rejoin_refused(&mut self, now: u64) {
        let refused = |channel: &Channel| matches!(channel.phase, Phase::Retrying { .. });
        self.ask_where(now, refused);
    }

    fn ask_where(&mut self, now: u64, chosen: impl Fn(&Channel) -> bool) {
        let ids: Vec<_> = self
            .channels
            .iter()
            .filter(|(_, c)| chosen(c))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.ask(now, id);
        }
    }

    /// The connection is lost: every channel waits for it.
    pub(super) fn interrupt_all(&mut self, reason: &str) {
        self.fail_pushes(None, &PushError::Interrupted);
        for (id, channel) in &mut self.channels {
            let joined = channel.phase == Phase::Joined;
            channel.phase = Phase::Waiting;
            if joined {
                let event = ChannelEvent::Interrupted {
                    reason: reason.to_owned(),
                };
                self.actions.push_back(Action::Emit {
                    channel: *id,
                    event,
                });
            }
        }
    }

    /// A join failed: tell, and try later.
    fn refused(&mut self, now: u64, id: ChannelId, reason: String) {
        if self.retry_later(now, id) {
            let event = ChannelEvent::Refused { reason };
            self.actions.push_back(Action::Emit { channel: id, event });
        }
    }

    fn retry_later(&mut self, now: u64, id: ChannelId) -> bool {
        let Some(channel) = self.channels.get_mut(&id) else {
            return false;
        };
        channel.failures = channel.failures.saturating_add(1);
        channel.phase = Phase::Retrying {
            at: now + self.jitter.rejoin_ms(channel.failures),
        };
        true
    }

    pub(super) fn channels_timeout(&mut self, now: u64) {
        let late: Vec<_> = self
            .channels
            .iter()
            .filter(|(_, c)| matches!(c.phase, Phase::Joining { deadline } if deadline <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            // The gateway may yet take the join; the leave makes sure that it does not stay.
            self.say_leave(id);
            self.refused(
                now,
                id,
                "the gateway did not answer the join in time".to_owned(),
            );
        }
        self.ask_where(
            now,
            |c| matches!(c.phase, Phase::Retrying { at } if at <= now),
        );
    }

    /// The answer to a join, when it is one.
    pub(super) fn join_answered(
        &mut self,
        now: u64,
        reference: u64,
        frame: &ServerFrame,
        ok: bool,
        response: &Payload,
    ) -> bool {
        let Some(id) = self.topics.get(frame.topic.as_str()).copied() else {
            return false;
        };
        let Some(channel) = self.channels.get_mut(&id) else {
            return false;
        };
        if !matches!(channel.phase, Phase::Joining { .. }) || channel.join_ref != reference {
            return false;
        }
        if ok {
            channel.phase = Phase::Joined;
            channel.failures = 0;
            let response = crate::event::parse(response).unwrap_or(Value::Null);
            let event = ChannelEvent::Joined { response };
            self.actions.push_back(Action::Emit { channel: id, event });
            self.flush_buffer(now, id);
        } else {
            let reason = reason_of(response).unwrap_or_else(|| "the join was refused".to_owned());
            self.refused(now, id, reason);
        }
        true
    }

    /// An event of a channel; false when it belongs to nobody.
    pub(super) fn event(&mut self, now: u64, frame: ServerFrame) -> bool {
        let Some(id) = self.topics.get(frame.topic.as_str()).copied() else {
            return false;
        };
        let Some(channel) = self.channels.get(&id) else {
            return false;
        };
        let known = matches!(channel.phase, Phase::Joining { .. } | Phase::Joined);
        if !known || !channel.is_current(frame.join_ref.as_deref()) {
            return false;
        }
        match frame.event.as_str() {
            "phx_close" => {
                let reason =
                    reason_of(&frame.payload).unwrap_or_else(|| "closed by the gateway".to_owned());
                self.remove(id, &PushError::NotJoined, ChannelEvent::Closed { reason });
            }
            "phx_error" => {
                let reason = reason_of(&frame.payload)
                    .unwrap_or_else(|| "the channel failed in the gateway".to_owned());
                self.fail_pushes(Some(id), &PushError::Interrupted);
                self.retry_later(now, id);
                let event = ChannelEvent::Interrupted { reason };
                self.actions.push_back(Action::Emit { channel: id, event });
            }
            _ => {
                let event = ChannelEvent::Event {
                    event: frame.event.into(),
                    payload: frame.payload,
                };
                self.actions.push_back(Action::Emit { channel: id, event });
            }
        }
        true
    }
}
