//! V2 as Supabase's clients read it: they know bytes as broadcasts of their own only.
//!
//! Everything else is V2. A plain Phoenix client cannot read opcode 4 and Supabase's cannot read
//! opcode 2, so which of the two a member gets is decided when it joins.

use bytes::Bytes;

use crate::codec::{Codec, Encoded, Status};
use crate::frame::{ClientFrame, DecodeError, Payload, Ref};
use crate::v2::V2;
use crate::v2_binary;

/// The codec of V2 for members that are Supabase's clients.
pub(crate) struct Supabase;

impl Codec for Supabase {
    fn decode_text(&self, frame: &Bytes) -> Result<ClientFrame, DecodeError> {
        V2.decode_text(frame)
    }

    fn decode_binary(&self, frame: &Bytes) -> Result<ClientFrame, DecodeError> {
        V2.decode_binary(frame)
    }

    fn reply(
        &self,
        join_ref: &Ref,
        reference: &Ref,
        topic: &str,
        status: Status,
        response: &str,
    ) -> Encoded {
        V2.reply(join_ref, reference, topic, status, response)
    }

    fn push(&self, join_ref: &Ref, topic: &str, event: &str, payload: &str) -> Encoded {
        V2.push(join_ref, topic, event, payload)
    }

    fn end(&self, join_ref: &Ref, topic: &str, event: &str, payload: &str) -> Encoded {
        V2.end(join_ref, topic, event, payload)
    }

    fn broadcast(&self, topic: &str, event: &str, payload: &Payload) -> Option<Encoded> {
        match payload {
            Payload::Json(_) => V2.broadcast(topic, event, payload),
            Payload::Binary(data) => v2_binary::encode_member_broadcast(topic, event, data),
        }
    }
}
