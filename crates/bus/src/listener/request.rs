//! From bytes off a socket to requests.
//!
//! A request is a flat array of bulk strings and nothing else. Where one ends is found here,
//! before the `redis-protocol` crate decodes it: that crate starts again at the first byte each
//! time more has arrived, and recurses into nested arrays as deep as the peer likes. With the
//! end known and the shape checked, what it gets is whole, flat and bounded.
//!
//! Promises: no bytes can make it panic; it remembers how far it has looked, so that a request
//! that trickles in is read once; it holds no more than one request of the longest size, and no
//! memory for bytes that were announced but have not arrived.

use bytes::{Bytes, BytesMut};
use redis_protocol::resp2::decode::decode_bytes;
use redis_protocol::resp2::types::BytesFrame;

/// The longest `*<count>` or `$<length>` line, without its line break.
const MAX_HEADER: usize = 32;

/// What is read from the socket at once.
const READ: usize = 16 * 1024;

/// Bodies and names below this are copied out of the read buffer: a few bytes in some queue must
/// not hold on to all that arrived together with them.
const COPY_BELOW: usize = 4 * 1024;

/// What was sent is not a request; the connection ends with this text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtocolError {
    #[error(
        "Protocol error: send requests as arrays of bulk strings, inline commands are not taken"
    )]
    Inline,
    #[error("Protocol error: invalid multibulk length")]
    Count,
    #[error("Protocol error: expected '$', got '{0}'")]
    NotABulk(char),
    #[error("Protocol error: invalid bulk length")]
    Length,
    #[error("Protocol error: a bulk string does not end where its length says")]
    Unterminated,
    #[error("Protocol error: a request may have {0} bytes, this one is longer")]
    TooLong(usize),
    #[error("Protocol error: {0}")]
    Decode(String),
}

/// One request: a command and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The command as it was sent, upper or lower case.
    pub(crate) command: Bytes,
    /// What follows the command.
    pub(crate) arguments: Vec<Bytes>,
}

/// The receive buffer of one connection.
pub(crate) struct Requests {
    buffer: BytesMut,
    /// Looked at so far.
    at: usize,
    /// Bulk strings still to come, once the `*` line was seen.
    left: Option<usize>,
    max_bytes: usize,
    max_arguments: usize,
}

impl Requests {
    pub(crate) fn new(max_bytes: usize, max_arguments: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            at: 0,
            left: None,
            max_bytes,
            max_arguments,
        }
    }

    /// Where the next bytes from the socket go.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        // Doubles: memory follows what has arrived, not what was announced.
        self.buffer
            .reserve(self.buffer.len().clamp(READ, self.max_bytes.max(READ)));
        &mut self.buffer
    }

    /// The next whole request in the buffer.
    pub(crate) fn next(&mut self) -> Result<Option<Request>, ProtocolError> {
        if !self.scan()? {
            return Ok(None);
        }
        let end = std::mem::take(&mut self.at);
        self.left = None;
        decode(self.take(end)).map(Some)
    }

    /// Takes so many bytes from the front.
    fn take(&mut self, length: usize) -> Bytes {
        let front = self.buffer.split_to(length).freeze();
        if self.buffer.is_empty() {
            // An idle connection holds no buffer.
            self.buffer = BytesMut::new();
        }
        front
    }

    /// Looks for the end of the first request; true when it is there.
    fn scan(&mut self) -> Result<bool, ProtocolError> {
        loop {
            match self.left {
                None => match self.buffer.first() {
                    None => return Ok(false),
                    Some(b'*') => {
                        let Some((count, next)) = self.header(ProtocolError::Count)? else {
                            return Ok(false);
                        };
                        let count = usize::try_from(count).unwrap_or(0);
                        if count > self.max_arguments {
                            return Err(ProtocolError::Count);
                        }
                        if count == 0 {
                            // An empty array is no request; Redis passes over it too.
                            self.take(next);
                            continue;
                        }
                        self.left = Some(count);
                        self.at = next;
                    }
                    Some(_) => return Err(ProtocolError::Inline),
                },
                Some(0) => return Ok(true),
                Some(left) => match self.buffer.get(self.at) {
                    None => return Ok(false),
                    Some(b'$') => {
                        let Some((length, start)) = self.header(ProtocolError::Length)? else {
                            return Ok(false);
                        };
                        let length = usize::try_from(length).map_err(|_| ProtocolError::Length)?;
                        let end = start.saturating_add(length).saturating_add(2);
                        if end > self.max_bytes {
                            return Err(ProtocolError::TooLong(self.max_bytes));
                        }
                        match self.buffer.get(end - 2..end) {
                            None => return Ok(false),
                            Some(b"\r\n") => {}
                            Some(_) => return Err(ProtocolError::Unterminated),
                        }
                        self.left = Some(left - 1);
                        self.at = end;
                    }
                    Some(&other) => {
                        let shown = if other.is_ascii_graphic() {
                            other.into()
                        } else {
                            '?'
                        };
                        return Err(ProtocolError::NotABulk(shown));
                    }
                },
            }
        }
    }

    /// The number in the line at `at`, and where the next line begins; none while it is cut off.
    fn header(&self, wrong: ProtocolError) -> Result<Option<(i64, usize)>, ProtocolError> {
        let line = &self.buffer[self.at + 1..];
        let Some(length) = line
            .windows(2)
            .take(MAX_HEADER + 1)
            .position(|w| w == b"\r\n")
        else {
            return if line.len() > MAX_HEADER + 1 {
                Err(wrong)
            } else {
                Ok(None)
            };
        };
        let digits = &line[..length];
        let number = std::str::from_utf8(digits)
            .ok()
            .filter(|_| is_plain(digits))
            .and_then(|n| n.parse().ok());
        match number {
            Some(number) => Ok(Some((number, self.at + 1 + length + 2))),
            None => Err(wrong),
        }
    }
}

/// Whether a number is spelled in the one way that Redis takes: no plus sign, no zero in front.
fn is_plain(digits: &[u8]) -> bool {
    match digits {
        b"0" => true,
        [b'-', rest @ ..] | rest => rest
            .first()
            .is_some_and(|digit| *digit != b'0' && *digit != b'+'),
    }
}

/// A whole request that is known to be an array of bulk strings, and not an empty one.
fn decode(bytes: Bytes) -> Result<Request, ProtocolError> {
    let wrong = |what: &str| ProtocolError::Decode(what.to_owned());
    let frames = match decode_bytes(&bytes).map_err(|e| wrong(e.details()))? {
        Some((BytesFrame::Array(frames), _)) => frames,
        _ => return Err(wrong("not an array")),
    };
    let mut words = frames.into_iter().map(|frame| match frame {
        BytesFrame::BulkString(word) if word.len() < COPY_BELOW => {
            Ok(Bytes::copy_from_slice(&word))
        }
        BytesFrame::BulkString(word) => Ok(word),
        _ => Err(wrong("not a bulk string")),
    });
    Ok(Request {
        command: words.next().ok_or_else(|| wrong("an empty array"))??,
        arguments: words.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds the pieces and returns what came out, or the first error.
    fn feed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Vec<Bytes>>, ProtocolError> {
        let mut requests = Requests::new(4096, 16);
        let mut found = Vec::new();
        for piece in pieces {
            requests.buffer().extend_from_slice(piece);
            while let Some(request) = requests.next()? {
                found.push([vec![request.command], request.arguments].concat());
            }
            assert!(requests.buffer.len() < 4096 + piece.len());
        }
        Ok(found)
    }

    fn encode(words: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    proptest! {
        /// S2: what was published is what arrives, however the network cuts it.
        #[test]
        fn requests_survive_any_cut(
            all in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6), 1..6),
            size in 1usize..50,
        ) {
            let bytes: Vec<u8> = all.iter().flat_map(|words| encode(words)).collect();
            let found = feed(bytes.chunks(size)).unwrap();
            prop_assert_eq!(found, all);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), size in 1usize..60) {
            let _ = feed(bytes.chunks(size));
        }

        /// Closer to the protocol than random bytes are, so that it gets further.
        #[test]
        fn no_tokens_make_it_panic(tokens in prop::collection::vec(
            prop::sample::select(vec![
                "*", "$", "\r\n", "-1", "0", "1", "2", "99999999999999999999", "4097", "PING",
                "*1\r\n", "$4\r\n", "\r", "\n", ":", "+OK", "-9223372036854775808", " ", "\u{0}",
            ]), 0..60), size in 1usize..20)
        {
            let _ = feed(tokens.concat().as_bytes().chunks(size));
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let wrong = |bytes: &[u8]| feed([bytes].into_iter()).unwrap_err();
        assert_eq!(wrong(b"PING\r\n"), ProtocolError::Inline);
        assert_eq!(wrong(b"*x\r\n"), ProtocolError::Count);
        assert_eq!(wrong(b"*17\r\n"), ProtocolError::Count);
        assert_eq!(
            wrong(&[&b"*"[..], &[b'1'; 40]].concat()),
            ProtocolError::Count
        );
        for spelling in ["+1", "01", "-0", "--1", "-", ""] {
            let line = format!("*{spelling}\r\n");
            assert_eq!(wrong(line.as_bytes()), ProtocolError::Count);
            let line = format!("*1\r\n${spelling}\r\n\r\n");
            assert_eq!(wrong(line.as_bytes()), ProtocolError::Length);
        }
        assert_eq!(wrong(b"*1\r\n:1\r\n"), ProtocolError::NotABulk(':'));
        assert_eq!(wrong(b"*1\r\n*1\r\n"), ProtocolError::NotABulk('*'));
        assert_eq!(wrong(b"*1\r\n$-1\r\n"), ProtocolError::Length);
        assert_eq!(wrong(b"*1\r\n$4\r\nPINGxx"), ProtocolError::Unterminated);
        assert_eq!(wrong(b"*1\r\n$4096\r\n"), ProtocolError::TooLong(4096));
    }

    #[test]
    fn empty_arrays_are_passed_over() {
        let found = feed([&b"*0\r\n*-1\r\n*-7\r\n*1\r\n$4\r\nPING\r\n"[..]].into_iter()).unwrap();
        assert_eq!(found, [["PING"]]);
    }
}
