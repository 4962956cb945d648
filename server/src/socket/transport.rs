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
/// The same for a slow consumer. It is told why only when it reads again, so it is given time to;
/// all that is kept for it meanwhile is the rest of one frame.
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
    /// What was read while a push waits for the bus.
    unhandled: Vec<u8>,
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
        unhandled: early,
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
        driver.answered().await;
        // A socket that is closed with something unread in it is reset, and what the peer has not
        // read yet is lost: the close frame. So the end is announced first, and the rest is read
        // (RFC 6455, section 7.1.1).
        driver.connection.outbox.detach();
        driver.drained().await;
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
    // The peer may have gone already.
    let (reader, writer) = socket.split();
    let _ = timeout(CLOSE_GRACE, say(&reader, &frame)).await;
    drop(writer);
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
                Poll::Ready(self.handle(&mut unhandled))
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
            Poll::Ready(self.handle(&mut buffer[..length]))
        })
    }

    /// Handles what was read; what comes behind a push that waits for the bus is kept.
    fn handle(&mut self, mut input: &mut [u8]) -> Option<End> {
        loop {
            match self.conversation.next(&mut input) {
                Ok(None) => return None,
                Ok(Some(Event::Message(kind, data))) => {
                    self.connection.count_in();
                    self.gateway.hub.stats.bytes_in.add(data.len());
                    match kind {
                        Kind::Text => self.session.text(&data),
                        Kind::Binary => self.session.binary(&data),
                    }
                    if self.session.is_waiting() {
                        self.unhandled.extend_from_slice(input);
                        return None;
                    }
                }
                Ok(Some(Event::Answer(pong))) => {
                    let written = self.connection.outbox.pong(pong);
                    self.gateway.hub.stats.bytes_out.add(written);
                }
                Ok(Some(Event::Close(answer))) => return Some(End::Asked(answer)),
                Err(violation) => {
                    tracing::debug!(connection = %self.connection.id, %violation, "refused");
                    self.connection.outbox.close(match violation {
                        Violation::NotUtf8 => Close::NotUtf8,
                        Violation::TooLarge => Close::TooLarge,
                        _ => Close::ProtocolError,
                    });
                    return None;
                }
            }
            if self.connection.outbox.closing().is_some() {
                return None;
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
                    Work::None | Work::Close(_) => return Poll::Ready(true),
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

    /// Reads until the peer has closed its side.
    async fn drained(&mut self) {
        while read_some(&mut self.reader, |_| {}).await {}
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
