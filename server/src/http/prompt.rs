//! A client has to take its answer.
//!
//! Whoever asks for much and reads nothing would keep its place among HTTP connections for ever: the
//! kernel takes what fits, and the rest waits. So each write that waits has a time limit, which begins
//! anew whenever the client takes something. As long as nothing waits there is no timer, and a socket
//! that was upgraded comes out of this as it went in.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Why such a connection ends.
#[derive(Debug, thiserror::Error)]
#[error("the client does not read its answer")]
struct Unread;

/// Whether a connection ended for that.
pub(super) fn was_unread(error: &hyper::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::get_ref)
        .is_some_and(|source| source.is::<Unread>())
}

/// A socket whose writes have to get on.
pub(crate) struct Prompt<S> {
    socket: S,
    patience: Duration,
    /// When it is over, while a write waits.
    over: Option<Pin<Box<Sleep>>>,
}

impl<S> Prompt<S> {
    pub(super) fn new(socket: S, patience: Duration) -> Self {
        Self {
            socket,
            patience,
            over: None,
        }
    }

    /// The socket alone.
    pub(crate) fn into_inner(self) -> S {
        self.socket
    }
}

impl<S: AsFd> Prompt<S> {
    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.over = None;
            return written;
        }
        let patience = self.patience;
        let over = self
            .over
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(over.as_mut().poll(context));
        // What the kernel has taken goes with the connection, or it would keep that for minutes more.
        if let Err(error) = set_socket_linger(&self.socket, Some(Duration::ZERO)) {
            tracing::debug!(%error, "SO_LINGER cannot be set");
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, Unread)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + AsFd + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;

    fn pair(patience: Duration) -> (Prompt<UnixStream>, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Prompt::new(ours, patience), theirs)
    }

    #[tokio::test]
    async fn a_write_that_nobody_reads_ends() {
        let (mut ours, _theirs) = pair(Duration::from_millis(10));
        let error = ours.write_all(&vec![0; 16 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "the client does not read its answer");
    }

    /// Slow, but not stuck: each part that is taken begins the time anew, and it runs for nobody for
    /// whom nothing waits.
    #[tokio::test]
    async fn whoever_takes_something_has_the_whole_time_again() {
        let (mut ours, theirs) = pair(Duration::from_secs(3600));
        assert!(ours.over.is_none());
        ours.socket.writable().await.unwrap();
        let fill = |ours: &mut Prompt<UnixStream>| {
            let bytes = vec![0; 64 << 10];
            let mut context = Context::from_waker(Waker::noop());
            while Pin::new(&mut *ours)
                .poll_write(&mut context, &bytes)
                .is_ready()
            {
                assert!(ours.over.is_none());
            }
            ours.over.as_ref().unwrap().deadline()
        };
        let first = fill(&mut ours);
        let mut part = vec![0; 64 << 10];
        for _ in 0..10_000 {
            // The runtime sees meanwhile that there is something to read, and room again.
            tokio::task::yield_now().await;
            let _ = theirs.try_read(&mut part);
            if fill(&mut ours) > first {
                return;
            }
        }
        panic!("the time did not begin anew");
    }
}
