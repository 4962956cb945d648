//! V1: no bytes make it panic, and what it reads is what was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tidegate_fuzz::{has_good_names, says_what_it_said, survives_encoding, text_frame};
use tidegate_protocol::Serializer;

fuzz_target!(|input: &[u8]| {
    let text = text_frame(input);
    let codec = Serializer::V1.codec();
    assert!(codec.decode_binary(&text).is_err());
    let Ok(frame) = codec.decode_text(&text) else {
        return;
    };
    says_what_it_said(&text, &frame, |whole: &Value| {
        let object = whole.as_object()?;
        let part = |name| object.get(name).cloned();
        Some([
            part("join_ref").unwrap_or_default(),
            part("ref")?,
            part("topic")?,
            part("event")?,
            part("payload")?,
        ])
    });
    survives_encoding(Serializer::V1, &frame);
    has_good_names(&frame);
});
