//! `vsn=1.0.0`: objects with `topic`, `event`, `payload`, `ref`; text only.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::codec::{Codec, Encoded, Status, write_json_string};
use crate::frame::{ClientFrame, DecodeError, Payload, Ref};

/// The codec of V1.
pub(crate) struct V1;

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(borrow, rename = "ref")]
    reference: &'a RawValue,
    #[serde(borrow)]
    join_ref: Option<&'a RawValue>,
}

impl Codec for V1 {
    fn decode_text(&self, frame: &Bytes) -> Result<ClientFrame, DecodeError> {
        let text = std::str::from_utf8(frame).map_err(|_| DecodeError::NotUtf8)?;
        // What is derived for a struct would take an array of its fields as well.
        if !text.trim_start().starts_with('{') {
            return Err(DecodeError::NotAFrame);
        }
        let object: Object<'_> = serde_json::from_str(text).map_err(|_| DecodeError::NotAFrame)?;
        Ok(ClientFrame {
            join_ref: object
                .join_ref
                .map_or(Ok(Ref::NULL), |raw| Ref::from_json(raw.get()))?,
            reference: Ref::from_json(object.reference.get())?,
            topic: object.topic.into_owned(),
            event: object.event.into_owned(),
            payload: Payload::Json(frame.slice_ref(object.payload.get().as_bytes())),
        })
    }

    fn decode_binary(&self, _frame: &Bytes) -> Result<ClientFrame, DecodeError> {
        Err(DecodeError::BinaryUnsupported)
    }

    fn reply(
        &self,
        _join_ref: &Ref,
        reference: &Ref,
        topic: &str,
        status: Status,
        response: &str,
    ) -> Encoded {
        let payload = format!(
            r#"{{"status":"{}","response":{response}}}"#,
            status.as_str()
        );
        object(reference, topic, "phx_reply", payload.as_bytes())
    }

    fn push(&self, _join_ref: &Ref, topic: &str, event: &str, payload: &str) -> Encoded {
        object(&Ref::NULL, topic, event, payload.as_bytes())
    }

    fn end(&self, join_ref: &Ref, topic: &str, event: &str, payload: &str) -> Encoded {
        object(join_ref, topic, event, payload.as_bytes())
    }

    fn broadcast(&self, topic: &str, event: &str, payload: &Payload) -> Option<Encoded> {
        match payload {
            Payload::Json(json) => Some(object(&Ref::NULL, topic, event, json)),
            Payload::Binary(_) => None,
        }
    }
}

fn object(reference: &Ref, topic: &str, event: &str, payload: &[u8]) -> Encoded {
    let mut out = Vec::with_capacity(topic.len() + event.len() + payload.len() + 64);
    out.extend_from_slice(br#"{"topic":"#);
    write_json_string(&mut out, topic);
    out.extend_from_slice(br#","event":"#);
    write_json_string(&mut out, event);
    out.extend_from_slice(br#","ref":"#);
    out.extend_from_slice(reference.as_json().as_bytes());
    out.extend_from_slice(br#","payload":"#);
    out.extend_from_slice(payload);
    out.push(b'}');
    Encoded::Text(out.into())
}
