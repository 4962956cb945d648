//! What the targets share: how input is cut, and what must hold of any frame that was decoded.

use bytes::Bytes;
use serde_json::Value;
use tidegate_protocol::{
    ClientFrame, Codec, Encoded, Event, Payload, Ref, Serializer, Status, Topic,
};

/// The pieces in which a network might hand over `bytes`, a thousand at most: their sizes follow
/// from `seed`.
pub fn pieces(bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(seed);
    let least = 1 + bytes.len() / 1024;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = least + (state >> 16) as usize % (1 + usize::from(seed));
        let (piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        Some(piece)
    })
}

/// A frame of JSON says what an independent reader finds in its text: `fields` picks out
/// `[join_ref, ref, topic, event, payload]`.
pub fn says_what_it_said(
    text: &[u8],
    frame: &ClientFrame,
    fields: impl Fn(&Value) -> Option<[Value; 5]>,
) {
    // Numbers too large and nesting too deep for a `Value` are passed on unread.
    let Ok(whole) = serde_json::from_slice(text) else {
        return;
    };
    let [join_ref, reference, topic, event, payload] =
        fields(&whole).expect("a frame of the right shape");
    assert_eq!(parse(frame.join_ref.as_json()), join_ref);
    assert_eq!(parse(frame.reference.as_json()), reference);
    assert_eq!(Value::from(frame.topic.as_str()), topic);
    assert_eq!(Value::from(frame.event.as_str()), event);
    assert_eq!(parse(json(&frame.payload)), payload);
}

/// What the gateway would send of a frame is read back as it was meant.
pub fn survives_encoding(serializer: Serializer, frame: &ClientFrame) {
    let codec = serializer.codec();
    // V1 has no place for a join_ref.
    let known = |join_ref: &Ref| match serializer {
        Serializer::V1 => Ref::NULL,
        _ => join_ref.clone(),
    };
    let payload = json(&frame.payload);

    let push = codec.push(&frame.join_ref, &frame.topic, &frame.event, payload);
    let expected = ClientFrame {
        join_ref: known(&frame.join_ref),
        reference: Ref::NULL,
        ..frame.clone()
    };
    assert_eq!(decoded(codec, &push), expected);

    let end = codec.end(&frame.join_ref, &frame.topic, &frame.event, payload);
    let expected = ClientFrame {
        join_ref: known(&frame.join_ref),
        reference: frame.join_ref.clone(),
        ..frame.clone()
    };
    assert_eq!(decoded(codec, &end), expected);

    let reply = codec.reply(
        &frame.join_ref,
        &frame.reference,
        &frame.topic,
        Status::Ok,
        payload,
    );
    let expected = ClientFrame {
        join_ref: known(&frame.join_ref),
        event: "phx_reply".into(),
        payload: Payload::Json(format!(r#"{{"status":"ok","response":{payload}}}"#).into()),
        ..frame.clone()
    };
    assert_eq!(decoded(codec, &reply), expected);

    let broadcast = codec.broadcast(&frame.topic, &frame.event, &frame.payload);
    let expected = ClientFrame {
        join_ref: Ref::NULL,
        reference: Ref::NULL,
        ..frame.clone()
    };
    assert_eq!(decoded(codec, &broadcast.expect("text")), expected);

    // What is published comes back from the bus as what it was.
    assert_eq!(
        Payload::from_bus(frame.payload.bytes().clone()),
        frame.payload
    );
}

/// Whether both names are such as the gateway lets in; judging them never panics.
pub fn has_good_names(frame: &ClientFrame) -> bool {
    Topic::new(&frame.topic).is_ok() & Event::new(&frame.event).is_ok()
}

fn decoded(codec: &dyn Codec, encoded: &Encoded) -> ClientFrame {
    let Encoded::Text(text) = encoded else {
        panic!("{encoded:?} is no text");
    };
    codec.decode_text(text).expect("what was encoded")
}

fn json(payload: &Payload) -> &str {
    payload.as_json().expect("a text frame's payload is JSON")
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("a part of what is JSON")
}

/// The text frame that all of a target's input is; also asked which serializer it looks like.
pub fn text_frame(input: &[u8]) -> Bytes {
    let _ = Serializer::detect(input);
    Bytes::copy_from_slice(input)
}
