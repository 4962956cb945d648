//! One open socket: reading, answering, writing what had to wait, closing, all in one task.
//!
//! What is read is decoded where it lies, in a buffer that all connections of a thread share: an
//! idle connection holds none. What is written goes straight into the socket from whoever sends
//! it (see [`tidegate_hub::Outbox`]); this task writes only what the socket would not take at
//! first. Whoever finds that the socket must end says so through the outbox, so that every end has
//! a code and a reason.

use std::cell::RefCell;
use std::future::{Future as _, poll_fn};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::FutureExt as _;
use tidegate_hub::{Connection, Work};
use tidegate_protocol::Close;
use tidegate_websocket::{Conversation, Event, Frame, Kind, Violation};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::session::Session;
use super::stream::{Reader, Stream};
use crate::gateway::Gateway;

/// Bytes read in one call.
const READ_BYTES: usize = 64 * 1024;
/// How long writing may take once the socket is to be closed, and how long the peer has to answer
/// the close frame.
const CLOSE_GRACE: Duration = Duration::from_secs(2);
/// The same for a slow consumer. It is told why only when it reads again, so it is given time to.
/// All that is kept for it meanwhile is the rest of what its socket had taken a part of: a frame, or up
/// to 64 that were written together.
const SLOW_GRACE: Duration = Duration::from_secs(30);
/// Reads after which the other connections get their turn: a peer that sends without end, and a
/// million tiny frames at that, must not have a thread for itself.
const READS_IN_TURN: usize = 2;

thread_local! {
    /// What was read last; decoded before the thread does anything else.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// How a socket ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// The peer has gone, or the socket is broken; there is nobody to tell.
    Gone,
    /// The peer wants to close, and this is the answer.
    Asked(Frame),
    /// The socket is to be closed so.
    Close(Close),
}

/// A connection's task between two of its turns.
struct Driver {
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    session: Session,
    reader: Reader,
    conversation: Conversation,
    unhandled: Unhandled,
}

/// What was read while a push waits for the bus. It stays where it lies until all of it is handled:
/// there may be a thousand pushes in it, of which each waits.
#[derive(Default)]
struct Unhandled {
    bytes: Vec<u8>,
    /// Where it begins.
    from: usize,
}

impl Unhandled {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, from: 0 }
    }

    fn is_empty(&self) -> bool {
        self.from >= self.bytes.len()
    }

    fn rest(&mut self) -> &mut [u8] {
        &mut self.bytes[self.from..]
    }

    /// Only the last `left` bytes are unhandled still.
    fn keep(mut self, left: usize) -> Self {
        self.from = self.bytes.len().saturating_sub(left);
        self
    }
}

/// Runs the socket to its end. `early` is what the peer sent right behind its handshake.
pub(crate) async fn run(
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    token: Option<String>,
    socket: Stream,
    early: Vec<u8>,
) {
    let max = gateway.config.max_frame_bytes;
    let (reader, writer) = socket.split();
    connection.outbox.attach(writer);
    let mut driver = Driver {
        session: Session::new(gateway.clone(), connection.clone(), token),
        conversation: Conversation::new(max).with_deflate(connection.deflate()),
        unhandled: Unhandled::new(early),
        gateway,
        connection,
        reader,
    };
    // A fault of ours while a frame is handled ends this connection and no other.
    let end = AssertUnwindSafe(poll_fn(|context| driver.poll(context)))
        .catch_unwind()
        .await
        .unwrap_or(End::Close(Close::InternalError));
    if let End::Close(close) = &end {
        // A fault of ours is not known there yet.
        driver.connection.outbox.close(*close);
    }
    // The members go before the closing handshake: nobody waits for a slow goodbye.
    let lifecycle = driver.gateway.hub.disconnect(&driver.connection);
    driver.gateway.lifecycle.tell(lifecycle);
    tracing::debug!(connection = %driver.connection.id, ?end, "closed");
    let slow = end == End::Close(Close::SlowConsumer);
    let stopping = driver.gateway.ending.refusing.clone();
    let patience = async move {
        if slow {
            // A gateway that stops waits for nobody longer than for others.
            let _ = timeout(SLOW_GRACE, stopping.cancelled()).await;
        }
        sleep(CLOSE_GRACE).await;
    };
    let goodbye = async {
        let frame = match end {
            End::Gone => return,
            End::Asked(answer) => answer,
            End::Close(close) => Frame::close(close.code(), close.reason()),
        };
        // A frame of which the socket has taken a part comes first, and what waits behind it.
        if !driver.flushed().await || say(&driver.reader, &frame).await.is_err() {
            return;
        }
        driver.gateway.hub.stats.bytes_out.add(frame.len());
        driver.answered().await;
        // A socket that is closed with something unread in it is reset, and what the peer has not
        // read yet is lost: the close frame. So the end is announced first, and the rest is read
        // (RFC 6455, section 7.1.1).
        driver.connection.outbox.detach();
        drained(&mut driver.reader).await;
    };
    // Whether the peer answered makes no difference any more. Boxed, for the task of an open socket
    // would have to keep room for it: half of its kilobyte.
    let said = async {
        tokio::select! {
            () = goodbye => {}
            () = patience => {}
        }
    };
    Box::pin(said).await;
    driver.connection.outbox.detach();
}

/// Ends a socket for which there is no room.
pub(crate) async fn turn_away(socket: Stream) {
    let close = Close::TooManyConnections;
    let frame = Frame::close(close.code(), close.reason());
    let (mut reader, writer) = socket.split();
    let goodbye = async {
        // The peer may have gone already.
        if say(&reader, &frame).await.is_ok() {
            // As above: it may have begun to speak, and would see a reset in the place of the reason.
            writer.shut();
            drained(&mut reader).await;
        }
    };
    let _ = timeout(CLOSE_GRACE, goodbye).await;
}

async fn say(socket: &Reader, frame: &Frame) -> io::Result<()> {
    let mut rest = &frame.bytes()[..];
    while !rest.is_empty() {
        poll_fn(|context| socket.poll_write_ready(context)).await?;
        match socket.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Driver {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        for _ in 0..READS_IN_TURN {
            if let Some(end) = self.write(context) {
                return Poll::Ready(end);
            }
            if self.connection.outbox.closing().is_some() {
                // Asked for just now, so there is a wake-up under way.
                return Poll::Pending;
            }
            ready!(self.session.poll_waiting(context));
            let read = if self.unhandled.is_empty() {
                self.read(context)
            } else {
                let mut unhandled = std::mem::take(&mut self.unhandled);
                let (end, left) = self.handle(unhandled.rest());
                if left > 0 {
                    self.unhandled = unhandled.keep(left);
                }
                Poll::Ready(end)
            };
            match read {
                Poll::Ready(Some(end)) => return Poll::Ready(end),
                Poll::Ready(None) => {}
                Poll::Pending => match self.connection.outbox.leaving() {
                    // All that the client has asked so far is answered.
                    Some(close) => self.connection.outbox.close(close),
                    None => return Poll::Pending,
                },
            }
        }
        // Woken when the thread has seen to its other sockets: a plain wake-up would come before.
        if std::pin::pin!(yield_now()).poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Writes what had to wait, as far as the socket takes it.
    fn write(&mut self, context: &mut Context<'_>) -> Option<End> {
        loop {
            let (work, written) = self.connection.outbox.flush(context);
            self.gateway.hub.stats.bytes_out.add(written);
            match work {
                Work::None => return None,
                Work::More => {
                    self.gateway.hub.feed(&self.connection);
                    // The next part in the next turn: others want theirs.
                    context.waker().wake_by_ref();
                    return None;
                }
                Work::Gone => return Some(End::Gone),
                Work::Close(close) => return Some(End::Close(close)),
                Work::Blocked => match self.reader.poll_write_ready(context) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return Some(End::Gone),
                    // What must go before the close frame is waited for later: whoever is to be
                    // closed is no member any more.
                    Poll::Pending => return self.connection.outbox.closing().map(End::Close),
                },
            }
        }
    }

    fn read(&mut self, context: &mut Context<'_>) -> Poll<Option<End>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut room = ReadBuf::new(buffer);
            let read = Pin::new(&mut self.reader).poll_read(context, &mut room);
            let length = room.filled().len();
            if ready!(read).is_err() || length == 0 {
                return Poll::Ready(Some(End::Gone));
            }
            self.connection.heard(self.gateway.hub.now_ms());
            let (end, left) = self.handle(&mut buffer[..length]);
            if left > 0 {
                self.unhandled = Unhandled::new(buffer[length - left..length].to_vec());
            }
            Poll::Ready(end)
        })
    }

    /// Handles what was read, and says how many bytes are left because they are behind a push that
    /// waits for the bus.
    fn handle(&mut self, mut input: &mut [u8]) -> (Option<End>, usize) {
        loop {
            match self.conversation.next(&mut input) {
                Ok(None) => return (None, 0),
                Ok(Some(Event::Message(kind, data))) => {
                    self.connection.count_in();
                    self.gateway.hub.stats.bytes_in.add(data.len());
                    match kind {
                        Kind::Text => self.session.text(&data),
                        Kind::Binary => self.session.binary(&data),
                    }
                    if self.session.is_waiting() {
                        return (None, input.len());
                    }
                }
                Ok(Some(Event::Answer(pong))) => {
                    self.connection.outbox.pong(pong);
                }
                Ok(Some(Event::Close(answer))) => return (Some(End::Asked(answer)), 0),
                Err(violation) => {
                    tracing::debug!(connection = %self.connection.id, %violation, "refused");
                    self.connection.outbox.close(close_for(violation));
                    return (None, 0);
                }
            }
            if self.connection.outbox.closing().is_some() {
                return (None, 0);
            }
        }
    }

    /// Writes all that waits; false when the socket takes no more.
    async fn flushed(&mut self) -> bool {
        poll_fn(|context| {
            loop {
                let (work, written) = self.connection.outbox.flush(context);
                self.gateway.hub.stats.bytes_out.add(written);
                match work {
                    // What more there was to be said is of no use to who goes.
                    Work::None | Work::More | Work::Close(_) => return Poll::Ready(true),
                    Work::Gone => return Poll::Ready(false),
                    Work::Blocked => {
                        if ready!(self.reader.poll_write_ready(context)).is_err() {
                            return Poll::Ready(false);
                        }
                    }
                }
            }
        })
        .await
    }

    /// Reads until the peer has said its last word.
    async fn answered(&mut self) {
        while !self.conversation.is_over() {
            let conversation = &mut self.conversation;
            let more = read_some(&mut self.reader, |mut input| {
                // What is said instead of goodbye has no meaning any more; a violation is an end.
                while let Ok(Some(_)) = conversation.next(&mut input) {}
            });
            if !more.await {
                return;
            }
        }
    }
}

/// Reads until the peer has closed its side.
async fn drained(reader: &mut Reader) {
    while read_some(reader, |_| {}).await {}
}

/// How a socket is closed whose peer has said what no client may say.
fn close_for(violation: Violation) -> Close {
    match violation {
        Violation::NotUtf8 => Close::NotUtf8,
        Violation::TooLarge => Close::TooLarge,
        _ => Close::ProtocolError,
    }
}

/// Waits for the next bytes and hands them over; false when there will be none.
async fn read_some(reader: &mut Reader, mut take: impl FnMut(&mut [u8])) -> bool {
    poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut room = ReadBuf::new(buffer);
            let read = Pin::new(&mut *reader).poll_read(context, &mut room);
            let length = room.filled().len();
            if ready!(read).is_err() || length == 0 {
                return Poll::Ready(false);
            }
            take(&mut buffer[..length]);
            Poll::Ready(true)
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code that a peer is told is the one that the framing has for what it did.
    #[test]
    fn a_violation_has_one_code() {
        for violation in [
            Violation::ReservedBit,
            Violation::ReservedOpcode,
            Violation::NoMask,
            Violation::Length,
            Violation::Control,
            Violation::Fragment,
            Violation::CloseCode,
            Violation::NotUtf8,
            Violation::Compression,
            Violation::TooLarge,
        ] {
            assert_eq!(close_for(violation).code(), violation.code(), "{violation}");
        }
    }

    /// Of many pushes that were read at once and wait one after the other none is copied again.
    #[test]
    fn what_is_unhandled_stays_where_it_lies() {
        let mut unhandled = Unhandled::new((0..100).collect());
        let end = unhandled.rest().as_ptr_range().end;
        for left in (1..100).rev() {
            unhandled = unhandled.keep(left);
            assert_eq!(unhandled.rest().as_ptr_range().end, end);
            assert_eq!(
                (unhandled.rest().len(), unhandled.is_empty()),
                (left, false)
            );
            assert_eq!(usize::from(unhandled.rest()[0]), 100 - left);
        }
        assert!(unhandled.keep(0).is_empty());
    }
}
