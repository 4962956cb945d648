//! What the clients say and look for: frames of Phoenix V2, read without parsing JSON.
//!
//! Every client has one join and at most one push on its way, so that both always bear the same
//! refs and a frame can be made once for all clients.

use memchr::memmem;

use crate::frame;

/// How far into a frame its event is looked for.
const HEAD: usize = 400;

/// A join, with `payload` in it.
pub(crate) fn join(topic: &str, payload: &str) -> Vec<u8> {
    text(&format!(r#"["1","1","{topic}","phx_join",{payload}]"#))
}

/// A push to a topic that was joined.
pub(crate) fn push(topic: &str, payload: &str) -> Vec<u8> {
    text(&format!(r#"["1","2","{topic}","ask",{payload}]"#))
}

/// What keeps a connection from being taken for dead.
pub(crate) fn heartbeat() -> Vec<u8> {
    text(r#"[null,"h","phoenix","heartbeat",{}]"#)
}

fn text(payload: &str) -> Vec<u8> {
    frame::masked(1, payload.as_bytes())
}

/// What a frame says of a join or a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Granted,
    Refused,
    /// The frame is no reply, or one to a heartbeat.
    Other,
}

/// Reads a reply.
pub(crate) fn reply(payload: &[u8]) -> Reply {
    const OK: &[u8] = br#","phx_reply",{"status":"ok""#;
    let head = &payload[..payload.len().min(HEAD)];
    if payload.starts_with(br#"[null,"h","#) || !is_event(payload, b"phx_reply") {
        Reply::Other
    } else if memmem::find(head, OK).is_some() {
        Reply::Granted
    } else {
        Reply::Refused
    }
}

/// Whether a frame is of this event: the name stands between the topic and the payload.
pub(crate) fn is_event(payload: &[u8], event: &[u8]) -> bool {
    let head = &payload[..payload.len().min(HEAD)];
    memmem::find(head, event).is_some_and(|at| {
        head[..at].ends_with(b",\"") && head[at + event.len()..].starts_with(b"\",")
    })
}

/// The beginning of a frame, to be shown.
pub(crate) fn shown(payload: &[u8]) -> String {
    String::from_utf8_lossy(&payload[..payload.len().min(HEAD)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replies are told apart, and heartbeats are none.
    #[test]
    fn replies_are_told_apart() {
        for (payload, expected) in [
            (
                r#"["1","2","t","phx_reply",{"status":"ok","response":{}}]"#,
                Reply::Granted,
            ),
            (
                r#"["1","2","t","phx_reply",{"status":"error","response":{}}]"#,
                Reply::Refused,
            ),
            (
                r#"[null,"h","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
                Reply::Other,
            ),
            (
                r#"[null,null,"t","message",{"n":1,"p":"phx_reply"}]"#,
                Reply::Other,
            ),
            ("", Reply::Other),
        ] {
            assert_eq!(reply(payload.as_bytes()), expected, "{payload}");
        }
    }

    /// Events are found by their whole names.
    #[test]
    fn events_are_found() {
        let diff = br#"[null,null,"room","presence_diff",{"joins":{},"leaves":{}}]"#;
        assert!(is_event(diff, b"presence_diff"));
        assert!(!is_event(diff, b"presence_di"));
        assert!(!is_event(diff, b"presence_state"));
    }
}
