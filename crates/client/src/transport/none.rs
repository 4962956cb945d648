//! No transport: rendering a page on the server compiles the code that uses a client and never
//! runs it. Every client is closed from the start.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{Sink, Stream};
use tidegate_protocol::Encoded;

use super::Incoming;
use crate::config::Config;
use crate::shared::Shared;

/// There is none.
pub(crate) struct Socket(Infallible);
pub(crate) type Connect = std::future::Pending<Result<Socket, String>>;
pub(crate) type Sleep = std::future::Pending<()>;

pub(crate) fn drive(_shared: Arc<Shared>) -> Result<(), &'static str> {
    // Named so that the driver is compiled, and checked, in every build.
    let _: fn(Arc<Shared>) -> crate::driver::Driver = crate::driver::Driver::new;
    Err("this build of the client has no transport")
}

pub(crate) fn connect(_config: &Config) -> Connect {
    std::future::pending()
}

pub(crate) fn sleep(_ms: u64) -> Sleep {
    std::future::pending()
}

pub(crate) fn now_ms() -> u64 {
    0
}

pub(crate) fn wall_ms() -> u64 {
    0
}

pub(crate) fn seed() -> u64 {
    1
}

impl Stream for Socket {
    type Item = Incoming;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Incoming>> {
        match self.0 {}
    }
}

impl Sink<Encoded> for Socket {
    type Error = String;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        match self.0 {}
    }

    fn start_send(self: Pin<&mut Self>, _: Encoded) -> Result<(), String> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        match self.0 {}
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        match self.0 {}
    }
}
