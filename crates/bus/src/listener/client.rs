//! One Redis client: its task, its state, its end.
//!
//! Reading and writing are two futures in ONE task. While a request is carried out nothing of it
//! can be on the wire yet, so a confirmation is queued first and the subscription made after it:
//! no message can come before the confirmation, and none that was published after the client saw
//! the confirmation can be missed.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;

use super::outbox::Outbox;
use super::reply::Reply;
use super::request::Requests;
use super::transaction::Transaction;
use super::{Protocol, Shared};
use crate::broker::Tally;

/// How long the last replies may take when a connection ends.
const FLUSH: Duration = Duration::from_secs(1);

/// A client that does not read its replies is not read from either, above this.
const UNREAD_REPLIES: usize = 1024 * 1024;

/// After so many requests in a row others get their turn.
const TURN: usize = 128;

pub(crate) struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) channels: HashSet<Bytes>,
    pub(crate) patterns: HashSet<Bytes>,
    pub(crate) authenticated: bool,
    /// Since `MULTI`.
    pub(crate) transaction: Option<Transaction>,
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>, outbox: Arc<Outbox>) -> Self {
        let authenticated = shared.config.password.is_none();
        Self {
            shared,
            outbox,
            channels: HashSet::new(),
            patterns: HashSet::new(),
            authenticated,
            transaction: None,
        }
    }

    /// Serves the client until it leaves, is cut, or the gateway stops.
    pub(crate) async fn serve(mut self, mut socket: TcpStream) {
        let (reader, writer) = socket.split();
        let outbox = self.outbox.clone();
        let shutdown = self.shared.shutdown.clone();
        let mut write = std::pin::pin!(outbox.write_to(writer));
        tokio::select! {
            () = &mut write => return,
            () = outbox.cut.cancelled() => return,
            () = self.read_from(reader) => {}
            () = shutdown.cancelled() => {}
        }
        outbox.finish();
        let _ = tokio::time::timeout(FLUSH, write).await;
    }

    /// Reads and carries out requests until the client leaves or errs.
    async fn read_from(&mut self, socket: ReadHalf<'_>) {
        let limits = self.shared.config.limits;
        // The longest honest request names every subscription.
        let arguments = limits.subscriptions.saturating_add(16);
        let mut requests = Requests::new(limits.request_bytes, arguments);
        let unread = UNREAD_REPLIES.min(limits.output_bytes / 2).max(1);
        let mut turn = 0;
        loop {
            loop {
                match requests.next() {
                    Ok(None) => break,
                    Ok(Some(request)) => {
                        if self.execute(request) == ControlFlow::Break(()) {
                            self.shared.broker.flush();
                            return;
                        }
                    }
                    Err(error) => {
                        Tally::add(&self.shared.broker.tally.protocol_errors);
                        self.outbox.reply(Reply::Error(format!("ERR {error}")));
                        self.shared.broker.flush();
                        return;
                    }
                }
                let mut read = std::pin::pin!(self.outbox.below(unread));
                if futures::poll!(read.as_mut()).is_pending() {
                    // What came before does not wait for this client to read its replies.
                    self.shared.broker.flush();
                    read.await;
                }
                turn += 1;
                if turn % TURN == 0 {
                    self.shared.broker.flush();
                    tokio::task::yield_now().await;
                }
            }
            self.shared.broker.flush();
            // The buffer is made when there is something to put into it, not before.
            if socket.readable().await.is_err() {
                return;
            }
            match socket.try_read_buf(requests.buffer()) {
                Ok(0) => return,
                Err(error) if error.kind() != ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }

    /// Channels and patterns together, as Redis counts them in its confirmations.
    pub(crate) fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Whether RESP2's restriction holds: a subscriber can do little but subscribe.
    pub(crate) fn restricted(&self) -> bool {
        self.outbox.protocol() == Protocol::Resp2 && self.subscriptions() > 0
    }

    /// Keeps what `CLIENT LIST` shows up to date.
    pub(crate) fn note_subscriptions(&self) {
        self.outbox
            .channels
            .store(self.channels.len(), Ordering::Relaxed);
        self.outbox
            .patterns
            .store(self.patterns.len(), Ordering::Relaxed);
    }

    /// Ends all subscriptions without a word.
    pub(crate) fn unsubscribe_all(&mut self) {
        let id = self.outbox.id;
        for channel in self.channels.drain() {
            self.shared.broker.unsubscribe(&channel, id);
        }
        for pattern in self.patterns.drain() {
            self.shared.broker.unsubscribe_pattern(&pattern, id);
        }
        self.note_subscriptions();
    }
}

impl Drop for Client {
    /// However the task ends, nothing of the client stays behind.
    fn drop(&mut self) {
        self.unsubscribe_all();
        self.shared.leave(self.outbox.id);
    }
}
