//! A Redis client: it publishes on the gateway's own bus or on a real Redis, and asks the latter.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::client::within;
use crate::error::StormError;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection.
pub(crate) struct Resp {
    stream: BufReader<TcpStream>,
}

impl Resp {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, StormError> {
        within(PATIENCE, "the bus", async {
            let stream = TcpStream::connect(address).await.map_err(broken)?;
            stream.set_nodelay(true).map_err(broken)?;
            Ok(Self {
                stream: BufReader::new(stream),
            })
        })
        .await
    }

    /// Sends a command and gives its answer as text.
    pub(crate) async fn ask(&mut self, command: &[&[u8]]) -> Result<String, StormError> {
        self.send(&encoded(command)).await?;
        self.answer().await
    }

    /// Publishes, and gives how many connections of the bus got it.
    pub(crate) async fn publish(&mut self, name: &str, body: &[u8]) -> Result<u64, StormError> {
        let answer = self.ask(&[b"PUBLISH", name.as_bytes(), body]).await?;
        answer.parse().map_err(|_| StormError::Bus(answer))
    }

    /// Sends commands that were encoded before.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), StormError> {
        within(PATIENCE, "room on the bus", async {
            self.stream.write_all(bytes).await.map_err(broken)
        })
        .await
    }

    /// The next answer: a string, a number or an error.
    pub(crate) async fn answer(&mut self) -> Result<String, StormError> {
        within(PATIENCE, "an answer of the bus", async {
            let line = self.line().await?;
            let (kind, rest) = line.split_at(line.len().min(1));
            match kind {
                "+" | ":" => Ok(rest.to_owned()),
                "$" => {
                    let length: usize = rest.parse().map_err(|_| StormError::Bus(line.clone()))?;
                    let mut text = vec![0; length + 2];
                    self.stream.read_exact(&mut text).await.map_err(broken)?;
                    text.truncate(length);
                    Ok(String::from_utf8_lossy(&text).into_owned())
                }
                _ => Err(StormError::Bus(line)),
            }
        })
        .await
    }

    async fn line(&mut self) -> Result<String, StormError> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await {
            Ok(0) => Err(StormError::Bus("nothing".to_owned())),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(broken(error)),
        }
    }
}

fn broken(error: std::io::Error) -> StormError {
    StormError::Bus(error.to_string())
}

/// A command as it goes over the wire.
pub(crate) fn encoded(command: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
    for part in command {
        bytes.extend(format!("${}\r\n", part.len()).bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn commands_are_arrays_of_strings() {
        let encoded = super::encoded(&[b"PUBLISH", b"to:a:b", b"1"]);
        assert_eq!(
            encoded,
            b"*3\r\n$7\r\nPUBLISH\r\n$6\r\nto:a:b\r\n$1\r\n1\r\n"
        );
    }
}
