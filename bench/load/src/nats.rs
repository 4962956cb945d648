//! As much of the NATS protocol as a client needs, over WebSocket or TCP.
//!
//! Clients are verbose: the server answers each of their commands with `+OK`, which stands for the
//! reply to a join or a push.

use memchr::memmem;

use crate::dialect::Reply;

/// A verbose client, and a question whose answer says that it is in.
pub(crate) const GREETING: &str = "CONNECT {\"verbose\":true,\"pedantic\":false}\r\nPING\r\n";
pub(crate) const WELCOME: &[u8] = b"PONG";
pub(crate) const PING: &[u8] = b"PING";
pub(crate) const PONG: &str = "PONG\r\n";

/// What the injecting client says first; it wants no answers.
pub(crate) const QUIET: &str = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";

pub(crate) fn subscribe(topic: &str) -> String {
    format!("SUB {topic} 1\r\n")
}

pub(crate) fn publish(topic: &str, payload: &str) -> String {
    format!("PUB {topic} {}\r\n{payload}\r\n", payload.len())
}

pub(crate) fn reply(payload: &[u8]) -> Reply {
    if payload.starts_with(b"+OK") {
        Reply::Granted
    } else if payload.starts_with(b"-ERR") {
        Reply::Refused
    } else {
        Reply::Other
    }
}

/// What a frame holds: the payload of each message, and each line that is none. The server puts
/// whole messages into a frame, as many as there are.
pub(crate) fn parts(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frame;
    std::iter::from_fn(move || {
        let end = memmem::find(rest, b"\r\n")?;
        let (line, after) = (&rest[..end], &rest[end + 2..]);
        if !line.starts_with(b"MSG ") {
            rest = after;
            return Some(line);
        }
        let digits = line.rsplit(|byte| *byte == b' ').next()?;
        let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let payload = after.get(..length)?;
        rest = after.get(length + 2..).unwrap_or_default();
        Some(payload)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(frame: &str) -> Vec<&str> {
        let parts = parts(frame.as_bytes());
        parts
            .map(|part| std::str::from_utf8(part).unwrap())
            .collect()
    }

    /// Messages are taken by their length, whatever they hold; what is cut off is nothing.
    #[test]
    fn a_frame_is_taken_apart() {
        assert_eq!(
            all("+OK\r\nMSG bench 1 4\r\na\r\nb\r\nMSG bench 1 0\r\n\r\nPING\r\n"),
            ["+OK", "a\r\nb", "", "PING"]
        );
        assert_eq!(all("MSG bench 1 9\r\nabc\r\n"), [""; 0]);
        assert_eq!(all("MSG bench 1 x\r\nabc\r\n"), [""; 0]);
        assert_eq!(all(""), [""; 0]);
    }

    #[test]
    fn replies_are_told_apart() {
        assert_eq!(reply(b"+OK"), Reply::Granted);
        assert_eq!(reply(b"-ERR 'Unknown Protocol Operation'"), Reply::Refused);
        assert_eq!(reply(b"PONG"), Reply::Other);
    }
}
