//! Properties of the codecs: decoding never panics, what is encoded decodes to the same, and a
//! payload goes through byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_protocol::{
    BusName, DecodeError, Direction, Encoded, Event, Payload, Ref, Serializer, Status, Topic,
    TopicPattern,
};

const ALL: [Serializer; 3] = [Serializer::V1, Serializer::V2, Serializer::Supabase];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(".{0,8}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_ref() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<u32>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from),
    ]
}

fn text(encoded: &Encoded) -> Value {
    match encoded {
        Encoded::Text(text) => serde_json::from_slice(text).expect("valid JSON"),
        Encoded::Binary(_) => panic!("expected a text frame"),
    }
}

fn decode(
    serializer: Serializer,
    frame: &str,
) -> Result<tidegate_protocol::ClientFrame, DecodeError> {
    serializer
        .codec()
        .decode_text(&Bytes::copy_from_slice(frame.as_bytes()))
}

/// A frame with opcode 3, and the length of everything before its payload; nothing where a part
/// has no length of one byte.
fn member_broadcast(parts: [&str; 5], encoding: u8, data: &[u8]) -> Option<(Bytes, usize)> {
    let mut frame = vec![3];
    for part in parts {
        frame.push(u8::try_from(part.len()).ok()?);
    }
    frame.push(encoding);
    frame.extend(parts.concat().as_bytes());
    let header = frame.len();
    frame.extend(data);
    Some((frame.into(), header))
}

proptest! {
    #[test]
    fn decoding_never_panics(data in prop::collection::vec(any::<u8>(), 0..300), opcode in 0..6_u8) {
        let mut binary = data.clone();
        binary.insert(0, opcode);
        for serializer in ALL {
            let codec = serializer.codec();
            let _ = codec.decode_text(&Bytes::from(data.clone()));
            let _ = codec.decode_binary(&Bytes::from(data.clone()));
            let _ = codec.decode_binary(&Bytes::from(binary.clone()));
        }
        let _ = BusName::parse(&data);
        let _ = Payload::from_bus(Bytes::from(data));
    }

    #[test]
    fn decoding_nearly_good_frames_never_panics(frame in r#"\[("[a-z"\\]{0,4}"|null|[0-9.e-]{1,4}|,|\[|\{|:|\}|\]| ){0,12}\]"#) {
        let _ = decode(Serializer::V2, &frame);
        let _ = decode(Serializer::V1, &frame);
    }

    /// A2 and A9: refs and payload come out as they went in.
    #[test]
    fn a_v2_frame_decodes_to_its_parts(
        join_ref in any_ref(), reference in any_ref(), topic in ".{0,40}", event in ".{0,40}",
        payload in any_json(),
    ) {
        let frame = json!([join_ref, reference, topic, event, payload]).to_string();
        let decoded = decode(Serializer::V2, &frame).unwrap();
        prop_assert_eq!(decoded.join_ref.as_json(), join_ref.to_string());
        prop_assert_eq!(decoded.reference.as_json(), reference.to_string());
        prop_assert_eq!((decoded.topic, decoded.event), (topic, event));
        prop_assert_eq!(decoded.payload, Payload::Json(payload.to_string().into()));
    }

    #[test]
    fn a_v1_frame_decodes_to_its_parts(
        reference in any_ref(), topic in ".{0,40}", event in ".{0,40}", payload in any_json(),
    ) {
        let frame = json!({"topic": topic, "event": event, "payload": payload, "ref": reference});
        let decoded = decode(Serializer::V1, &frame.to_string()).unwrap();
        prop_assert!(decoded.join_ref.is_null());
        prop_assert_eq!(decoded.reference.as_json(), reference.to_string());
        prop_assert_eq!((decoded.topic, decoded.event), (topic, event));
        prop_assert_eq!(decoded.payload, Payload::Json(payload.to_string().into()));
    }

    /// Every frame that goes out is JSON with the parts in their places.
    #[test]
    fn what_is_encoded_has_its_parts(
        join_ref in any_ref(), reference in any_ref(), topic in ".{1,40}", event in ".{1,40}",
        payload in any_json(),
    ) {
        let frame = json!([join_ref, reference, topic, "x", null]).to_string();
        let refs = decode(Serializer::V2, &frame).unwrap();
        let (jr, r, body) = (refs.join_ref, refs.reference, payload.to_string());
        let reply = json!({"status": "error", "response": payload});
        let v2 = Serializer::V2.codec();
        prop_assert_eq!(
            text(&v2.reply(&jr, &r, &topic, Status::Error, &body)),
            json!([join_ref, reference, topic, "phx_reply", reply])
        );
        prop_assert_eq!(
            text(&v2.push(&jr, &topic, &event, &body)),
            json!([join_ref, null, topic, event, payload])
        );
        prop_assert_eq!(
            text(&v2.end(&jr, &topic, &event, &body)),
            json!([join_ref, join_ref, topic, event, payload])
        );
        let shared = Payload::Json(body.clone().into());
        prop_assert_eq!(
            text(&v2.broadcast(&topic, &event, &shared).unwrap()),
            json!([null, null, topic, event, payload])
        );
        let v1 = Serializer::V1.codec();
        prop_assert_eq!(
            text(&v1.reply(&jr, &r, &topic, Status::Error, &body)),
            json!({"topic": topic, "event": "phx_reply", "ref": reference, "payload": reply})
        );
        prop_assert_eq!(
            text(&v1.broadcast(&topic, &event, &shared).unwrap()),
            json!({"topic": topic, "event": event, "ref": null, "payload": payload})
        );
    }

    #[test]
    fn a_binary_push_decodes_to_its_parts(
        join_ref in "[a-z0-9]{0,60}", reference in "[a-z0-9]{0,60}", topic in "\\PC{0,60}",
        event in "\\PC{0,60}", data in prop::collection::vec(any::<u8>(), 0..100), cut in 0..20_usize,
    ) {
        let parts = [&join_ref, &reference, &topic, &event];
        prop_assume!(parts.iter().all(|part| part.len() < 256));
        let mut frame = vec![0];
        frame.extend(parts.iter().map(|part| part.len() as u8));
        parts.iter().for_each(|part| frame.extend(part.as_bytes()));
        let header = frame.len();
        frame.extend(&data);
        let codec = Serializer::V2.codec();
        let decoded = codec.decode_binary(&Bytes::from(frame.clone())).unwrap();
        prop_assert_eq!(decoded.join_ref, Ref::from_text(&join_ref));
        prop_assert_eq!(decoded.reference.to_text(), reference);
        prop_assert_eq!((decoded.topic, decoded.event), (topic, event));
        prop_assert_eq!(decoded.payload, Payload::Binary(data.into()));
        frame.truncate(header.saturating_sub(cut + 1));
        prop_assert_eq!(codec.decode_binary(&Bytes::from(frame)), Err(DecodeError::Truncated));
    }

    /// Opcode 3 with JSON is what the same client pushes as text, payload byte for byte (A9).
    #[test]
    fn a_json_broadcast_decodes_to_its_parts(
        join_ref in "[a-z0-9]{0,60}", reference in "[a-z0-9]{0,60}", topic in "\\PC{0,60}",
        event in ".{0,60}", metadata in ".{0,60}", payload in any_json(), cut in 0..20_usize,
    ) {
        let json = payload.to_string();
        let parts: [&str; 5] = [&join_ref, &reference, &topic, &event, &metadata];
        let Some((frame, header)) = member_broadcast(parts, 1, json.as_bytes()) else {
            return Ok(());
        };
        for serializer in [Serializer::V2, Serializer::Supabase] {
            let codec = serializer.codec();
            let decoded = codec.decode_binary(&frame).unwrap();
            prop_assert_eq!(&decoded.join_ref, &Ref::from_text(&join_ref));
            prop_assert_eq!(decoded.reference.to_text(), reference.as_str());
            prop_assert_eq!((decoded.topic.as_str(), decoded.event.as_str()), (topic.as_str(), "broadcast"));
            let text = decoded.payload.as_json().unwrap();
            let wrapped = json!({"type": "broadcast", "event": event, "payload": payload});
            prop_assert_eq!(serde_json::from_str::<Value>(text).unwrap(), wrapped);
            let end = format!(",\"payload\":{json}}}");
            prop_assert!(text.ends_with(&end));
            let short = frame.slice(..header.saturating_sub(cut + 1));
            prop_assert_eq!(codec.decode_binary(&short), Err(DecodeError::Truncated));
            let mut none = frame[..header].to_vec();
            none.extend(b"{");
            prop_assert_eq!(codec.decode_binary(&none.into()), Err(DecodeError::NotJson));
        }
    }

    /// Opcode 3 with bytes is a push of these bytes, and opcode 4 carries them to the others.
    #[test]
    fn a_broadcast_of_bytes_goes_through(
        topic in "\\PC{1,60}", event in "\\PC{1,60}", metadata in ".{0,60}",
        data in prop::collection::vec(any::<u8>(), 0..100), encoding in 2..=255_u8,
    ) {
        let parts = ["1", "2", &topic, &event, &metadata];
        let Some((frame, _)) = member_broadcast(parts, 0, &data) else {
            return Ok(());
        };
        let codec = Serializer::Supabase.codec();
        let decoded = codec.decode_binary(&frame).unwrap();
        prop_assert_eq!((&decoded.topic, &decoded.event), (&topic, &event));
        prop_assert_eq!(&decoded.payload, &Payload::Binary(data.clone().into()));
        let sent = codec.broadcast(&topic, &event, &decoded.payload).unwrap();
        let mut expected = vec![4, topic.len() as u8, event.len() as u8, 0, 0];
        expected.extend([topic.as_bytes(), event.as_bytes(), &data].concat());
        prop_assert_eq!(sent, Encoded::Binary(expected.into()));
        prop_assert_eq!(Serializer::V1.codec().broadcast(&topic, &event, &decoded.payload), None);
        let (unknown, _) = member_broadcast(parts, encoding, &data).unwrap();
        prop_assert_eq!(codec.decode_binary(&unknown), Err(DecodeError::UnknownEncoding));
    }

    /// A7: what is a name goes over the bus and comes back as it was.
    #[test]
    fn names_survive_the_bus(topic in "\\PC{1,60}", event in "\\PC{1,60}") {
        if let (Ok(topic), Ok(event)) = (Topic::new(&topic), Event::new(&event)) {
            for direction in [Direction::To, Direction::From] {
                let name = BusName { direction, topic: topic.clone(), event: event.clone() };
                prop_assert_eq!(BusName::parse(name.to_string().as_bytes()), Ok(name));
            }
        }
    }

    /// A13: a pattern never means a topic that does not start with its prefix.
    #[test]
    fn a_pattern_means_only_its_prefix(pattern in "[ab:*]{1,6}", topic in "[ab:*]{1,6}") {
        let matches = TopicPattern::new(&pattern).unwrap().matches(&topic);
        let expected = pattern == topic
            || (pattern.len() > 2
                && pattern.ends_with(":*")
                && topic.starts_with(&pattern[..pattern.len() - 1])
                && topic.len() > pattern.len() - 1);
        prop_assert_eq!(matches, expected);
    }
}

/// Part E, 8.4: the vectors of the JavaScript client's own tests.
#[test]
fn the_published_binary_vectors_hold() {
    let codec = Serializer::V2.codec();
    let push = codec
        .decode_binary(&Bytes::from_static(b"\0\x01\x01\x01\x0101te\x01"))
        .unwrap();
    assert_eq!(
        (push.join_ref.to_text(), push.reference.to_text()),
        ("0".into(), "1".into())
    );
    assert_eq!((push.topic.as_str(), push.event.as_str()), ("t", "e"));
    assert_eq!(push.payload, Payload::Binary(Bytes::from_static(b"\x01")));
    let broadcast = codec.broadcast(
        "top",
        "some-event",
        &Payload::Binary(Bytes::from_static(b"\x01\x01")),
    );
    let expected = Bytes::from_static(b"\x02\x03\x0atopsome-event\x01\x01");
    assert_eq!(broadcast, Some(Encoded::Binary(expected)));
}

/// What the serializer of the published @supabase/realtime-js 2.119.0 makes of broadcasts.
#[test]
fn the_published_broadcasts_are_read() {
    let (json, bytes): (&'static [u8], &'static [u8]) = (
        b"\x03\x01\x02\r\x03\x10\x01112realtime:roomsay{\"persist\":true}{\"a\":[1]}",
        b"\x03\x01\x02\r\x03\x00\x00112realtime:roomsay\xff\0",
    );
    let wrapped = r#"{"type":"broadcast","event":"say","payload":{"a":[1]}}"#;
    for (frame, event, payload) in [
        (json, "broadcast", Payload::Json(wrapped.into())),
        (bytes, "say", Payload::Binary(Bytes::from_static(b"\xff\0"))),
    ] {
        let codec = Serializer::V2.codec();
        let frame = codec.decode_binary(&Bytes::from_static(frame)).unwrap();
        let refs = (frame.join_ref.as_json(), frame.reference.as_json());
        assert_eq!(refs, (r#""1""#, r#""12""#));
        assert_eq!(
            (frame.topic.as_str(), frame.event.as_str()),
            ("realtime:room", event)
        );
        assert_eq!(frame.payload, payload);
    }
}

/// A8: any JSON is JSON, byte for byte; anything else is bytes.
#[test]
fn a_body_from_the_bus_is_json_or_bytes() {
    for json in ["{}", " [1] ", "\"a\"", "1.50", "null", "{\"b\":1,\"a\":2}"] {
        assert_eq!(
            Payload::from_bus(Bytes::from_static(json.as_bytes())),
            Payload::Json(json.into())
        );
    }
    for bytes in [&b""[..], b"{", b"01", b"nul", b"\xff", b"\"\xff\"", b"{}{}"] {
        let payload = Payload::from_bus(Bytes::from_static(bytes));
        assert_eq!(payload, Payload::Binary(Bytes::from_static(bytes)));
    }
}

#[test]
fn what_is_no_frame_says_why() {
    for (frame, error) in [
        ("", DecodeError::NotAFrame),
        ("{}", DecodeError::NotAFrame),
        ("[1,2,3,4]", DecodeError::TooFewElements),
        ("[1,2,3,\"e\",5]", DecodeError::WrongType),
        ("[1,2,\"t\",null,5]", DecodeError::WrongType),
        ("[1,2,\"t\",\"e\",5]x", DecodeError::NotAFrame),
    ] {
        assert_eq!(decode(Serializer::V2, frame).unwrap_err(), error, "{frame}");
    }
    // V1 is objects only, though their fields would fit into an array as well.
    for frame in [r#"["t","e",{},"1",null]"#, "", "1", r#"{"topic":"t"}"#] {
        assert_eq!(
            decode(Serializer::V1, frame).unwrap_err(),
            DecodeError::NotAFrame
        );
    }
    let long = format!("[\"{}\",1,\"t\",\"e\",5]", "x".repeat(63));
    assert_eq!(
        decode(Serializer::V2, &long).unwrap_err(),
        DecodeError::RefTooLong
    );
    let not_utf8 = Bytes::from_static(b"[1,2,\"\xff\",\"e\",5]");
    assert_eq!(
        Serializer::V2.codec().decode_text(&not_utf8).unwrap_err(),
        DecodeError::NotUtf8
    );
}
