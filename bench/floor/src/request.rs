//! The little HTTP that the floor speaks: a WebSocket handshake, and `POST /inject`.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// The longest request, head and body, in bytes.
pub(crate) const MAX_REQUEST: usize = 1 << 20;

/// What has come so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Not yet all of it.
    Partial,
    /// A WebSocket handshake, with the answer to it.
    Upgrade { answer: Vec<u8> },
    /// A message for everybody, and how many bytes the request took.
    Inject { body: Range<usize>, length: usize },
    /// Anything else.
    Bad,
}

/// Reads the request at the beginning of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Request {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() > MAX_REQUEST {
            Request::Bad
        } else {
            Request::Partial
        };
    };
    let Ok(head) = std::str::from_utf8(&bytes[..end]) else {
        return Request::Bad;
    };
    if head.starts_with("GET ") {
        return match header(head, "sec-websocket-key") {
            Some(key) => Request::Upgrade {
                answer: upgrade(key),
            },
            None => Request::Bad,
        };
    }
    if !head.starts_with("POST /inject ") {
        return Request::Bad;
    }
    let Some(body) = header(head, "content-length").and_then(|n| n.parse::<usize>().ok()) else {
        return Request::Bad;
    };
    if body > MAX_REQUEST {
        return Request::Bad;
    }
    let length = end + 4 + body;
    if bytes.len() < length {
        return Request::Partial;
    }
    Request::Inject {
        body: end + 4..length,
        length,
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// The answer to a handshake (RFC 6455, section 4.2.2).
fn upgrade(key: &str) -> Vec<u8> {
    let digest = Sha1::new()
        .chain_update(key)
        .chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        STANDARD.encode(digest.finalize())
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455, section 1.3.
    #[test]
    fn a_handshake_is_answered() {
        let request = b"GET /websocket HTTP/1.1\r\nHost: x\r\n\
            sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let Request::Upgrade { answer } = parse(request) else {
            panic!("no upgrade")
        };
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert_eq!(parse(&request[..request.len() - 1]), Request::Partial);
    }

    /// A message is taken out whole, whatever follows it.
    #[test]
    fn an_injection_is_taken_out() {
        let request = b"POST /inject HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST";
        let length = request.len() - 4;
        assert_eq!(
            parse(request),
            Request::Inject {
                body: length - 3..length,
                length
            }
        );
        assert_eq!(parse(&request[..length - 1]), Request::Partial);
    }

    /// Anything else is refused.
    #[test]
    fn the_rest_is_refused() {
        for bad in [
            "GET / HTTP/1.1",
            "POST / HTTP/1.1",
            "POST /inject HTTP/1.1\r\ncontent-length: x",
        ] {
            assert_eq!(parse(format!("{bad}\r\n\r\n").as_bytes()), Request::Bad);
        }
        assert_eq!(parse(&vec![b'x'; MAX_REQUEST + 1]), Request::Bad);
    }
}
