//! The event loop: accept, answer the handshake, write the frame to every socket.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::rc::Rc;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::frame;
use crate::request::{self, Request};

const LISTENER: Token = Token(usize::MAX);

/// How many frames may wait for one socket; a socket that falls further behind is closed.
const MAX_WAITING: usize = 256;

/// A socket, small while it is idle: neither buffer takes memory before it is used.
struct Connection {
    stream: TcpStream,
    subscribed: bool,
    /// What has come of a request.
    request: Vec<u8>,
    /// Frames that the kernel would not take yet, and how much of the first it took.
    waiting: VecDeque<Rc<[u8]>>,
    written: usize,
}

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Verdict {
    Keep,
    Close,
}

/// The server.
pub struct Server {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// What is read from whom, one after the other.
    buffer: Box<[u8]>,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// When the address is taken, or the system has no epoll to give.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let buffer = vec![0; 64 * 1024].into_boxed_slice();
        Ok(Self {
            poll,
            listener,
            connections: Vec::new(),
            free: Vec::new(),
            buffer,
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
                if event.is_readable() && self.readable(index) == Verdict::Close {
                    self.close(index);
                } else if event.is_writable()
                    && let Some(Some(connection)) = self.connections.get_mut(index)
                    && flush(connection) == Verdict::Close
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
            self.connections[index] = Some(Connection {
                stream,
                subscribed: false,
                request: Vec::new(),
                waiting: VecDeque::new(),
                written: 0,
            });
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

    fn readable(&mut self, index: usize) -> Verdict {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else {
                return Verdict::Keep;
            };
            match connection.stream.read(&mut self.buffer) {
                Ok(0) => return Verdict::Close,
                // What a subscriber says is of no interest.
                Ok(_) if connection.subscribed => {}
                Ok(length) => {
                    connection.request.extend_from_slice(&self.buffer[..length]);
                    if self.requests(index) == Verdict::Close {
                        return Verdict::Close;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Verdict::Keep,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Verdict::Close,
            }
        }
    }

    /// Answers the requests that have come whole.
    fn requests(&mut self, index: usize) -> Verdict {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else {
                return Verdict::Keep;
            };
            match request::parse(&connection.request) {
                Request::Partial => return Verdict::Keep,
                Request::Bad => return Verdict::Close,
                Request::Upgrade { answer } => {
                    connection.subscribed = true;
                    connection.request = Vec::new();
                    return send(connection, &answer.into());
                }
                Request::Inject { body, length } => {
                    connection.request.drain(..length);
                    let answer: Rc<[u8]> = (*b"HTTP/1.1 204 No Content\r\n\r\n").into();
                    self.broadcast(&frame::text(&body).into());
                    let Some(Some(connection)) = self.connections.get_mut(index) else {
                        return Verdict::Keep;
                    };
                    if send(connection, &answer) == Verdict::Close {
                        return Verdict::Close;
                    }
                }
            }
        }
    }

    /// The whole of what is measured.
    fn broadcast(&mut self, frame: &Rc<[u8]>) {
        for index in 0..self.connections.len() {
            if let Some(connection) = &mut self.connections[index]
                && connection.subscribed
                && send(connection, frame) == Verdict::Close
            {
                self.close(index);
            }
        }
    }
}

/// Writes at once what the kernel takes; the rest waits.
fn send(connection: &mut Connection, bytes: &Rc<[u8]>) -> Verdict {
    if connection.waiting.is_empty() {
        match connection.stream.write(bytes) {
            Ok(written) if written == bytes.len() => return Verdict::Keep,
            Ok(written) => connection.written = written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => connection.written = 0,
            Err(_) => return Verdict::Close,
        }
    }
    if connection.waiting.len() == MAX_WAITING {
        return Verdict::Close;
    }
    connection.waiting.push_back(Rc::clone(bytes));
    Verdict::Keep
}

/// Writes what waits, as far as the kernel takes it.
fn flush(connection: &mut Connection) -> Verdict {
    while let Some(bytes) = connection.waiting.front() {
        match connection.stream.write(&bytes[connection.written..]) {
            Ok(written) if connection.written + written == bytes.len() => {
                connection.waiting.pop_front();
                connection.written = 0;
            }
            Ok(written) => connection.written += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Verdict::Keep,
            Err(_) => return Verdict::Close,
        }
    }
    connection.waiting = VecDeque::new();
    Verdict::Keep
}
