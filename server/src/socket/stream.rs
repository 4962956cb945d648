//! The bare socket under a connection: TCP, or a Unix socket of the machine.

use std::hint::black_box;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use rustix::net::{Shutdown, shutdown};
use tidegate_hub::Wire;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

use crate::http::Prompt;

/// A socket that was upgraded.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// The socket under an upgraded connection, and what was read from it beyond the handshake.
    pub(super) fn under(upgraded: Upgraded) -> Option<(Self, Vec<u8>)> {
        match upgraded.downcast::<TokioIo<Prompt<TcpStream>>>() {
            Ok(Parts { io, read_buf, .. }) => {
                let socket = io.into_inner().into_inner();
                Some((Self::Tcp(socket), read_buf.to_vec()))
            }
            Err(upgraded) => {
                let unix = upgraded.downcast::<TokioIo<Prompt<UnixStream>>>();
                let Parts { io, read_buf, .. } = unix.ok()?;
                let socket = io.into_inner().into_inner();
                Some((Self::Unix(socket), read_buf.to_vec()))
            }
        }
    }

    /// Its two halves: one for the connection's task, one for whoever has a frame for it.
    pub(super) fn split(self) -> (Reader, Box<dyn Wire>) {
        match self {
            Self::Tcp(socket) => {
                let (reader, writer) = socket.into_split();
                (Reader::Tcp(reader), Box::new(TcpWire(writer)))
            }
            Self::Unix(socket) => {
                let (reader, writer) = socket.into_split();
                (Reader::Unix(reader), Box::new(UnixWire(writer)))
            }
        }
    }
}

/// The half that is read; it can also wait for room and write what is said last.
pub(super) enum Reader {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
}

impl Reader {
    /// Whether the socket takes more.
    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => half.as_ref().poll_write_ready(context),
            Self::Unix(half) => half.as_ref().poll_write_ready(context),
        }
    }

    /// Hands over what the kernel takes at once.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.as_ref().try_write(bytes),
            Self::Unix(half) => half.as_ref().try_write(bytes),
        }
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_read(context, buffer),
            Self::Unix(half) => Pin::new(half).poll_read(context, buffer),
        }
    }
}

/// The writing half, each kind by itself: who sends to ten thousand asks none of them what it is.
struct TcpWire(tcp::OwnedWriteHalf);
struct UnixWire(unix::OwnedWriteHalf);

macro_rules! wire {
    ($half:ty) => {
        impl Wire for $half {
            fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
                self.0.try_write(bytes)
            }

            fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
                self.0.try_write_vectored(slices)
            }

            fn shut(&self) {
                // The peer may have gone, and it may have been said before.
                let _ = shutdown(self.0.as_ref(), Shutdown::Write);
            }

            fn warm(&self) {
                black_box(self.0.as_ref().as_raw_fd());
            }
        }
    };
}

wire!(TcpWire);
wire!(UnixWire);
