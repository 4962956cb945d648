//! `vsn=2.0.0`: `[join_ref, ref, topic, event, payload]`, and binary frames beside it.

use bytes::Bytes;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::codec::{Codec, Encoded, Status, write_json_string};
use crate::frame::{ClientFrame, DecodeError, Payload, Ref};
use crate::v2_binary;

/// The codec of V2.
pub(crate) struct V2;

/// The five elements as they stand in the frame; further ones are skipped.
struct Elements<'a> {
    count: usize,
    raw: [Option<&'a RawValue>; 5],
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of join_ref, ref, topic, event, payload")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Elements {
            count: 0,
            raw: [None; 5],
        };
        while elements.count < 5 {
            match seq.next_element::<&'de RawValue>()? {
                Some(raw) => elements.raw[elements.count] = Some(raw),
                None => return Ok(elements),
            }
            elements.count += 1;
        }
        while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(elements)
    }
}

impl Codec for V2 {
    fn decode_text(&self, frame: &Bytes) -> Result<ClientFrame, DecodeError> {
        let text = std::str::from_utf8(frame).map_err(|_| DecodeError::NotUtf8)?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let elements = deserializer
            .deserialize_seq(ElementsVisitor)
            .and_then(|elements| deserializer.end().map(|()| elements))
            .map_err(|_| DecodeError::NotAFrame)?;
        let [
            Some(join_ref),
            Some(reference),
            Some(topic),
            Some(event),
            Some(payload),
        ] = elements.raw
        else {
            return Err(DecodeError::TooFewElements);
        };
        Ok(ClientFrame {
            join_ref: Ref::from_json(join_ref.get())?,
            reference: Ref::from_json(reference.get())?,
            topic: string(topic)?,
            event: string(event)?,
            payload: Payload::Json(frame.slice_ref(payload.get().as_bytes())),
        })
    }

    fn decode_binary(&self, frame: &Bytes) -> Result<ClientFrame, DecodeError> {
        v2_binary::decode(frame)
    }

    fn reply(
        &self,
        join_ref: &Ref,
        reference: &Ref,
        topic: &str,
        status: Status,
        response: &str,
    ) -> Encoded {
        let payload = format!(
            r#"{{"status":"{}","response":{response}}}"#,
            status.as_str()
        );
        array(join_ref, reference, topic, "phx_reply", payload.as_bytes())
    }

    fn push(&self, join_ref: &Ref, topic: &str, event: &str, payload: &str) -> Encoded {
        array(join_ref, &Ref::NULL, topic, event, payload.as_bytes())
    }

    fn end(&self, join_ref: &Ref, topic: &str, event: &str, payload: &str) -> Encoded {
        array(join_ref, join_ref, topic, event, payload.as_bytes())
    }

    fn broadcast(&self, topic: &str, event: &str, payload: &Payload) -> Option<Encoded> {
        match payload {
            Payload::Json(json) => Some(array(&Ref::NULL, &Ref::NULL, topic, event, json)),
            Payload::Binary(data) => v2_binary::encode_broadcast(topic, event, data),
        }
    }
}

fn string(raw: &RawValue) -> Result<String, DecodeError> {
    serde_json::from_str(raw.get()).map_err(|_| DecodeError::WrongType)
}

fn array(join_ref: &Ref, reference: &Ref, topic: &str, event: &str, payload: &[u8]) -> Encoded {
    let (join_ref, reference) = (join_ref.as_json(), reference.as_json());
    let length = join_ref.len() + reference.len() + topic.len() + event.len() + payload.len() + 10;
    let mut out = Vec::with_capacity(length);
    out.push(b'[');
    out.extend_from_slice(join_ref.as_bytes());
    out.push(b',');
    out.extend_from_slice(reference.as_bytes());
    out.push(b',');
    write_json_string(&mut out, topic);
    out.push(b',');
    write_json_string(&mut out, event);
    out.push(b',');
    out.extend_from_slice(payload);
    out.push(b']');
    Encoded::Text(out.into())
}
