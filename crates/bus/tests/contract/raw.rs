//! A client that sends and compares bytes.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stage::soon;

pub(crate) struct RawClient {
    pub(crate) stream: TcpStream,
}

impl RawClient {
    pub(crate) async fn connect(port: u16) -> Self {
        Self {
            stream: soon(TcpStream::connect(("127.0.0.1", port))).await.unwrap(),
        }
    }

    /// Sends one command given as words.
    pub(crate) async fn send(&mut self, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        let mut bytes = format!("*{}\r\n", words.len());
        for word in words {
            bytes.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.send_bytes(bytes.as_bytes()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// Sends a command and compares the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, command: &str, expected: &str) -> impl Future<Output = ()> {
        let what = format!("{}: {command}", std::panic::Location::caller());
        let (command, expected) = (command.to_owned(), expected.to_owned());
        async move {
            self.send(&command).await;
            self.compare(&what, &expected).await;
        }
    }

    /// Reads as many bytes as are expected, and compares. `~` stands for a line break.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &str) -> impl Future<Output = ()> {
        let what = std::panic::Location::caller().to_string();
        let expected = expected.to_owned();
        async move { self.compare(&what, &expected).await }
    }

    async fn compare(&mut self, what: &str, expected: &str) {
        let expected = expected.replace('~', "\r\n");
        let mut came = vec![0; expected.len()];
        let mut length = 0;
        // Stops where the bytes begin to differ: what comes may be shorter.
        while length < came.len() && expected.as_bytes()[..length] == came[..length] {
            match soon(self.stream.read(&mut came[length..])).await.unwrap() {
                0 => break,
                more => length += more,
            }
        }
        let came = String::from_utf8_lossy(&came[..length]).into_owned();
        assert_eq!(came, expected, "{what}");
    }

    /// All until the peer closes.
    pub(crate) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        soon(self.stream.read_to_end(&mut bytes)).await.unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
