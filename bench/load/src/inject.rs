//! How a message goes in: `PUBLISH` on the gateway's bus, `PUB` to NATS, `POST /inject` to others.
//!
//! Whichever way, the clients get the same payload.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;

use memchr::memmem;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::dialect::Target;
use crate::error::LoadError;
use crate::nats;

/// Bytes that may wait for a target that does not take them.
const MAX_WAITING: usize = 16 << 20;

/// The event of every message.
const EVENT: &str = "message";

/// The connection on which messages go in.
pub(crate) struct Injector {
    stream: TcpStream,
    target: Target,
    topic: String,
    waiting: Vec<u8>,
    /// The beginning of an answer whose end has not come.
    answers: Vec<u8>,
}

impl Injector {
    /// Connects.
    pub(crate) fn connect(
        target: Target,
        address: SocketAddr,
        topic: &str,
        registry: &Registry,
        token: Token,
    ) -> Result<Self, LoadError> {
        let connect = || {
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        };
        let stream = connect().map_err(|error: std::io::Error| {
            LoadError::Inject(format!("no connection to {address}: {error}"))
        })?;
        let topic = topic.to_owned();
        let waiting = match target {
            Target::Nats => nats::QUIET.into(),
            _ => Vec::new(),
        };
        Ok(Self {
            stream,
            target,
            topic,
            waiting,
            answers: Vec::new(),
        })
    }

    /// Adds a message to what the next [`Injector::flush`] puts in.
    pub(crate) fn add(&mut self, payload: &str) -> Result<(), LoadError> {
        let request = match self.target {
            Target::Gateway => {
                let name = format!("to:{}:{EVENT}", self.topic);
                let (names, bytes) = (name.len(), payload.len());
                format!("*3\r\n$7\r\nPUBLISH\r\n${names}\r\n{name}\r\n${bytes}\r\n{payload}\r\n")
            }
            Target::Nats => nats::publish(&self.topic, payload),
            Target::Floor | Target::Ws | Target::SocketIo => {
                let frame = format!(r#"[null,null,"{}","{EVENT}",{payload}]"#, self.topic);
                let bytes = frame.len();
                format!(
                    "POST /inject HTTP/1.1\r\nHost: bench\r\nContent-Length: {bytes}\r\n\r\n{frame}"
                )
            }
        };
        if self.waiting.len() + request.len() > MAX_WAITING {
            return Err(LoadError::Inject(
                "the target takes them too slowly".to_owned(),
            ));
        }
        self.waiting.extend_from_slice(request.as_bytes());
        Ok(())
    }

    /// Something happened on the connection: write on, and look at the answers.
    pub(crate) fn ready(&mut self) -> Result<(), LoadError> {
        self.flush()?;
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(LoadError::Inject("the target hung up".to_owned())),
                Ok(length) => self.check(&buffer[..length])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(LoadError::Inject(error.to_string())),
            }
        }
    }

    /// Puts in what was added, in one call as far as the kernel takes it.
    pub(crate) fn flush(&mut self) -> Result<(), LoadError> {
        while !self.waiting.is_empty() {
            match self.stream.write(&self.waiting) {
                Ok(written) => {
                    self.waiting.drain(..written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(LoadError::Inject(error.to_string())),
            }
        }
        Ok(())
    }

    /// Every line of an answer is a number of receivers, part of a 204, or what NATS says of itself.
    fn check(&mut self, answer: &[u8]) -> Result<(), LoadError> {
        self.answers.extend_from_slice(answer);
        let (mut at, mut asked) = (0, false);
        while let Some(length) = memmem::find(&self.answers[at..], b"\r\n") {
            let line = &self.answers[at..at + length];
            let fine = match self.target {
                Target::Gateway => line.starts_with(b":"),
                Target::Nats => !line.starts_with(b"-ERR"),
                Target::Floor | Target::Ws | Target::SocketIo => {
                    !line.starts_with(b"HTTP/1.1 ") || line.starts_with(b"HTTP/1.1 204 ")
                }
            };
            if !fine {
                return Err(LoadError::Inject(
                    String::from_utf8_lossy(line).into_owned(),
                ));
            }
            asked |= self.target == Target::Nats && line == nats::PING;
            at += length + 2;
        }
        self.answers.drain(..at);
        if asked {
            self.waiting.extend_from_slice(nats::PONG.as_bytes());
            self.flush()?;
        }
        Ok(())
    }
}
