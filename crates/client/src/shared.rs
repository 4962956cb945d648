//! What handles, readers and the driver share: the machine, and who waits for what it says.
//!
//! Handles call the machine directly under a short lock, so that there is no command queue to
//! bound and a push knows at once whether it was taken. Whoever must be woken, answered or
//! dropped is so after the lock is gone: foreign code never runs inside it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::channel::oneshot;
use serde_json::Value;
use tidegate_protocol::{Encoded, Payload};

use crate::config::Config;
use crate::core::{Action, ChannelId, Machine, Ticket};
use crate::event::{ChannelEvent, ChannelState, PushError, Status, Update};
use crate::mailbox::Mailbox;
use crate::maybe_send::JoinParams;
use crate::transport;

pub(crate) type Answer = Result<Payload, PushError>;

/// What only the driver can do.
pub(crate) enum Todo {
    Connect,
    Disconnect,
    Ask {
        channel: ChannelId,
        serial: u64,
        params: Arc<JoinParams>,
    },
}

/// What happens when the lock is gone.
enum After {
    Wake(Waker),
    Answer(oneshot::Sender<Answer>, Answer),
    Drop(Arc<JoinParams>),
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    state: Mutex<State>,
}

struct State {
    machine: Machine,
    readers: HashMap<ChannelId, Mailbox<ChannelEvent>>,
    params: HashMap<ChannelId, Arc<JoinParams>>,
    answers: HashMap<Ticket, oneshot::Sender<Answer>>,
    updates: HashMap<u64, Mailbox<Update>>,
    todo: VecDeque<Todo>,
    driver: Option<Waker>,
    after: Vec<After>,
}

impl Shared {
    pub(crate) fn new(config: Config, seed: u64) -> Self {
        let state = State {
            machine: Machine::new(config.clone(), seed),
            readers: HashMap::new(),
            params: HashMap::new(),
            answers: HashMap::new(),
            updates: HashMap::new(),
            todo: VecDeque::new(),
            driver: None,
            after: Vec::new(),
        };
        Self {
            config,
            state: Mutex::new(state),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State, u64) -> T) -> T {
        let now = transport::now_ms();
        let (result, after) = {
            // A panic inside the lock is a bug of this crate; the state is still whole.
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let result = change(&mut state, now);
            state.settle(now);
            (result, std::mem::take(&mut state.after))
        };
        for after in after {
            match after {
                After::Wake(waker) => waker.wake(),
                // An asker that is gone wants no answer.
                After::Answer(asker, answer) => drop(asker.send(answer)),
                After::Drop(params) => drop(params),
            }
        }
        result
    }

    // For the handles.

    pub(crate) fn join(&self, topic: &str, params: JoinParams) -> ChannelId {
        self.with(|state, now| {
            let id = state.machine.join(now, topic);
            let config = &self.config;
            let reader = Mailbox::new(config.mailbox_events, config.mailbox_bytes);
            state.readers.insert(id, reader);
            state.params.insert(id, Arc::new(params));
            id
        })
    }

    pub(crate) fn leave(&self, id: ChannelId) {
        self.with(|state, _| state.machine.leave(id, "left"));
    }

    /// The reader is gone: nobody needs the channel.
    pub(crate) fn forget(&self, id: ChannelId) {
        self.with(|state, _| {
            state.machine.leave(id, "left");
            // Settled here, so that the last event does not outlive its reader.
            state.settle(0);
            state.readers.remove(&id);
        });
    }

    pub(crate) fn push(
        &self,
        id: ChannelId,
        event: &str,
        payload: Payload,
    ) -> Result<oneshot::Receiver<Answer>, PushError> {
        self.with(|state, now| {
            let ticket = state.machine.ticket();
            state.machine.push(now, id, event, payload, Some(ticket))?;
            let (asker, answer) = oneshot::channel();
            state.answers.insert(ticket, asker);
            Ok(answer)
        })
    }

    pub(crate) fn cast(
        &self,
        id: ChannelId,
        event: &str,
        payload: Payload,
    ) -> Result<(), PushError> {
        self.with(|state, now| state.machine.push(now, id, event, payload, None))
    }

    pub(crate) fn poll_event(
        &self,
        id: ChannelId,
        cx: &mut Context<'_>,
    ) -> Poll<Option<ChannelEvent>> {
        self.with(|state, _| match state.readers.get_mut(&id) {
            Some(reader) => reader.poll(cx),
            None => Poll::Ready(None),
        })
    }

    pub(crate) fn channel_state(&self, id: ChannelId) -> ChannelState {
        self.with(|state, _| state.machine.channel_state(id))
    }

    pub(crate) fn dropped(&self, id: ChannelId) -> u64 {
        self.with(|state, _| state.readers.get(&id).map_or(0, Mailbox::dropped))
    }

    pub(crate) fn status(&self) -> Status {
        self.with(|state, now| in_wall_time(state.machine.status(), now))
    }

    pub(crate) fn subscribe(&self) -> u64 {
        self.with(|state, now| {
            let id = state.machine.ticket();
            let config = &self.config;
            let mut reader = Mailbox::new(config.mailbox_events, config.mailbox_bytes);
            let status = in_wall_time(state.machine.status(), now);
            let closed = matches!(status, Status::Closed { .. });
            // Nobody waits yet, so there is no waker to wake.
            let _ = reader.put(Update::Status(status));
            if closed {
                let _ = reader.end();
            }
            state.updates.insert(id, reader);
            id
        })
    }

    pub(crate) fn unsubscribe(&self, id: u64) {
        self.with(|state, _| state.updates.remove(&id));
    }

    pub(crate) fn poll_update(&self, id: u64, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        self.with(|state, _| match state.updates.get_mut(&id) {
            Some(reader) => reader.poll(cx),
            None => Poll::Ready(None),
        })
    }

    pub(crate) fn dropped_updates(&self, id: u64) -> u64 {
        self.with(|state, _| state.updates.get(&id).map_or(0, Mailbox::dropped))
    }

    pub(crate) fn start(&self) {
        self.with(|state, now| state.machine.start(now));
    }

    pub(crate) fn close(&self, reason: &str) {
        self.with(|state, _| state.machine.close(reason));
    }

    pub(crate) fn retry_now(&self) {
        self.with(|state, now| state.machine.retry_now(now));
    }

    // For the driver.

    /// The next thing to do; the driver is woken when there is another one.
    pub(crate) fn next_todo(&self, cx: &Context<'_>) -> Option<Todo> {
        self.with(|state, _| {
            let todo = state.todo.pop_front();
            if todo.is_none() {
                state.driver = Some(cx.waker().clone());
            }
            todo
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.with(|state, _| matches!(state.machine.status(), Status::Closed { .. }))
    }

    pub(crate) fn connected(&self) {
        self.with(|state, now| state.machine.connected(now));
    }

    pub(crate) fn lost(&self, reason: &str) {
        self.with(|state, now| state.machine.lost(now, reason));
    }

    pub(crate) fn received(&self, frame: Encoded) {
        self.with(|state, now| {
            state.machine.received(now, &frame);
            if self.config.trace {
                // The frame is shown before what it causes.
                state.trace(false, frame);
            }
        });
    }

    pub(crate) fn has_frames(&self) -> bool {
        self.with(|state, _| state.machine.has_frames())
    }

    pub(crate) fn next_frame(&self) -> Option<Encoded> {
        self.with(|state, _| {
            let frame = state.machine.next_frame()?;
            if self.config.trace {
                state.trace(true, frame.clone());
            }
            Some(frame)
        })
    }

    pub(crate) fn params(&self, channel: ChannelId, serial: u64, params: Result<Value, String>) {
        self.with(|state, now| state.machine.params(now, channel, serial, params));
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        self.with(|state, _| state.machine.deadline())
    }

    pub(crate) fn timeout(&self) {
        self.with(|state, now| state.machine.timeout(now));
    }
}

impl State {
    /// Hands out what the machine says, until it says nothing more.
    fn settle(&mut self, now: u64) {
        while let Some(action) = self.machine.next_action() {
            match action {
                Action::Connect => self.todo.push_back(Todo::Connect),
                Action::Disconnect => self.todo.push_back(Todo::Disconnect),
                Action::AskParams { channel, serial } => {
                    if let Some(params) = self.params.get(&channel).cloned() {
                        self.todo.push_back(Todo::Ask {
                            channel,
                            serial,
                            params,
                        });
                    }
                }
                Action::Emit { channel, event } => self.emit(channel, event),
                Action::Answer { ticket, result } => {
                    if let Some(asker) = self.answers.remove(&ticket) {
                        self.after.push(After::Answer(asker, result));
                    }
                }
                Action::Status(status) => {
                    let closed = matches!(status, Status::Closed { .. });
                    self.update(&Update::Status(in_wall_time(status, now)));
                    if closed {
                        let ended = self.updates.values_mut().filter_map(Mailbox::end);
                        self.after.extend(ended.map(After::Wake));
                    }
                }
            }
        }
        if (!self.todo.is_empty() || self.machine.has_frames())
            && let Some(driver) = self.driver.take()
        {
            self.after.push(After::Wake(driver));
        }
    }

    fn emit(&mut self, channel: ChannelId, event: ChannelEvent) {
        let closed = matches!(event, ChannelEvent::Closed { .. });
        if let Some(reader) = self.readers.get_mut(&channel) {
            self.after.extend(reader.put(event).map(After::Wake));
            if closed {
                self.after.extend(reader.end().map(After::Wake));
            }
        }
        if closed && let Some(params) = self.params.remove(&channel) {
            self.after.push(After::Drop(params));
        }
    }

    fn update(&mut self, update: &Update) {
        for reader in self.updates.values_mut() {
            self.after
                .extend(reader.put(update.clone()).map(After::Wake));
        }
    }

    fn trace(&mut self, sent: bool, frame: Encoded) {
        if !self.updates.is_empty() {
            self.update(&Update::Frame {
                sent,
                time_ms: transport::wall_ms(),
                frame,
            });
        }
    }
}

/// The machine's clock only measures; users read the wall's.
fn in_wall_time(status: Status, now: u64) -> Status {
    match status {
        Status::Connecting {
            attempt,
            retry_at_ms: Some(at),
            reason,
        } => {
            let retry_at_ms = Some(transport::wall_ms() + at.saturating_sub(now));
            Status::Connecting {
                attempt,
                retry_at_ms,
                reason,
            }
        }
        other => other,
    }
}
