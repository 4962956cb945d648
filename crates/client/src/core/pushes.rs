//! Pushes: buffered until the join's answer, sent, answered or given up.

use std::collections::VecDeque;

use tidegate_protocol::Payload;

use super::channels::{Phase, reason_of};
use super::{Action, ChannelId, Machine, Ticket};
use crate::event::PushError;
use crate::frame::{ServerFrame, encode};

/// A push that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    ticket: Ticket,
    channel: ChannelId,
}

/// A push that waits for the join.
#[derive(Debug)]
pub(super) struct Buffered {
    /// None when nobody waits for an answer.
    ticket: Option<Ticket>,
    event: String,
    payload: Payload,
    pub(super) deadline: u64,
}

impl Machine {
    /// A number that no other push of this client has.
    pub fn ticket(&mut self) -> Ticket {
        self.next_number()
    }

    /// Sends an event, now or after the join. With a ticket the gateway is asked for an answer;
    /// without one it gives none (A5). What has waited for the join longer than
    /// [`crate::Config::timeout`] is not sent any more.
    pub fn push(
        &mut self,
        now: u64,
        id: ChannelId,
        event: &str,
        payload: Payload,
        ticket: Option<Ticket>,
    ) -> Result<(), PushError> {
        if self.is_closed() {
            return Err(PushError::Closed);
        }
        let buffered_pushes = self.config.buffered_pushes;
        let deadline = now + Self::millis(self.config.timeout);
        let Some(channel) = self.channels.get_mut(&id) else {
            return Err(PushError::NotJoined);
        };
        let names = channel.topic.len().max(event.len());
        if matches!(payload, Payload::Binary(_)) && names > usize::from(u8::MAX) {
            return Err(PushError::NameTooLong);
        }
        if channel.phase == Phase::Joined {
            return self.send_push(now, id, event, &payload, ticket);
        }
        if channel.buffer.len() >= buffered_pushes {
            return Err(PushError::Full);
        }
        channel.buffer.push_back(Buffered {
            ticket,
            event: event.to_owned(),
            payload,
            deadline,
        });
        Ok(())
    }

    fn send_push(
        &mut self,
        now: u64,
        id: ChannelId,
        event: &str,
        payload: &Payload,
        ticket: Option<Ticket>,
    ) -> Result<(), PushError> {
        if self.congested()
            || (ticket.is_some() && self.pending.len() >= self.config.pending_pushes)
        {
            return Err(PushError::Full);
        }
        let reference = ticket.map(|_| self.next_number());
        let Some(channel) = self.channels.get(&id) else {
            return Err(PushError::NotJoined);
        };
        let frame = encode(
            Some(channel.join_ref),
            reference,
            &channel.topic,
            event,
            payload,
        )
        .ok_or(PushError::NameTooLong)?;
        self.send(frame);
        if let (Some(ticket), Some(reference)) = (ticket, reference) {
            self.pending.insert(
                reference,
                Pending {
                    ticket,
                    channel: id,
                },
            );
            self.deadlines
                .push_back((now + Self::millis(self.config.timeout), reference));
        }
        Ok(())
    }

    /// The join is answered: what waited for it goes out, in order.
    pub(super) fn flush_buffer(&mut self, now: u64, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        for push in std::mem::take(&mut channel.buffer) {
            let sent = self.send_push(now, id, &push.event, &push.payload, push.ticket);
            if let (Err(error), Some(ticket)) = (sent, push.ticket) {
                self.answer(ticket, Err(error));
            }
        }
    }

    fn answer(&mut self, ticket: Ticket, result: Result<Payload, PushError>) {
        self.actions.push_back(Action::Answer { ticket, result });
    }

    /// Gives up the pushes of one channel, or all.
    pub(super) fn fail_pushes(&mut self, of: Option<ChannelId>, error: &PushError) {
        let lost: Vec<u64> = self
            .pending
            .iter()
            .filter(|(_, pending)| of.is_none_or(|id| id == pending.channel))
            .map(|(reference, _)| *reference)
            .collect();
        for reference in lost {
            if let Some(pending) = self.pending.remove(&reference) {
                self.answer(pending.ticket, Err(error.clone()));
            }
        }
        self.skip_answered();
    }

    pub(super) fn fail_buffered(&mut self, buffer: &mut VecDeque<Buffered>, error: &PushError) {
        for ticket in buffer.drain(..).filter_map(|push| push.ticket) {
            self.answer(ticket, Err(error.clone()));
        }
    }

    fn skip_answered(&mut self) {
        while let Some((_, reference)) = self.deadlines.front()
            && !self.pending.contains_key(reference)
        {
            self.deadlines.pop_front();
        }
    }

    pub(super) fn pushes_timeout(&mut self, now: u64) {
        while let Some((deadline, reference)) = self.deadlines.front().copied()
            && deadline <= now
        {
            self.deadlines.pop_front();
            if let Some(pending) = self.pending.remove(&reference) {
                self.answer(pending.ticket, Err(PushError::Timeout));
            }
        }
        self.skip_answered();
        let mut late = Vec::new();
        for channel in self.channels.values_mut() {
            while channel
                .buffer
                .front()
                .is_some_and(|push| push.deadline <= now)
            {
                late.extend(channel.buffer.pop_front().and_then(|push| push.ticket));
            }
        }
        for ticket in late {
            self.answer(ticket, Err(PushError::Timeout));
        }
    }

    /// A `phx_reply`; false when nobody waits for it.
    pub(super) fn answered(&mut self, now: u64, frame: &ServerFrame) -> bool {
        let reference = frame
            .reference
            .as_deref()
            .and_then(|text| text.parse::<u64>().ok());
        let (Some(reference), Some((ok, response))) = (reference, frame.answer()) else {
            return false;
        };
        if frame.topic == "phoenix" {
            return self.heartbeat_answered(reference);
        }
        let Some(pending) = self.pending.remove(&reference) else {
            return self.join_answered(now, reference, frame, ok, &response);
        };
        self.skip_answered();
        let result = if ok {
            Ok(response)
        } else {
            let reason = reason_of(&response).unwrap_or_else(|| "the event was refused".to_owned());
            Err(PushError::Refused(reason))
        };
        self.answer(pending.ticket, result);
        true
    }
}
