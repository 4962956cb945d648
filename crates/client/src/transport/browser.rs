//! gloo-net's WebSocket. The browser reads on its own and hands over what it has; what it has not
//! sent yet is bounded here by asking how much that is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::{Sink, Stream};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use gloo_timers::future::TimeoutFuture;
use tidegate_protocol::Encoded;

use super::{Incoming, close_words};
use crate::config::Config;
use crate::driver::Driver;
use crate::shared::Shared;

/// Above this many bytes that the browser has not sent, frames wait here, where they are counted.
const MAX_UNSENT_BYTES: u32 = 1 << 20;

/// How often to ask whether the browser has sent them, in milliseconds.
const UNSENT_POLL_MS: u64 = 50;

pub(crate) type Connect = Pin<Box<dyn Future<Output = Result<Socket, String>>>>;
pub(crate) type Sleep = TimeoutFuture;

pub(crate) struct Socket {
    socket: WebSocket,
    unsent: Option<Sleep>,
}

pub(crate) fn drive(shared: Arc<Shared>) -> Result<(), &'static str> {
    wasm_bindgen_futures::spawn_local(Driver::new(shared));
    Ok(())
}

pub(crate) fn connect(config: &Config) -> Connect {
    let address = config.address();
    Box::pin(async move {
        let mut socket = WebSocket::open(&address).map_err(|error| error.to_string())?;
        // Ready means: not connecting any more, however that went.
        let opened = std::future::poll_fn(|cx| Pin::new(&mut socket).poll_ready(cx)).await;
        match (opened, socket.state()) {
            (Ok(()), State::Open) => Ok(Socket {
                socket,
                unsent: None,
            }),
            // Browsers do not tell pages why; whatever it was, it is one of these.
            _ => Err("the gateway cannot be reached, or refused the connection".to_owned()),
        }
    })
}

pub(crate) fn sleep(ms: u64) -> Sleep {
    TimeoutFuture::new(u32::try_from(ms).unwrap_or(u32::MAX).min(i32::MAX as u32))
}

/// `performance.now()`, which does not jump when the clock is set; workers without a window fall
/// back on the wall clock.
pub(crate) fn now_ms() -> u64 {
    let performance = web_sys::window().and_then(|window| window.performance());
    performance.map_or_else(wall_ms, |performance| performance.now() as u64)
}

pub(crate) fn wall_ms() -> u64 {
    js_sys::Date::now() as u64
}

pub(crate) fn seed() -> u64 {
    js_sys::Math::random().to_bits()
}

impl Stream for Socket {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        loop {
            let incoming = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Ok(Message::Text(text))) => Incoming::Frame(Encoded::Text(Bytes::from(text))),
                Some(Ok(Message::Bytes(bytes))) => {
                    Incoming::Frame(Encoded::Binary(Bytes::from(bytes)))
                }
                Some(Err(WebSocketError::ConnectionClose(close))) => {
                    Incoming::Closed(close_words(close.code, &close.reason))
                }
                // The close event that follows says more.
                Some(Err(WebSocketError::ConnectionError)) => continue,
                Some(Err(error)) => Incoming::Closed(error.to_string()),
            };
            return Poll::Ready(Some(incoming));
        }
    }
}

impl Sink<Encoded> for Socket {
    type Error = String;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        while self.socket.buffered_amount() > MAX_UNSENT_BYTES {
            let unsent = self.unsent.get_or_insert_with(|| sleep(UNSENT_POLL_MS));
            ready!(Pin::new(unsent).poll(cx));
            self.unsent = None;
        }
        Pin::new(&mut self.socket)
            .poll_ready(cx)
            .map_err(|error| error.to_string())
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Encoded) -> Result<(), String> {
        let message = match frame {
            Encoded::Text(text) => Message::Text(
                String::from_utf8(text.into())
                    .map_err(|_| "a text frame must be UTF-8".to_owned())?,
            ),
            Encoded::Binary(bytes) => Message::Bytes(bytes.into()),
        };
        Pin::new(&mut self.socket)
            .start_send(message)
            .map_err(|error| error.to_string())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        // Dropping the socket closes it.
        Poll::Ready(Ok(()))
    }
}
