//! One open socket: reading and writing, side by side in one task.
//!
//! Neither waits for the other. What is read goes through the [`Session`]; what is written comes
//! from the connection's outbox. Whoever finds that the socket must end says so through the
//! outbox, so that every end has a code and a reason.

use std::error::Error as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{FutureExt, SinkExt, StreamExt};
use tidegate_hub::{Batch, Connection};
use tidegate_protocol::{Close, Encoded};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

use super::session::Session;
use crate::gateway::Gateway;

/// About how many bytes are handed to the socket before it is flushed.
const BATCH_BYTES: usize = 64 * 1024;
/// How long a write may take once the socket is to be closed, and how long the peer has to
/// answer the close frame.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// Runs the socket to its end.
pub(crate) async fn run(
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    token: Option<String>,
    socket: WebSocket,
) {
    let (sink, mut stream) = socket.split();
    let mut session = Session::new(gateway.clone(), connection.clone(), token);
    let mut writing = std::pin::pin!(write(&gateway, &connection, sink));
    let reading = AssertUnwindSafe(read(&gateway, &connection, &mut session, &mut stream));
    let closed = tokio::select! {
        // A fault of ours while a frame is handled ends this connection and no other.
        end = reading.catch_unwind() => match end.unwrap_or(End::Close(Close::InternalError)) {
            End::Gone => None,
            End::Close(close) => {
                connection.outbox.close(close);
                writing.await
            }
        },
        closed = &mut writing => closed,
    };
    // The members go before the closing handshake: nobody waits for a slow goodbye.
    gateway
        .lifecycle
        .tell(gateway.hub.disconnect(&connection))
        .await;
    if closed.is_some() {
        let goodbye = async { while let Some(Ok(_)) = stream.next().await {} };
        // Whether the peer answered makes no difference any more.
        let _ = timeout(CLOSE_GRACE, goodbye).await;
    }
    tracing::debug!(connection = connection.id, ?closed, "closed");
}

/// Ends a socket for which there is no room.
pub(crate) async fn turn_away(mut socket: WebSocket) {
    let frame = CloseFrame {
        code: 1013,
        reason: Utf8Bytes::from_static("too many connections"),
    };
    // The peer may have gone already.
    let _ = timeout(CLOSE_GRACE, socket.send(Message::Close(Some(frame)))).await;
}

enum End {
    /// The peer has gone; there is nobody to tell.
    Gone,
    /// The socket is to be closed so.
    Close(Close),
}

async fn read(
    gateway: &Gateway,
    connection: &Connection,
    session: &mut Session,
    stream: &mut SplitStream<WebSocket>,
) -> End {
    loop {
        let Ok(message) = timeout(gateway.config.idle, stream.next()).await else {
            return End::Close(Close::Idle);
        };
        let message = match message {
            None => return End::Gone,
            Some(Err(error)) => return read_error(&error),
            Some(Ok(message)) => message,
        };
        match message {
            Message::Text(text) => {
                connection.count_in();
                gateway.hub.stats.bytes_in.add(text.len());
                session.text(Bytes::from(text)).await;
            }
            Message::Binary(data) => {
                connection.count_in();
                gateway.hub.stats.bytes_in.add(data.len());
                session.binary(data).await;
            }
            // The library answers pings, and the answer to a close.
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return End::Gone,
        }
    }
}

fn read_error(error: &axum::Error) -> End {
    match error
        .source()
        .and_then(|source| source.downcast_ref::<tungstenite::Error>())
    {
        Some(tungstenite::Error::Capacity(_)) => End::Close(Close::TooLarge),
        Some(tungstenite::Error::Utf8(_)) => End::Close(Close::NotUtf8),
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => End::Gone,
        Some(tungstenite::Error::Protocol(_)) => End::Close(Close::ProtocolError),
        _ => End::Gone,
    }
}

/// Writes until the outbox says that the socket ends, and how it did; `None` when it broke.
async fn write(
    gateway: &Gateway,
    connection: &Connection,
    mut sink: SplitSink<WebSocket, Message>,
) -> Option<Close> {
    let mut frames = Vec::new();
    loop {
        match connection.outbox.take(&mut frames, BATCH_BYTES) {
            Batch::Empty => {
                if frames.capacity() > 64 {
                    frames = Vec::new();
                }
                connection.outbox.wait().await;
            }
            Batch::Frames => {
                let (count, bytes) = (frames.len(), frames.iter().map(Encoded::len).sum());
                let writing = async {
                    for frame in frames.drain(..) {
                        sink.feed(message(frame)).await?;
                    }
                    sink.flush().await
                };
                let stalled = async {
                    connection.outbox.ended().await;
                    tokio::time::sleep(CLOSE_GRACE).await;
                };
                tokio::select! {
                    written = writing => written.ok()?,
                    () = stalled => return None,
                }
                connection.count_out(count);
                gateway.hub.stats.bytes_out.add(bytes);
            }
            Batch::Close(close) => {
                let said = timeout(CLOSE_GRACE, sink.send(close_message(close))).await;
                return matches!(said, Ok(Ok(()))).then_some(close);
            }
        }
    }
}

fn close_message(close: Close) -> Message {
    let reason = Utf8Bytes::from_static(close.reason());
    Message::Close(Some(CloseFrame {
        code: close.code(),
        reason,
    }))
}

fn message(frame: Encoded) -> Message {
    match frame {
        // Codecs write UTF-8; were it otherwise, a binary frame is the honest form.
        Encoded::Text(text) => match Utf8Bytes::try_from(text.clone()) {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Binary(text),
        },
        Encoded::Binary(data) => Message::Binary(data),
    }
}
