//! One client: connect, shake hands, join, and then take frames.
//!
//! A client holds no read buffer of its own unless half a frame is left over, so that ten
//! thousand of them are small.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::dialect::{self, Reply, Target};
use crate::frame::{self, Frame, Kind};
use crate::nats;

/// Key and answer of the example in RFC 6455, section 1.3: the answer can be checked without
/// computing a digest.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How far a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Handshaking,
    Greeting,
    Joining,
    In,
}

/// Whom the clients talk to.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) target: Target,
    pub(crate) address: SocketAddr,
    /// The join that each of them begins with; without one they are in when they are connected.
    pub(crate) join: Option<Vec<u8>>,
}

/// What is done with the data frames of a client that is in: the payload and when it was read;
/// what is returned goes back at once.
pub(crate) trait Deliver<'a>: FnMut(&[u8], Instant) -> Option<&'a [u8]> {}

impl<'a, F: FnMut(&[u8], Instant) -> Option<&'a [u8]>> Deliver<'a> for F {}

/// One client.
pub(crate) struct Client {
    stream: TcpStream,
    stage: Stage,
    /// Half a frame, or half an answer to the handshake.
    rest: Vec<u8>,
}

impl Client {
    /// Begins to connect.
    pub(crate) fn start(to: &Destination, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut stream = TcpStream::connect(to.address)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            stage: Stage::Connecting,
            rest: Vec::new(),
        })
    }

    /// Whether the client has joined.
    pub(crate) fn is_in(&self) -> bool {
        self.stage == Stage::In
    }

    /// The connection may be there.
    pub(crate) fn writable(&mut self, to: &Destination) -> Result<(), String> {
        if self.stage != Stage::Connecting {
            return Ok(());
        }
        if let Some(error) = self.stream.take_error().map_err(text)? {
            return Err(error.to_string());
        }
        match self.stream.peer_addr() {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
        self.stream.set_nodelay(true).map_err(text)?;
        self.stage = Stage::Handshaking;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n",
            to.target.path(),
            to.address
        );
        self.send(request.as_bytes())
    }

    /// Takes what has come, and hands each data frame of a client that is in to `deliver`.
    pub(crate) fn readable<'a>(
        &mut self,
        to: &Destination,
        buffer: &mut [u8],
        mut deliver: impl Deliver<'a>,
    ) -> Result<(), String> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err("the server closed it without a word".to_owned()),
                Ok(length) => {
                    self.take(to, &buffer[..length], &mut deliver)?;
                    // A short read has emptied the socket: the next one would say WouldBlock.
                    if length < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn take<'a>(
        &mut self,
        to: &Destination,
        new: &[u8],
        deliver: &mut impl Deliver<'a>,
    ) -> Result<(), String> {
        if self.rest.is_empty() && self.stage == Stage::In {
            let taken = self.frames(to, new, deliver)?;
            self.rest.extend_from_slice(&new[taken..]);
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(new);
        let mut taken = 0;
        if self.stage == Stage::Handshaking {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                self.rest = bytes;
                return Ok(());
            };
            taken = end + 4;
            self.shaken(to, &String::from_utf8_lossy(&bytes[..end]))?;
        }
        taken += self.frames(to, &bytes[taken..], deliver)?;
        // A long frame that comes in pieces keeps its buffer until it is whole.
        self.rest = match taken {
            0 => bytes,
            taken => bytes[taken..].to_vec(),
        };
        Ok(())
    }

    /// The answer to the handshake is there.
    fn shaken(&mut self, to: &Destination, head: &str) -> Result<(), String> {
        if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
            return Err(format!(
                "the handshake was answered {:?}",
                head.lines().next()
            ));
        }
        match to.target.greeting() {
            Some(greeting) => {
                self.stage = Stage::Greeting;
                self.send(&greeting)
            }
            None => self.connected(to),
        }
    }

    /// The client may join.
    fn connected(&mut self, to: &Destination) -> Result<(), String> {
        let Some(join) = &to.join else {
            self.stage = Stage::In;
            return Ok(());
        };
        self.stage = Stage::Joining;
        self.send(join)
    }

    /// Takes all whole frames; returns how many bytes they took.
    fn frames<'a>(
        &mut self,
        to: &Destination,
        bytes: &[u8],
        deliver: &mut impl Deliver<'a>,
    ) -> Result<usize, String> {
        let mut taken = 0;
        let now = Instant::now();
        while let Some(Frame {
            kind,
            payload,
            length,
        }) = frame::parse(&bytes[taken..])?
        {
            taken += length;
            match kind {
                Kind::Data if to.target == Target::Nats => {
                    for part in nats::parts(payload) {
                        self.data(to, part, now, deliver)?;
                    }
                }
                Kind::Data => self.data(to, payload, now, deliver)?,
                Kind::Ping => self.send(&frame::masked(10, &payload[..payload.len().min(125)]))?,
                Kind::Pong => {}
                Kind::Close => return Err(format!("the server closed it: {}", reason(payload))),
            }
        }
        Ok(taken)
    }

    /// A message, or a step on the way in.
    fn data<'a>(
        &mut self,
        to: &Destination,
        payload: &[u8],
        now: Instant,
        deliver: &mut impl Deliver<'a>,
    ) -> Result<(), String> {
        if let Some(answer) = to.target.still_here(payload) {
            return self.send(&answer);
        }
        match self.stage {
            Stage::In => match deliver(payload, now) {
                Some(answer) => self.send(answer),
                None => Ok(()),
            },
            Stage::Greeting if to.target.is_welcome(payload) => self.connected(to),
            Stage::Joining => match to.target.reply(payload) {
                Reply::Granted => {
                    self.stage = Stage::In;
                    Ok(())
                }
                Reply::Refused => Err(format!("the join was refused: {}", dialect::shown(payload))),
                Reply::Other => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Clients send so little that the kernel always takes it.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self.stream.write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(_) => Err("the server does not read".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The code and the text of a close frame.
fn reason(payload: &[u8]) -> String {
    match payload {
        [a, b, text @ ..] => {
            format!(
                "{} {}",
                u16::from_be_bytes([*a, *b]),
                String::from_utf8_lossy(text)
            )
        }
        _ => "no code".to_owned(),
    }
}
