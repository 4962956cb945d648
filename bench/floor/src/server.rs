//! The event loop: accept, answer the handshake, write the frames to every socket.

use std::convert::Infallible;
use std::io::{self, ErrorKind, Read as _};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::rc::Rc;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::batch::{Batch, Ready};
use crate::connection::{Connection, Verdict};
use crate::frame::{self, Incoming};
use crate::request::{self, Request};

const LISTENER: Token = Token(usize::MAX);

/// What every frame of a client is answered with: the reply of a Phoenix server, ready made.
const REPLY: &[u8] = br#"["1","1","bench","phx_reply",{"status":"ok","response":{}}]"#;

/// The server.
pub struct Server {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// What is read from whom, one after the other.
    buffer: Box<[u8]>,
    batch: Batch,
    reply: Rc<[u8]>,
}

impl Server {
    /// Listens. Messages that wait are written together, at most `frames_per_call` in one call.
    ///
    /// # Errors
    /// When the address is taken, or the system has no epoll to give.
    pub fn bind(address: SocketAddr, frames_per_call: NonZeroUsize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let mut reply = Vec::new();
        frame::text(REPLY, &mut reply);
        Ok(Self {
            poll,
            listener,
            connections: Vec::new(),
            free: Vec::new(),
            buffer: vec![0; 64 * 1024].into_boxed_slice(),
            batch: Batch::new(frames_per_call),
            reply: reply.into(),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process is ended.
    ///
    /// # Errors
    /// When epoll itself fails; the fault of one socket ends that socket.
    pub fn run(&mut self) -> io::Result<Infallible> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept();
                    continue;
                }
                let index = event.token().0;
                if event.is_readable()
                    && self.readable(index, event.is_read_closed()) == Verdict::Close
                {
                    self.close(index);
                } else if event.is_writable()
                    && let Some(Some(connection)) = self.connections.get_mut(index)
                    && connection.flush() == Verdict::Close
                {
                    self.close(index);
                }
            }
        }
    }

    fn accept(&mut self) {
        // Ends with WouldBlock, or with an error that concerns one client only.
        while let Ok((mut stream, _)) = self.listener.accept() {
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            let ready = stream.set_nodelay(true).and_then(|()| {
                self.poll
                    .registry()
                    .register(&mut stream, Token(index), interest)
            });
            if ready.is_err() {
                self.free.push(index);
                continue;
            }
            self.connections[index] = Some(Connection::new(stream));
        }
    }

    fn close(&mut self, index: usize) {
        if self
            .connections
            .get_mut(index)
            .and_then(Option::take)
            .is_some()
        {
            self.free.push(index);
        }
    }

    /// Reads until the socket is empty. A short read has emptied it; only where the client has
    /// `closed` its side is there an end to be read as well.
    fn readable(&mut self, index: usize, closed: bool) -> Verdict {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else {
                return Verdict::Keep;
            };
            let length = match connection.stream.read(&mut self.buffer) {
                Ok(0) => return Verdict::Close,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Verdict::Close,
            };
            let verdict = if connection.subscribed {
                self.frames(index, length)
            } else {
                connection.request.extend_from_slice(&self.buffer[..length]);
                self.requests(index)
            };
            if verdict == Verdict::Close {
                return Verdict::Close;
            }
            if length < self.buffer.len() && !closed {
                break;
            }
        }
        // Nothing more waits: what has gathered goes out, however little it is.
        match self.batch.take() {
            Some(ready) => self.broadcast(&ready, index),
            None => Verdict::Keep,
        }
    }

    /// Answers the frames of a subscriber, the first `length` bytes of the buffer.
    fn frames(&mut self, index: usize, length: usize) -> Verdict {
        let Some(Some(connection)) = self.connections.get_mut(index) else {
            return Verdict::Keep;
        };
        // Half a frame is rare: whole ones are taken where they were read.
        let mut joined = std::mem::take(&mut connection.request);
        let bytes = if joined.is_empty() {
            &mut self.buffer[..length]
        } else {
            joined.extend_from_slice(&self.buffer[..length]);
            &mut joined[..]
        };
        let mut at = 0;
        loop {
            match frame::take(&mut bytes[at..]) {
                Incoming::Partial => break,
                Incoming::End => return Verdict::Close,
                Incoming::Control { length } => at += length,
                Incoming::Data { length } => {
                    // The payload is not looked at, but it must have been unmasked.
                    std::hint::black_box(&bytes[at..at + length]);
                    at += length;
                    if connection.send(&self.reply) == Verdict::Close {
                        return Verdict::Close;
                    }
                }
            }
        }
        connection.request = bytes[at..].to_vec();
        Verdict::Keep
    }

    /// Carries out the requests that have come whole.
    fn requests(&mut self, index: usize) -> Verdict {
        let Some(Some(connection)) = self.connections.get_mut(index) else {
            return Verdict::Keep;
        };
        let requests = std::mem::take(&mut connection.request);
        let mut at = 0;
        loop {
            match request::parse(&requests[at..]) {
                Request::Partial => break,
                Request::Bad => return Verdict::Close,
                Request::Upgrade { answer } => {
                    let Some(Some(connection)) = self.connections.get_mut(index) else {
                        return Verdict::Keep;
                    };
                    connection.subscribed = true;
                    return connection.send(&answer.into());
                }
                Request::Inject { body, length } => {
                    let ready = self.batch.add(&requests[at..][body]);
                    at += length;
                    if let Some(ready) = ready
                        && self.broadcast(&ready, index) == Verdict::Close
                    {
                        return Verdict::Close;
                    }
                }
            }
        }
        if let Some(Some(connection)) = self.connections.get_mut(index) {
            connection.request = requests[at..].to_vec();
        }
        Verdict::Keep
    }

    /// The whole of what is measured: one write per subscriber. Then `injector` is answered.
    fn broadcast(&mut self, ready: &Ready, injector: usize) -> Verdict {
        for index in 0..self.connections.len() {
            if let Some(connection) = &mut self.connections[index]
                && connection.subscribed
                && connection.send(&ready.frames) == Verdict::Close
            {
                self.close(index);
            }
        }
        match self.connections.get_mut(injector) {
            Some(Some(connection)) => connection.send(&ready.answers),
            _ => Verdict::Keep,
        }
    }
}
