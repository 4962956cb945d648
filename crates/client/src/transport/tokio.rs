//! tokio-tungstenite. Plain `ws://` only: a gateway behind TLS is reached through its proxy.

use std::hash::{BuildHasher, Hasher};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::{Sink, Stream};
use tidegate_protocol::Encoded;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Incoming, close_words};
use crate::config::Config;
use crate::driver::Driver;
use crate::shared::Shared;

pub(crate) type Connect = Pin<Box<dyn Future<Output = Result<Socket, String>> + Send>>;
pub(crate) type Sleep = Pin<Box<tokio::time::Sleep>>;

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

pub(crate) fn drive(shared: Arc<Shared>) -> Result<(), &'static str> {
    let runtime = tokio::runtime::Handle::try_current()
        .map_err(|_| "a client must be connected inside a tokio runtime")?;
    runtime.spawn(Driver::new(shared));
    Ok(())
}

pub(crate) fn connect(config: &Config) -> Connect {
    let address = config.address();
    let websocket = WebSocketConfig::default()
        .read_buffer_size(config.read_buffer_bytes)
        // Each frame goes to the kernel when it is flushed; nothing is kept back.
        .write_buffer_size(0)
        .max_write_buffer_size(config.outgoing_bytes.max(1))
        .max_message_size(Some(config.max_frame_bytes))
        .max_frame_size(Some(config.max_frame_bytes));
    Box::pin(async move {
        tokio_tungstenite::connect_async_with_config(address, Some(websocket), true)
            .await
            .map(|(socket, _)| Socket(socket))
            .map_err(|error| words(&error))
    })
}

pub(crate) fn sleep(ms: u64) -> Sleep {
    Box::pin(tokio::time::sleep(Duration::from_millis(ms)))
}

pub(crate) fn now_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let start = *START;
    millis(Instant::now().saturating_duration_since(start))
}

pub(crate) fn wall_ms() -> u64 {
    millis(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The standard library's hash maps are seeded by chance; so are the delays.
pub(crate) fn seed() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

fn words(error: &Error) -> String {
    match error {
        Error::Http(response) => {
            format!(
                "the gateway refused the connection: HTTP {}",
                response.status()
            )
        }
        Error::ConnectionClosed | Error::AlreadyClosed => {
            "the connection to the gateway was lost".to_owned()
        }
        other => format!("the gateway cannot be reached: {other}"),
    }
}

impl Stream for Socket {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        loop {
            let Poll::Ready(next) = Pin::new(&mut self.0).poll_next(cx) else {
                return Poll::Pending;
            };
            let incoming = match next {
                None => return Poll::Ready(None),
                Some(Ok(Message::Text(text))) => Incoming::Frame(Encoded::Text(Bytes::from(text))),
                Some(Ok(Message::Binary(bytes))) => Incoming::Frame(Encoded::Binary(bytes)),
                Some(Ok(Message::Close(Some(close)))) => {
                    Incoming::Closed(close_words(close.code.into(), close.reason.as_str()))
                }
                Some(Ok(Message::Close(None))) => Incoming::Closed(close_words(1005, "")),
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => Incoming::Closed(words(&error)),
            };
            return Poll::Ready(Some(incoming));
        }
    }
}

impl Sink<Encoded> for Socket {
    type Error = String;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        Pin::new(&mut self.0)
            .poll_ready(cx)
            .map_err(|error| words(&error))
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Encoded) -> Result<(), String> {
        let message = match frame {
            Encoded::Text(text) => Message::Text(
                Utf8Bytes::try_from(text).map_err(|_| "a text frame must be UTF-8".to_owned())?,
            ),
            Encoded::Binary(bytes) => Message::Binary(bytes),
        };
        Pin::new(&mut self.0)
            .start_send(message)
            .map_err(|error| words(&error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        Pin::new(&mut self.0)
            .poll_flush(cx)
            .map_err(|error| words(&error))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        Pin::new(&mut self.0)
            .poll_close(cx)
            .map_err(|error| words(&error))
    }
}
