//! Frames of Phoenix V2, read without parsing JSON.

use memchr::memmem;

use crate::dialect::Reply;

/// How far into a frame its event is looked for.
const HEAD: usize = 400;

/// What keeps a connection from being taken for dead.
pub(crate) const HEARTBEAT: &str = r#"[null,"h","phoenix","heartbeat",{}]"#;

pub(crate) fn join(topic: &str, payload: &str) -> String {
    format!(r#"["1","1","{topic}","phx_join",{payload}]"#)
}

pub(crate) fn push(topic: &str, payload: &str) -> String {
    format!(r#"["1","2","{topic}","ask",{payload}]"#)
}

/// Reads a reply to anything but a heartbeat.
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
