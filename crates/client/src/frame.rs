//! Frames of V2 as a client sees them: the mirror of what the `protocol` crate does for the
//! gateway. A payload is passed on as bytes and parsed by whoever uses it, once.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;
use tidegate_protocol::{Encoded, Payload};

/// One frame from the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFrame {
    /// The join it belongs to; none for broadcasts.
    pub join_ref: Option<String>,
    /// What it answers; none for events.
    pub reference: Option<String>,
    /// The topic.
    pub topic: String,
    /// The event, `phx_reply` for answers.
    pub event: String,
    /// The payload; for answers see [`ServerFrame::status`].
    pub payload: Payload,
    /// The status of a binary answer, which stands beside its payload and not in it.
    pub binary_status: Option<String>,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not an array of join_ref, ref, topic, event and payload.
    #[error("the frame is not a JSON array of join_ref, ref, topic, event, payload")]
    NotAFrame,
    /// A binary frame shorter than its own header says.
    #[error("the binary frame is shorter than its header says")]
    Truncated,
    /// A binary frame with an opcode that gateways do not send.
    #[error("the binary frame has an unknown opcode")]
    UnknownOpcode,
    /// A name that is not UTF-8.
    #[error("the frame is not UTF-8")]
    NotUtf8,
}

#[derive(Deserialize)]
struct Elements<'a>(
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] &'a RawValue,
);

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

impl ServerFrame {
    /// Reads a frame.
    pub fn decode(frame: &Encoded) -> Result<Self, FrameError> {
        match frame {
            Encoded::Text(text) => Self::decode_text(text),
            Encoded::Binary(bytes) => Self::decode_binary(bytes),
        }
    }

    fn decode_text(frame: &Bytes) -> Result<Self, FrameError> {
        let text = std::str::from_utf8(frame).map_err(|_| FrameError::NotUtf8)?;
        let Elements(join_ref, reference, topic, event, payload) =
            serde_json::from_str(text).map_err(|_| FrameError::NotAFrame)?;
        Ok(Self {
            join_ref: ref_text(join_ref.get()),
            reference: ref_text(reference.get()),
            topic: topic.into_owned(),
            event: event.into_owned(),
            payload: Payload::Json(frame.slice_ref(payload.get().as_bytes())),
            binary_status: None,
        })
    }

    /// Opcode 0 is an event for this client, 1 an answer, 2 a broadcast.
    fn decode_binary(frame: &Bytes) -> Result<Self, FrameError> {
        let (&opcode, _) = frame.split_first().ok_or(FrameError::Truncated)?;
        let count = match opcode {
            0 => 3,
            1 => 4,
            2 => 2,
            _ => return Err(FrameError::UnknownOpcode),
        };
        let lengths = frame.get(1..=count).ok_or(FrameError::Truncated)?;
        let mut rest = frame.slice(1 + count..);
        let mut parts = Vec::with_capacity(count);
        for &length in lengths {
            if rest.len() < usize::from(length) {
                return Err(FrameError::Truncated);
            }
            let part = rest.split_to(usize::from(length));
            parts.push(String::from_utf8(part.to_vec()).map_err(|_| FrameError::NotUtf8)?);
        }
        let mut parts = parts.into_iter();
        let mut part = || parts.next().unwrap_or_default();
        let present = |text: String| Some(text).filter(|text| !text.is_empty());
        let payload = Payload::Binary(rest);
        Ok(match opcode {
            0 => Self {
                join_ref: present(part()),
                reference: None,
                topic: part(),
                event: part(),
                payload,
                binary_status: None,
            },
            1 => Self {
                join_ref: present(part()),
                reference: present(part()),
                topic: part(),
                event: "phx_reply".to_owned(),
                binary_status: Some(part()),
                payload,
            },
            _ => Self {
                join_ref: None,
                reference: None,
                topic: part(),
                event: part(),
                payload,
                binary_status: None,
            },
        })
    }

    /// For `phx_reply`: whether the status is `ok`, and the response.
    pub fn answer(&self) -> Option<(bool, Payload)> {
        if let Some(status) = &self.binary_status {
            return Some((status == "ok", self.payload.clone()));
        }
        let Payload::Json(json) = &self.payload else {
            return None;
        };
        let answer: Answer<'_> = serde_json::from_slice(json).ok()?;
        let response = match answer.response {
            Some(raw) => json.slice_ref(raw.get().as_bytes()),
            None => Bytes::from_static(b"{}"),
        };
        Some((answer.status == "ok", Payload::Json(response)))
    }
}

/// A ref as text; a string loses its quotes, so that `"1"` is what this client sent as 1.
fn ref_text(json: &str) -> Option<String> {
    match json {
        "null" => None,
        _ => Some(serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())),
    }
}

/// Writes a frame. `None` where a name does not fit the one byte of length of a binary frame.
pub(crate) fn encode(
    join_ref: Option<u64>,
    reference: Option<u64>,
    topic: &str,
    event: &str,
    payload: &Payload,
) -> Option<Encoded> {
    match payload {
        Payload::Json(json) => Some(encode_text(join_ref, reference, topic, event, json)),
        Payload::Binary(data) => encode_binary(join_ref, reference, topic, event, data),
    }
}

fn encode_text(
    join_ref: Option<u64>,
    reference: Option<u64>,
    topic: &str,
    event: &str,
    payload: &[u8],
) -> Encoded {
    let mut out = BytesMut::with_capacity(topic.len() + event.len() + payload.len() + 32);
    out.put_u8(b'[');
    for reference in [join_ref, reference] {
        match reference {
            Some(number) => out.put_slice(format!("\"{number}\",").as_bytes()),
            None => out.put_slice(b"null,"),
        }
    }
    for name in [topic, event] {
        out.put_slice(serde_json::Value::from(name).to_string().as_bytes());
        out.put_u8(b',');
    }
    out.put_slice(payload);
    out.put_u8(b']');
    Encoded::Text(out.freeze())
}

fn encode_binary(
    join_ref: Option<u64>,
    reference: Option<u64>,
    topic: &str,
    event: &str,
    data: &[u8],
) -> Option<Encoded> {
    let text = |reference: Option<u64>| reference.map(|n| n.to_string()).unwrap_or_default();
    let (join_ref, reference) = (text(join_ref), text(reference));
    let parts = [join_ref.as_str(), reference.as_str(), topic, event];
    let mut out = BytesMut::with_capacity(64 + topic.len() + event.len() + data.len());
    out.put_u8(0);
    for part in parts {
        out.put_u8(u8::try_from(part.len()).ok()?);
    }
    for part in parts {
        out.put_slice(part.as_bytes());
    }
    out.put_slice(data);
    Some(Encoded::Binary(out.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(bytes: &'static [u8]) -> Result<ServerFrame, FrameError> {
        ServerFrame::decode(&Encoded::Binary(Bytes::from_static(bytes)))
    }

    fn text(frame: &'static str) -> Result<ServerFrame, FrameError> {
        ServerFrame::decode(&Encoded::Text(Bytes::from_static(frame.as_bytes())))
    }

    /// The vectors of phoenix.js' own tests.
    #[test]
    fn binary_frames_are_those_of_phoenix() {
        let push = binary(b"\0\x03\x03\x0a123topsome-event\x01\x01").unwrap();
        assert_eq!(push.join_ref.as_deref(), Some("123"));
        assert_eq!(
            (push.topic.as_str(), push.event.as_str()),
            ("top", "some-event")
        );
        assert_eq!(
            push.payload,
            Payload::Binary(Bytes::from_static(b"\x01\x01"))
        );

        let reply = binary(b"\x01\x03\x02\x03\x0210012topok\x01\x01").unwrap();
        assert_eq!(reply.reference.as_deref(), Some("12"));
        assert_eq!(
            reply.answer(),
            Some((true, Payload::Binary(Bytes::from_static(b"\x01\x01"))))
        );

        let broadcast = binary(b"\x02\x03\x0atopsome-event\x01\x01").unwrap();
        assert_eq!((broadcast.join_ref, broadcast.reference), (None, None));

        let sent = encode(
            Some(0),
            Some(1),
            "t",
            "e",
            &Payload::Binary(Bytes::from_static(b"\x01")),
        );
        assert_eq!(
            sent.unwrap().bytes().as_ref(),
            b"\0\x01\x01\x01\x0101te\x01"
        );
    }

    #[test]
    fn broken_frames_are_errors() {
        assert_eq!(binary(b""), Err(FrameError::Truncated));
        assert_eq!(binary(b"\x02\x03"), Err(FrameError::Truncated));
        assert_eq!(binary(b"\x02\x03\x0ato"), Err(FrameError::Truncated));
        assert_eq!(binary(b"\x07\x00\x00"), Err(FrameError::UnknownOpcode));
        assert_eq!(binary(b"\x02\x01\x01\xff\xff"), Err(FrameError::NotUtf8));
        for broken in [
            "",
            "{}",
            "[]",
            r#"["1","1","t","e"]"#,
            r#"[null,null,1,"e",{}]"#,
        ] {
            assert_eq!(text(broken), Err(FrameError::NotAFrame), "{broken}");
        }
    }

    /// A9: the payload stays byte for byte what it was.
    #[test]
    fn a_payload_is_a_slice_of_its_frame() {
        let frame = text(r#"[null,null,"room:\"1","up",{"b":1, "a":2.50}]"#).unwrap();
        assert_eq!(frame.topic, "room:\"1");
        assert_eq!(frame.payload.as_json(), Some(r#"{"b":1, "a":2.50}"#));
        let sent = encode(Some(4), None, &frame.topic, "up", &frame.payload).unwrap();
        assert_eq!(
            sent.bytes().as_ref(),
            br#"["4",null,"room:\"1","up",{"b":1, "a":2.50}]"#
        );
    }

    #[test]
    fn an_answer_has_a_status_and_a_response() {
        let ok =
            text(r#"["1","2","t","phx_reply",{"status":"ok","response":{"id":"x"}}]"#).unwrap();
        let (status, response) = ok.answer().unwrap();
        assert!(status);
        assert_eq!(response.as_json(), Some(r#"{"id":"x"}"#));
        let error = text(r#"[null,"2","t","phx_reply",{"response":{},"status":"error"}]"#).unwrap();
        assert!(!error.answer().unwrap().0);
        assert_eq!(
            text(r#"[null,"2","t","phx_reply",7]"#).unwrap().answer(),
            None
        );
    }
}
