//! One channel: its reader, and handles to push from elsewhere.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use futures::channel::oneshot;
use serde::Serialize;
use serde_json::Value;
use tidegate_protocol::Payload;

use crate::client::Handle;
use crate::core::ChannelId;
use crate::event::{ChannelEvent, ChannelState, PushError, json_payload};
use crate::shared::Answer;

/// The reader of a channel. Dropping it leaves the channel.
///
/// It can do all that a [`ChannelHandle`] can.
pub struct Channel {
    handle: ChannelHandle,
}

impl Channel {
    pub(crate) fn new(client: Arc<Handle>, id: ChannelId, topic: &str) -> Self {
        Self {
            handle: ChannelHandle {
                client,
                id,
                topic: topic.into(),
            },
        }
    }

    /// The next event; none after [`ChannelEvent::Closed`].
    pub async fn next(&mut self) -> Option<ChannelEvent> {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    /// A handle for pushing and leaving from elsewhere.
    pub fn handle(&self) -> ChannelHandle {
        self.handle.clone()
    }

    fn poll_event(&self, cx: &mut Context<'_>) -> Poll<Option<ChannelEvent>> {
        self.handle.client.shared.poll_event(self.handle.id, cx)
    }
}

impl Deref for Channel {
    type Target = ChannelHandle;

    fn deref(&self) -> &ChannelHandle {
        &self.handle
    }
}

impl Stream for Channel {
    type Item = ChannelEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ChannelEvent>> {
        self.poll_event(cx)
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.handle.client.shared.forget(self.handle.id);
    }
}

/// Pushes to a channel and leaves it. Clones are cheap; when the channel is over they say so.
#[derive(Clone)]
pub struct ChannelHandle {
    client: Arc<Handle>,
    id: ChannelId,
    topic: Arc<str>,
}

impl ChannelHandle {
    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Where the channel stands.
    pub fn state(&self) -> ChannelState {
        self.client.shared.channel_state(self.id)
    }

    /// How many events its reader did not read in time and has lost.
    pub fn dropped(&self) -> u64 {
        self.client.shared.dropped(self.id)
    }

    /// Sends an event, at once or after the join; the reply says when the gateway has it.
    pub fn push(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> Reply {
        match json_payload(&payload) {
            Ok(payload) => self.push_payload(event, payload),
            Err(error) => Reply(Waiting::Failed(error)),
        }
    }

    /// Sends an event with a binary payload.
    pub fn push_binary(&self, event: &str, data: impl Into<Bytes>) -> Reply {
        self.push_payload(event, Payload::Binary(data.into()))
    }

    /// Sends an event whose payload is already bytes; JSON must be valid.
    pub fn push_payload(&self, event: &str, payload: Payload) -> Reply {
        match self.client.shared.push(self.id, event, payload) {
            Ok(answer) => Reply(Waiting::For(answer)),
            Err(error) => Reply(Waiting::Failed(error)),
        }
    }

    /// Sends an event without asking for an answer; an error means that it was not sent. One that
    /// has waited for the join too long is dropped.
    pub fn cast(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> Result<(), PushError> {
        self.cast_payload(event, json_payload(&payload)?)
    }

    /// As [`ChannelHandle::cast`], with a payload that is already bytes.
    pub fn cast_payload(&self, event: &str, payload: Payload) -> Result<(), PushError> {
        self.client.shared.cast(self.id, event, payload)
    }

    /// Leaves the channel. Its reader sees [`ChannelEvent::Closed`], pushes without an answer end
    /// with [`PushError::NotJoined`].
    pub fn leave(&self) {
        self.client.shared.leave(self.id);
    }
}

impl std::fmt::Debug for ChannelHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChannelHandle")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

/// The answer to a push, which is under way already: dropping this does not call it back.
/// Awaited, it gives the response as JSON.
#[must_use = "a push can be refused; use `cast` when that does not matter"]
#[derive(Debug)]
pub struct Reply(Waiting);

#[derive(Debug)]
enum Waiting {
    For(oneshot::Receiver<Answer>),
    Failed(PushError),
}

impl Reply {
    /// The response as the bytes it came as, JSON or binary.
    pub async fn payload(mut self) -> Result<Payload, PushError> {
        std::future::poll_fn(|cx| self.poll_answer(cx)).await
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.0 {
            Waiting::Failed(error) => Poll::Ready(Err(error.clone())),
            // The other half goes only with the client itself.
            Waiting::For(answer) => Pin::new(answer)
                .poll(cx)
                .map(|answer| answer.unwrap_or(Err(PushError::Closed))),
        }
    }
}

impl Future for Reply {
    type Output = Result<Value, PushError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_answer(cx).map(|answer| {
            crate::event::parse(&answer?).map_err(|error| PushError::NotJson(error.to_string()))
        })
    }
}
