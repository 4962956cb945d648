//! The binary frames of V2: one byte of opcode, one byte per length, then the parts.
//!
//! ```text
//! client push              00 jr ref top ev          | join_ref ref topic event data
//! broadcast                02 top ev                 | topic event data
//! broadcast of a member    03 jr ref top ev meta enc | join_ref ref topic event metadata data
//! broadcast to a member    04 top ev meta enc        | topic event metadata data
//! ```
//! Phoenix also has opcode 0 (push, without ref) and 1 (reply) from the server; Tidegate answers
//! a binary push with a text reply, which the contract allows, and sends neither. Opcodes 3 and 4
//! are those of Supabase's clients; their `enc` is 0 for bytes and 1 for JSON.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::value::RawValue;

use crate::codec::{Encoded, write_json_string};
use crate::frame::{ClientFrame, DecodeError, Payload, Ref};

const PUSH: u8 = 0;
const BROADCAST: u8 = 2;
const MEMBER_BROADCAST: u8 = 3;
const BROADCAST_TO_MEMBER: u8 = 4;

const ENCODING_BYTES: u8 = 0;
const ENCODING_JSON: u8 = 1;

/// The event under which Supabase's clients know every broadcast.
const BROADCAST_EVENT: &str = "broadcast";

/// Reads a client's push or broadcast.
pub(crate) fn decode(frame: &Bytes) -> Result<ClientFrame, DecodeError> {
    match frame.first() {
        None => Err(DecodeError::Truncated),
        Some(&PUSH) => decode_push(frame),
        Some(&MEMBER_BROADCAST) => decode_member_broadcast(frame),
        Some(_) => Err(DecodeError::UnknownOpcode),
    }
}

fn decode_push(frame: &Bytes) -> Result<ClientFrame, DecodeError> {
    let (&lengths, mut parts) = Parts::after_header::<4>(frame)?;
    let [join_ref, reference, topic, event] = lengths;
    Ok(ClientFrame {
        join_ref: parts.reference(join_ref)?,
        reference: parts.reference(reference)?,
        topic: parts.text(topic)?,
        event: parts.text(event)?,
        payload: Payload::Binary(parts.0),
    })
}

/// A broadcast of bytes is a push of these bytes under the broadcast's own event. One of JSON is
/// what the same client pushes as text: the event `broadcast`, with its own event in the payload.
///
/// The metadata is for Supabase's server, which may be asked to keep a broadcast; it is skipped.
fn decode_member_broadcast(frame: &Bytes) -> Result<ClientFrame, DecodeError> {
    let (&lengths, mut parts) = Parts::after_header::<6>(frame)?;
    let [join_ref, reference, topic, event, metadata, encoding] = lengths;
    let join_ref = parts.reference(join_ref)?;
    let reference = parts.reference(reference)?;
    let topic = parts.text(topic)?;
    let event = parts.text(event)?;
    parts.take(metadata)?;
    let (event, payload) = match encoding {
        ENCODING_BYTES => (event, Payload::Binary(parts.0)),
        ENCODING_JSON => (BROADCAST_EVENT.to_owned(), wrap(&event, &parts.0)?),
        _ => return Err(DecodeError::UnknownEncoding),
    };
    Ok(ClientFrame {
        join_ref,
        reference,
        topic,
        event,
        payload,
    })
}

/// `{"type":"broadcast","event":...,"payload":...}`, with the payload's bytes as they are.
fn wrap(event: &str, json: &[u8]) -> Result<Payload, DecodeError> {
    let json = std::str::from_utf8(json).map_err(|_| DecodeError::NotUtf8)?;
    let json: &RawValue = serde_json::from_str(json).map_err(|_| DecodeError::NotJson)?;
    let mut out = Vec::with_capacity(json.get().len() + event.len() + 48);
    out.extend_from_slice(br#"{"type":"broadcast","event":"#);
    write_json_string(&mut out, event);
    out.extend_from_slice(br#","payload":"#);
    out.extend_from_slice(json.get().as_bytes());
    out.push(b'}');
    Ok(Payload::Json(out.into()))
}

/// What is left of a frame after its header.
struct Parts(Bytes);

impl Parts {
    /// The bytes between the opcode and the parts, and the parts.
    fn after_header<const N: usize>(frame: &Bytes) -> Result<(&[u8; N], Self), DecodeError> {
        let header = frame.get(1..).and_then(|rest| rest.first_chunk());
        let header = header.ok_or(DecodeError::Truncated)?;
        Ok((header, Self(frame.slice(1 + N..))))
    }

    fn take(&mut self, length: u8) -> Result<Bytes, DecodeError> {
        let length = usize::from(length);
        if self.0.len() < length {
            return Err(DecodeError::Truncated);
        }
        Ok(self.0.split_to(length))
    }

    fn text(&mut self, length: u8) -> Result<String, DecodeError> {
        let part = self.take(length)?;
        String::from_utf8(part.to_vec()).map_err(|_| DecodeError::NotUtf8)
    }

    fn reference(&mut self, length: u8) -> Result<Ref, DecodeError> {
        let text = self.text(length)?;
        if text.len() > crate::MAX_REF_BYTES {
            return Err(DecodeError::RefTooLong);
        }
        Ok(Ref::from_text(&text))
    }
}

/// Writes a broadcast; `None` where a name does not fit its one byte of length, which no
/// [`crate::Topic`] or [`crate::Event`] does.
pub(crate) fn encode_broadcast(topic: &str, event: &str, data: &[u8]) -> Option<Encoded> {
    encode(BROADCAST, &[], topic, event, data)
}

/// Writes bytes as Supabase's clients read them: a broadcast without metadata.
pub(crate) fn encode_member_broadcast(topic: &str, event: &str, data: &[u8]) -> Option<Encoded> {
    let more = [0, ENCODING_BYTES];
    encode(BROADCAST_TO_MEMBER, &more, topic, event, data)
}

fn encode(opcode: u8, more: &[u8], topic: &str, event: &str, data: &[u8]) -> Option<Encoded> {
    let topic_length = u8::try_from(topic.len()).ok()?;
    let event_length = u8::try_from(event.len()).ok()?;
    let length = 3 + more.len() + topic.len() + event.len() + data.len();
    let mut out = BytesMut::with_capacity(length);
    out.put_slice(&[opcode, topic_length, event_length]);
    out.put_slice(more);
    out.put_slice(topic.as_bytes());
    out.put_slice(event.as_bytes());
    out.put_slice(data);
    Some(Encoded::Binary(out.freeze()))
}
