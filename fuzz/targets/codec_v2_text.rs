//! The text frames of V2: no bytes make it panic, and what it reads is what was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tidegate_fuzz::{has_good_names, says_what_it_said, survives_encoding, text_frame};
use tidegate_protocol::Serializer;

fuzz_target!(|input: &[u8]| {
    let text = text_frame(input);
    let Ok(frame) = Serializer::V2.codec().decode_text(&text) else {
        return;
    };
    says_what_it_said(&text, &frame, |whole: &Value| {
        whole.as_array()?.first_chunk().cloned()
    });
    survives_encoding(Serializer::V2, &frame);
    has_good_names(&frame);
});
