//! What a client's frame says, whatever serializer it came in.

use bytes::Bytes;

use crate::names::NameError;

/// The longest ref, in bytes of JSON text. phoenix.js counts up decimal strings; 64 is ample.
pub const MAX_REF_BYTES: usize = 64;

/// A `join_ref` or `ref`: echoed as the JSON value it came as, never interpreted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Ref(Option<Box<str>>);

impl Ref {
    /// JSON `null`, or a part that was not there.
    pub const NULL: Ref = Ref(None);

    /// From the text of one JSON value, which the caller has checked to be one.
    pub(crate) fn from_json(json: &str) -> Result<Self, DecodeError> {
        match json {
            "null" => Ok(Ref::NULL),
            _ if json.len() > MAX_REF_BYTES => Err(DecodeError::RefTooLong),
            _ => Ok(Ref(Some(json.into()))),
        }
    }

    /// From a plain string, as the binary frames carry it; the empty string is `null`.
    pub fn from_text(text: &str) -> Self {
        if text.is_empty() {
            Ref::NULL
        } else {
            Ref(Some(
                serde_json::Value::from(text).to_string().into_boxed_str(),
            ))
        }
    }

    /// The JSON value to write into a frame.
    pub fn as_json(&self) -> &str {
        self.0.as_deref().unwrap_or("null")
    }

    /// The ref without JSON's quotes, for binary frames and for the `id` of a join reply.
    pub fn to_text(&self) -> String {
        match &self.0 {
            None => String::new(),
            Some(json) => serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_string()),
        }
    }

    /// Whether this is JSON `null`.
    pub fn is_null(&self) -> bool {
        self.0.is_none()
    }
}

/// What an event carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The text of one JSON value, byte for byte as its sender wrote it; always UTF-8.
    Json(Bytes),
    /// Anything else.
    Binary(Bytes),
}

impl Payload {
    /// What a body from the bus is: JSON of any kind, or bytes (wire.md A8).
    pub fn from_bus(body: Bytes) -> Self {
        let json = std::str::from_utf8(&body)
            .is_ok_and(|text| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok());
        if json {
            Payload::Json(body)
        } else {
            Payload::Binary(body)
        }
    }

    /// The bytes, whichever kind.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Payload::Json(bytes) | Payload::Binary(bytes) => bytes,
        }
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether there is none: only a binary payload can be empty.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The JSON text, or nothing for a binary payload.
    pub fn as_json(&self) -> Option<&str> {
        match self {
            Payload::Json(bytes) => std::str::from_utf8(bytes).ok(),
            Payload::Binary(_) => None,
        }
    }
}

/// One decoded frame. Topic and event are not yet checked: an answer to a bad name needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFrame {
    /// The join this frame belongs to.
    pub join_ref: Ref,
    /// What the answer must echo; null asks for none.
    pub reference: Ref,
    /// The topic as it came.
    pub topic: String,
    /// The event as it came.
    pub event: String,
    /// The payload, untouched.
    pub payload: Payload,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A text frame must be UTF-8 (RFC 6455, section 8.1).
    #[error("the frame is not UTF-8")]
    NotUtf8,
    /// Not JSON at all, or not the array (V2) or object (V1) that it must be.
    #[error("the frame is not a JSON array of join_ref, ref, topic, event, payload")]
    NotAFrame,
    /// An array of fewer than five.
    #[error("the frame has fewer than five elements")]
    TooFewElements,
    /// Topic or event is not a string.
    #[error("topic and event must be strings")]
    WrongType,
    /// A ref above [`MAX_REF_BYTES`].
    #[error("a ref must not be longer than 64 bytes")]
    RefTooLong,
    /// A binary frame shorter than its own header says.
    #[error("the binary frame is shorter than its header says")]
    Truncated,
    /// A binary frame with an opcode that clients do not send.
    #[error("the binary frame has an unknown opcode")]
    UnknownOpcode,
    /// A broadcast that is neither bytes nor JSON.
    #[error("the broadcast's encoding must be 0 for bytes or 1 for JSON")]
    UnknownEncoding,
    /// A broadcast that says that it is JSON.
    #[error("the broadcast's payload is not JSON")]
    NotJson,
    /// The serializer has no binary frames.
    #[error("this serializer has no binary frames")]
    BinaryUnsupported,
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
}
