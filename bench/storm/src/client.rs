//! A Phoenix client in plain bytes: it can be as good or as bad as a trial wants it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::error::StormError;
use crate::frame::{self, Incoming, TEXT};

/// Key and answer of the example in RFC 6455, section 1.3: the answer can be checked without
/// computing a digest.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How long a good client waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a client says to be let in.
pub(crate) fn handshake(address: SocketAddr) -> String {
    format!(
        "GET /websocket?vsn=2.0.0 HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
}

/// What keeps a connection from being taken for dead.
pub(crate) const HEARTBEAT: &str = r#"[null,"h","phoenix","heartbeat",{}]"#;

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    rest: BytesMut,
}

impl Client {
    /// Connects and shakes hands.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, StormError> {
        Self::connect_within(address, PATIENCE).await
    }

    /// The same with a patience of its own.
    pub(crate) async fn connect_within(
        address: SocketAddr,
        patience: Duration,
    ) -> Result<Self, StormError> {
        let connecting = async {
            let stream = TcpStream::connect(address)
                .await
                .map_err(|error| StormError::Handshake(error.to_string()))?;
            Self::shake(stream, address).await
        };
        within(patience, "a handshake", connecting).await
    }

    /// A client for which the kernel keeps little, so that not reading is soon felt.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Result<Self, StormError> {
        let connecting = async {
            let refused = |error: std::io::Error| StormError::Handshake(error.to_string());
            let socket = TcpSocket::new_v4().map_err(refused)?;
            socket.set_recv_buffer_size(16 * 1024).map_err(refused)?;
            let stream = socket.connect(address).await.map_err(refused)?;
            Self::shake(stream, address).await
        };
        within(PATIENCE, "a handshake", connecting).await
    }

    async fn shake(mut stream: TcpStream, address: SocketAddr) -> Result<Self, StormError> {
        let refused = |error: std::io::Error| StormError::Handshake(error.to_string());
        stream.set_nodelay(true).map_err(refused)?;
        stream
            .write_all(handshake(address).as_bytes())
            .await
            .map_err(refused)?;
        let mut rest = BytesMut::with_capacity(4096);
        let end = loop {
            if stream.read_buf(&mut rest).await.map_err(refused)? == 0 {
                return Err(StormError::Handshake("it was hung up".to_owned()));
            }
            if let Some(end) = memchr::memmem::find(&rest, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = rest.split_to(end);
        let head = String::from_utf8_lossy(&head);
        if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
            let first = head.lines().next().unwrap_or_default();
            return Err(StormError::Handshake(first.to_owned()));
        }
        Ok(Self { stream, rest })
    }

    /// Sends bytes below the WebSocket layer.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), StormError> {
        within(PATIENCE, "room to write", async {
            let written = self.stream.write_all(bytes).await;
            written.map_err(|error| StormError::Lost(error.to_string()))
        })
        .await
    }

    /// Sends a text message.
    pub(crate) async fn send(&mut self, text: &str) -> Result<(), StormError> {
        self.send_raw(&frame::masked(TEXT, text.as_bytes())).await
    }

    /// The next frame, whatever it is, without end of patience.
    pub(crate) async fn next(&mut self) -> Result<Incoming, StormError> {
        loop {
            if let Some(incoming) = frame::take(&mut self.rest)? {
                return Ok(incoming);
            }
            self.rest.reserve(16 * 1024);
            match self.stream.read_buf(&mut self.rest).await {
                Ok(0) => return Err(StormError::Lost("closed without a word".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(StormError::Lost(error.to_string())),
            }
        }
    }

    /// The next message; a close frame is an error that says its code and reason.
    pub(crate) async fn message(&mut self) -> Result<Bytes, StormError> {
        loop {
            match self.next().await? {
                Incoming::Data(data) => return Ok(data),
                Incoming::Close(code, reason) => {
                    return Err(StormError::Lost(format!("{code} {reason}")));
                }
                Incoming::Ping(data) => {
                    let pong = frame::masked(frame::PONG, &data[..data.len().min(125)]);
                    self.send_raw(&pong).await?;
                }
                Incoming::Pong => {}
            }
        }
    }

    /// Sends a frame of Phoenix V2 and waits for the reply with this ref; other messages that
    /// come meanwhile are skipped. Gives the reply's payload.
    pub(crate) async fn ask(&mut self, reference: &str, frame: &str) -> Result<Value, StormError> {
        self.send(frame).await?;
        within(PATIENCE, "a reply", async {
            loop {
                let message = self.message().await?;
                if let Some(reply) = reply(&message, reference) {
                    return Ok(reply);
                }
            }
        })
        .await
    }

    /// Joins a topic under the join_ref `1`.
    pub(crate) async fn join(&mut self, topic: &str) -> Result<(), StormError> {
        let reply = self
            .ask("1", &format!(r#"["1","1","{topic}","phx_join",{{}}]"#))
            .await?;
        if reply["status"] == "ok" {
            Ok(())
        } else {
            Err(StormError::Handshake(reply.to_string()))
        }
    }

    /// Pushes to a topic joined by [`Client::join`]; gives the reply.
    pub(crate) async fn push(
        &mut self,
        reference: &str,
        topic: &str,
        payload: &str,
    ) -> Result<Value, StormError> {
        let frame = format!(r#"["1","{reference}","{topic}","tick",{payload}]"#);
        self.ask(reference, &frame).await
    }

    /// A heartbeat and its answer.
    pub(crate) async fn heartbeat(&mut self) -> Result<(), StormError> {
        self.ask("h", HEARTBEAT).await.map(drop)
    }

    /// How the server ends it: the code and the reason, or how it broke.
    pub(crate) async fn ended(&mut self, patience: Duration) -> String {
        let ending = async {
            loop {
                match self.next().await {
                    Ok(Incoming::Close(code, reason)) => return format!("{code} {reason}"),
                    Ok(_) => {}
                    Err(error) => return error.to_string(),
                }
            }
        };
        timeout(patience, ending)
            .await
            .unwrap_or_else(|_| "still open".to_owned())
    }

    /// Vanishes without a word: the peer gets a reset.
    pub(crate) fn reset(self) {
        // Where it cannot be asked for, an ordinary end is as good.
        let _ = self.stream.set_zero_linger();
    }

    /// Both halves of the connection, for a client that writes and reads at once.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// The payload of a reply with this ref.
pub(crate) fn reply(message: &[u8], reference: &str) -> Option<Value> {
    // Most messages are none; they are not parsed.
    memchr::memmem::find(&message[..message.len().min(400)], b"\"phx_reply\"")?;
    let frame: Value = serde_json::from_slice(message).ok()?;
    (frame[1] == *reference && frame[3] == "phx_reply").then(|| frame[4].clone())
}

/// Something that must be done in time.
pub(crate) async fn within<T>(
    patience: Duration,
    what: &str,
    doing: impl Future<Output = Result<T, StormError>>,
) -> Result<T, StormError> {
    timeout(patience, doing).await.unwrap_or_else(|_| {
        Err(StormError::Late {
            what: what.to_owned(),
            seconds: patience.as_secs(),
        })
    })
}
