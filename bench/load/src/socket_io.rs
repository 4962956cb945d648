//! As much of Engine.IO 4 and Socket.IO 5 as a client over WebSocket needs, with the events that
//! `bench/peers/socket-io.mjs` understands.

use crate::dialect::Reply;

/// Asks for the main namespace.
pub(crate) const GREETING: &str = "40";
/// It is granted, with the id of the socket.
pub(crate) const WELCOME: &[u8] = b"40{";
/// What the server asks every 25 seconds.
pub(crate) const PING: &[u8] = b"2";
/// What it wants to hear.
pub(crate) const PONG: &str = "3";

/// An event with the number of its acknowledgement.
pub(crate) fn join(topic: &str, payload: &str) -> String {
    format!(r#"421["join","{topic}",{payload}]"#)
}

pub(crate) fn push(topic: &str, payload: &str) -> String {
    format!(r#"422["ask","{topic}",{payload}]"#)
}

/// Reads an acknowledgement, or that the namespace was refused.
pub(crate) fn reply(payload: &[u8]) -> Reply {
    let Some(rest) = payload.strip_prefix(b"43") else {
        return match payload {
            [b'4', b'4', ..] => Reply::Refused,
            _ => Reply::Other,
        };
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if rest[digits..].starts_with(br#"[{"status":"ok""#) {
        Reply::Granted
    } else {
        Reply::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acknowledgements are told apart from events and from packets of Engine.IO.
    #[test]
    fn replies_are_told_apart() {
        for (payload, expected) in [
            (r#"431[{"status":"ok"}]"#, Reply::Granted),
            (
                r#"431[{"status":"error","reason":"no token"}]"#,
                Reply::Refused,
            ),
            (r#"44{"message":"Invalid namespace"}"#, Reply::Refused),
            (r#"42["message",{"n":1000000000}]"#, Reply::Other),
            (r#"0{"sid":"x","pingInterval":25000}"#, Reply::Other),
            (r#"40{"sid":"x"}"#, Reply::Other),
            ("2", Reply::Other),
        ] {
            assert_eq!(reply(payload.as_bytes()), expected, "{payload}");
        }
    }
}
