//! The task that moves frames between a machine and a transport, asks for join parameters and
//! watches the clock. One per client; it ends when the client is closed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::stream::FuturesUnordered;
use futures::{Sink, Stream};
use serde_json::Value;

use crate::core::ChannelId;
use crate::maybe_send::JoinParamsFuture;
use crate::shared::{Shared, Todo};
use crate::transport::{self, Connect, Incoming, Sleep, Socket};

/// Rounds of work before other tasks get their turn.
const ROUNDS: usize = 32;

/// Frames read in one round, so that a flood does not hold up what is to be sent.
const READS: usize = 64;

/// How long the closing handshake may take, in milliseconds.
const CLOSING_MS: u64 = 1000;

/// Asked-for join parameters.
struct Asking {
    channel: ChannelId,
    serial: u64,
    params: JoinParamsFuture,
    timeout: Sleep,
}

impl Future for Asking {
    type Output = (ChannelId, u64, Result<Value, String>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let params = match self.params.as_mut().poll(cx) {
            Poll::Ready(params) => params,
            Poll::Pending => {
                ready!(Pin::new(&mut self.timeout).poll(cx));
                Err("what the join needs, such as a token, did not come in time".to_owned())
            }
        };
        Poll::Ready((self.channel, self.serial, params))
    }
}

pub(crate) struct Driver {
    shared: Arc<Shared>,
    connecting: Option<Connect>,
    socket: Option<Socket>,
    unflushed: bool,
    closing: Option<(Socket, Sleep)>,
    asking: FuturesUnordered<Asking>,
    /// When it fires, and what fires.
    timer: Option<(u64, Sleep)>,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            connecting: None,
            socket: None,
            unflushed: false,
            closing: None,
            asking: FuturesUnordered::new(),
            timer: None,
        }
    }

    /// Does what the machine wants done.
    fn poll_todo(&mut self, cx: &Context<'_>) -> bool {
        let mut progress = false;
        while let Some(todo) = self.shared.next_todo(cx) {
            progress = true;
            match todo {
                Todo::Connect => self.connecting = Some(transport::connect(&self.shared.config)),
                Todo::Disconnect => {
                    self.connecting = None;
                    let closing = self.socket.take();
                    self.closing = closing.map(|socket| (socket, transport::sleep(CLOSING_MS)));
                }
                Todo::Ask {
                    channel,
                    serial,
                    params,
                } => {
                    let timeout = self.shared.config.timeout.as_millis();
                    let timeout = transport::sleep(u64::try_from(timeout).unwrap_or(u64::MAX));
                    let params = params.ask();
                    self.asking.push(Asking {
                        channel,
                        serial,
                        params,
                        timeout,
                    });
                }
            }
        }
        progress
    }

    fn poll_connecting(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(connecting) = &mut self.connecting else {
            return false;
        };
        let Poll::Ready(result) = Pin::new(connecting).poll(cx) else {
            return false;
        };
        self.connecting = None;
        match result {
            Ok(socket) => {
                self.socket = Some(socket);
                self.unflushed = false;
                self.shared.connected();
            }
            Err(reason) => self.shared.lost(&reason),
        }
        true
    }

    fn lose(&mut self, reason: &str) {
        self.socket = None;
        self.shared.lost(reason);
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> bool {
        for count in 0..READS {
            let Some(socket) = &mut self.socket else {
                return count > 0;
            };
            match Pin::new(socket).poll_next(cx) {
                Poll::Pending => return count > 0,
                Poll::Ready(Some(Incoming::Frame(frame))) => self.shared.received(frame),
                Poll::Ready(Some(Incoming::Closed(reason))) => self.lose(&reason),
                Poll::Ready(None) => self.lose("the connection to the gateway was lost"),
            }
        }
        true
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while self.shared.has_frames() {
            let Some(socket) = &mut self.socket else {
                return progress;
            };
            match Pin::new(&mut *socket).poll_ready(cx) {
                Poll::Pending => return progress,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(reason)) => {
                    self.lose(&reason);
                    return true;
                }
            }
            let Some(frame) = self.shared.next_frame() else {
                break;
            };
            progress = true;
            self.unflushed = true;
            if let Err(reason) = Pin::new(socket).start_send(frame) {
                self.lose(&reason);
                return true;
            }
        }
        if self.unflushed
            && let Some(socket) = &mut self.socket
        {
            match Pin::new(socket).poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(reason)) => {
                    self.lose(&reason);
                    return true;
                }
            }
        }
        progress
    }

    fn poll_asking(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while let Poll::Ready(Some((channel, serial, params))) =
            Pin::new(&mut self.asking).poll_next(cx)
        {
            self.shared.params(channel, serial, params);
            progress = true;
        }
        progress
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.shared.deadline() else {
            self.timer = None;
            return false;
        };
        if self.timer.as_ref().is_none_or(|(at, _)| *at != deadline) {
            let wait = deadline.saturating_sub(transport::now_ms());
            self.timer = Some((deadline, transport::sleep(wait)));
        }
        let Some((_, sleep)) = &mut self.timer else {
            return false;
        };
        if Pin::new(sleep).poll(cx).is_pending() {
            return false;
        }
        self.timer = None;
        // A timer that fires a little early is simply set again.
        self.shared.timeout();
        true
    }

    fn poll_closing(&mut self, cx: &mut Context<'_>) {
        if let Some((socket, timeout)) = &mut self.closing
            && (Pin::new(socket).poll_close(cx).is_ready() || Pin::new(timeout).poll(cx).is_ready())
        {
            self.closing = None;
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        for _ in 0..ROUNDS {
            let mut progress = this.poll_todo(cx);
            this.poll_closing(cx);
            if this.shared.is_closed() && !progress {
                return if this.closing.is_none() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                };
            }
            progress |= this.poll_connecting(cx);
            progress |= this.poll_read(cx);
            progress |= this.poll_asking(cx);
            progress |= this.poll_write(cx);
            progress |= this.poll_timer(cx);
            if !progress {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
