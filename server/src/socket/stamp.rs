//! Who has sent an event, for backends that must know (S8).
//!
//! What reaches the bus as `from:` is the client's payload and nothing else (wire.md A9), so the
//! gateway's word about the sender has a name of its own, `sent:`. Clients cannot write there: what
//! they push is `from:`, whatever they call it, and the envelope is made here.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tidegate_protocol::Payload;

/// What is published as `sent:<topic>:<event>`.
#[derive(Serialize)]
struct Stamped<'a> {
    /// Plugins speak for themselves; what comes this way was a client's.
    kind: &'static str,
    connection: &'a str,
    user: &'a str,
    /// As the client wrote it, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    /// Of a binary event.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// The payload and its sender.
pub(super) fn stamped(connection: &str, user: &str, payload: &Payload) -> Option<Bytes> {
    use base64::Engine as _;
    let base64 = &base64::engine::general_purpose::STANDARD;
    let json = payload.as_json();
    let body = Stamped {
        kind: "client",
        connection,
        user,
        payload: json.and_then(|json| serde_json::from_str(json).ok()),
        base64: json.is_none().then(|| base64.encode(payload.bytes())),
    };
    serde_json::to_vec(&body).ok().map(Bytes::from)
}
