//! The seam between frames and bytes: one [`Codec`] per serializer version.
//!
//! A codec is stateless; [`Serializer::codec`] hands out the one there is. Whatever is sent to
//! many is encoded once per serializer and shared: [`Encoded`] clones in constant time.

use bytes::Bytes;

use crate::frame::{ClientFrame, DecodeError, Payload, Ref};
use crate::{supabase, v1, v2};

/// A frame's content as it goes into the WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoded {
    /// A text frame; always UTF-8.
    Text(Bytes),
    /// A binary frame.
    Binary(Bytes),
}

impl Encoded {
    /// The content, whichever kind.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Encoded::Text(bytes) | Encoded::Binary(bytes) => bytes,
        }
    }

    /// The length of the content in bytes.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether the content is empty; no codec makes such a frame.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }
}

/// The `status` of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Ok,
    /// It was not, and the response says why.
    Error,
}

impl Status {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Error => "error",
        }
    }
}

/// Decodes what a client sends, encodes what it gets. Payload texts must be JSON.
pub trait Codec: Send + Sync {
    /// Reads a text frame.
    fn decode_text(&self, frame: &Bytes) -> Result<ClientFrame, DecodeError>;

    /// Reads a binary frame.
    fn decode_binary(&self, frame: &Bytes) -> Result<ClientFrame, DecodeError>;

    /// The answer to a frame; `response` is the text of a JSON value.
    fn reply(
        &self,
        join_ref: &Ref,
        reference: &Ref,
        topic: &str,
        status: Status,
        response: &str,
    ) -> Encoded;

    /// An event for one member.
    fn push(&self, join_ref: &Ref, topic: &str, event: &str, payload: &str) -> Encoded;

    /// `phx_close` or `phx_error` of one join: `ref` is the join's own.
    fn end(&self, join_ref: &Ref, topic: &str, event: &str, payload: &str) -> Encoded;

    /// An event for every member: the same bytes for all. `None` when the serializer has no way
    /// to carry this payload.
    fn broadcast(&self, topic: &str, event: &str, payload: &Payload) -> Option<Encoded>;
}

/// The version a client asked for with `vsn`, and what it makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Serializer {
    /// `vsn=1.0.0`: JSON objects.
    V1,
    /// `vsn=2.0.0`: JSON arrays and binary frames.
    V2,
    /// The same for a member that is one of Supabase's clients: bytes come as opcode 4. A socket
    /// is never of this serializer, only a join is.
    Supabase,
}

impl Serializer {
    /// How many serializers there are; [`Serializer::index`] is below it.
    pub const COUNT: usize = 3;

    /// A small number for tables with one entry per serializer.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// From the value of `vsn`.
    pub fn from_version(version: &str) -> Option<Self> {
        match version {
            "1.0.0" => Some(Serializer::V1),
            "2.0.0" => Some(Serializer::V2),
            _ => None,
        }
    }

    /// The value of `vsn`.
    pub const fn version(self) -> &'static str {
        match self {
            Serializer::V1 => "1.0.0",
            Serializer::V2 | Serializer::Supabase => "2.0.0",
        }
    }

    /// Where no `vsn` was given, the first text frame decides: an array is V2, an object V1.
    pub fn detect(frame: &[u8]) -> Option<Self> {
        match frame.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => Some(Serializer::V2),
            Some(b'{') => Some(Serializer::V1),
            _ => None,
        }
    }

    /// The codec of this version.
    pub fn codec(self) -> &'static dyn Codec {
        match self {
            Serializer::V1 => &v1::V1,
            Serializer::V2 => &v2::V2,
            Serializer::Supabase => &supabase::Supabase,
        }
    }
}

/// Appends the JSON string of a name.
pub(crate) fn write_json_string(out: &mut Vec<u8>, text: &str) {
    // Names hold no control characters, so nearly all go through untouched.
    if text.bytes().all(|b| b != b'"' && b != b'\\' && b >= 0x20) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}
