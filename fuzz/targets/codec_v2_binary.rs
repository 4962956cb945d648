//! The binary frames of V2, Supabase's among them: no bytes make it panic, each part is found where
//! the layout has it, and what is broadcast is laid out as clients take it apart.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tidegate_fuzz::{has_good_names, survives_encoding};
use tidegate_protocol::{ClientFrame, Encoded, MAX_REF_BYTES, Payload, Serializer};

fuzz_target!(|input: &[u8]| {
    let codec = Serializer::V2.codec();
    let Ok(frame) = codec.decode_binary(&Bytes::copy_from_slice(input)) else {
        return;
    };
    has_good_names(&frame);
    let parts = match input[0] {
        0 => Parts::after::<5>(input),
        3 => Parts::after::<7>(input),
        opcode => panic!("clients do not send opcode {opcode}"),
    };
    assert_eq!(frame.join_ref.to_text().as_bytes(), parts.part(0));
    assert_eq!(frame.reference.to_text().as_bytes(), parts.part(1));
    assert_eq!(frame.topic.as_bytes(), parts.part(2));
    match &frame.payload {
        Payload::Binary(data) => {
            assert_eq!(frame.event.as_bytes(), parts.part(3));
            assert_eq!(data, parts.rest);
            broadcast(&frame, data);
        }
        Payload::Json(payload) => wrapped(&frame, payload, &parts),
    }
});

/// A frame by its layout.
struct Parts<'a> {
    parts: Vec<&'a [u8]>,
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Behind a header of so many bytes, the opcode among them.
    fn after<const HEADER: usize>(frame: &'a [u8]) -> Self {
        let (header, mut rest) = frame.split_at(HEADER);
        // The seventh byte is an encoding and no length.
        let lengths = &header[1..HEADER.min(6)];
        let parts = lengths.iter().map(|length| {
            let (part, after) = rest.split_at(usize::from(*length));
            rest = after;
            part
        });
        Self {
            parts: parts.collect(),
            rest,
        }
    }

    fn part(&self, number: usize) -> &'a [u8] {
        self.parts[number]
    }
}

/// For Phoenix opcode 2 and two lengths; for Supabase opcode 4, and no metadata, and bytes.
fn broadcast(frame: &ClientFrame, data: &[u8]) {
    let lengths = [frame.topic.len() as u8, frame.event.len() as u8];
    for (serializer, header) in [
        (Serializer::V2, vec![2, lengths[0], lengths[1]]),
        (Serializer::Supabase, vec![4, lengths[0], lengths[1], 0, 0]),
    ] {
        let codec = serializer.codec();
        let encoded = codec.broadcast(&frame.topic, &frame.event, &frame.payload);
        let Some(Encoded::Binary(encoded)) = encoded else {
            panic!("names from a frame fit into a frame");
        };
        let names = [frame.topic.as_bytes(), frame.event.as_bytes()];
        assert_eq!(encoded, [&header[..], names[0], names[1], data].concat());
    }
}

/// JSON comes as Supabase's clients write it in a text frame.
fn wrapped(frame: &ClientFrame, payload: &[u8], parts: &Parts<'_>) {
    assert_eq!(frame.event, "broadcast");
    let event = std::str::from_utf8(parts.part(3)).expect("a name is UTF-8");
    // Numbers too large and nesting too deep for a `Value` are passed on unread.
    if let Ok(data) = serde_json::from_slice::<Value>(parts.rest) {
        let expected = json!({"type": "broadcast", "event": event, "payload": data});
        let found: Value = serde_json::from_slice(payload).expect("JSON");
        assert_eq!(found, expected);
    }
    // As JSON a ref may be longer than a text frame's may be.
    let refs = [&frame.join_ref, &frame.reference];
    if refs.iter().all(|it| it.as_json().len() <= MAX_REF_BYTES) {
        survives_encoding(Serializer::V2, frame);
        survives_encoding(Serializer::Supabase, frame);
    }
}
