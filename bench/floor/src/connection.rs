//! One socket: what has come of a request, and what the kernel would not take yet.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write as _};
use std::rc::Rc;

use mio::net::TcpStream;

/// How many writes may wait for one socket; a socket that falls further behind is closed.
const MAX_WAITING: usize = 256;

/// A socket, small while it is idle: neither buffer takes memory before it is used.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) subscribed: bool,
    /// What has come of a request, or half a frame.
    pub(crate) request: Vec<u8>,
    /// What the kernel would not take yet, and how much of the first it took.
    waiting: VecDeque<Rc<[u8]>>,
    written: usize,
}

/// Whether a connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep,
    Close,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            subscribed: false,
            request: Vec::new(),
            waiting: VecDeque::new(),
            written: 0,
        }
    }

    /// Writes at once what the kernel takes; the rest waits.
    pub(crate) fn send(&mut self, bytes: &Rc<[u8]>) -> Verdict {
        if self.waiting.is_empty() {
            match self.stream.write(bytes) {
                Ok(written) if written == bytes.len() => return Verdict::Keep,
                Ok(written) => self.written = written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.written = 0,
                Err(_) => return Verdict::Close,
            }
        }
        if self.waiting.len() == MAX_WAITING {
            return Verdict::Close;
        }
        self.waiting.push_back(Rc::clone(bytes));
        Verdict::Keep
    }

    /// Writes what waits, as far as the kernel takes it.
    pub(crate) fn flush(&mut self) -> Verdict {
        while let Some(bytes) = self.waiting.front() {
            match self.stream.write(&bytes[self.written..]) {
                Ok(written) if self.written + written == bytes.len() => {
                    self.waiting.pop_front();
                    self.written = 0;
                }
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Verdict::Keep,
                Err(_) => return Verdict::Close,
            }
        }
        self.waiting = VecDeque::new();
        Verdict::Keep
    }
}
