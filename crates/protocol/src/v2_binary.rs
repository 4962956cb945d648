//! The binary frames of V2: one byte of opcode, one byte per length, then the parts.
//!
//! ```text
//! client push  00 jr ref top ev | join_ref ref topic event data
//! broadcast    02 top ev        | topic event data
//! ```
//! Phoenix also has opcode 0 (push, without ref) and 1 (reply) from the server; Tidegate answers
//! a binary push with a text reply, which the contract allows, and sends neither.

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::Encoded;
use crate::frame::{ClientFrame, DecodeError, Payload, Ref};

const PUSH: u8 = 0;
const BROADCAST: u8 = 2;

/// Reads a client's push.
pub(crate) fn decode_push(frame: &Bytes) -> Result<ClientFrame, DecodeError> {
    match frame.first() {
        None => return Err(DecodeError::Truncated),
        Some(&PUSH) => {}
        Some(_) => return Err(DecodeError::UnknownOpcode),
    }
    let lengths = frame.get(1..5).ok_or(DecodeError::Truncated)?;
    let mut rest = frame.slice(5..);
    let mut part = |length: u8| {
        if rest.len() < usize::from(length) {
            return Err(DecodeError::Truncated);
        }
        let part = rest.split_to(usize::from(length));
        String::from_utf8(part.to_vec()).map_err(|_| DecodeError::NotUtf8)
    };
    let join_ref = part(lengths[0])?;
    let reference = part(lengths[1])?;
    let topic = part(lengths[2])?;
    let event = part(lengths[3])?;
    if join_ref.len() > crate::MAX_REF_BYTES || reference.len() > crate::MAX_REF_BYTES {
        return Err(DecodeError::RefTooLong);
    }
    Ok(ClientFrame {
        join_ref: Ref::from_text(&join_ref),
        reference: Ref::from_text(&reference),
        topic,
        event,
        payload: Payload::Binary(rest),
    })
}

/// Writes a broadcast; `None` where a name does not fit its one byte of length, which no
/// [`crate::Topic`] or [`crate::Event`] does.
pub(crate) fn encode_broadcast(topic: &str, event: &str, data: &[u8]) -> Option<Encoded> {
    let topic_length = u8::try_from(topic.len()).ok()?;
    let event_length = u8::try_from(event.len()).ok()?;
    let mut out = BytesMut::with_capacity(3 + topic.len() + event.len() + data.len());
    out.put_slice(&[BROADCAST, topic_length, event_length]);
    out.put_slice(topic.as_bytes());
    out.put_slice(event.as_bytes());
    out.put_slice(data);
    Some(Encoded::Binary(out.freeze()))
}
