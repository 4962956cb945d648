//! permessage-deflate: no payload makes it panic or grow beyond the limit, what it unpacks is what
//! another implementation unpacks, and whatever came before, what is packed is unpacked again.
//!
//! Input: a limit; then a payload, which is also a content to be packed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use tidegate_websocket::Violation;
use tidegate_websocket::deflate::{answer, deflate, inflate};

const LIMITS: [usize; 4] = [0, 100, 4096, 200_000];
/// What the wire leaves out at the end of a message (RFC 7692, section 7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
const LAST: [u8; 2] = [0x03, 0x00];

fuzz_target!(|input: &[u8]| {
    let [limit, rest @ ..] = input else {
        return;
    };
    let limit = LIMITS[usize::from(*limit) % LIMITS.len()];
    if let Ok(offers) = std::str::from_utf8(rest) {
        answer(offers);
    }

    if rest.is_empty() {
        assert_eq!(inflate(rest, limit), Ok(Vec::new()));
        return;
    }
    // A last block behind it shows that it ends where a block does.
    let whole = [rest, &TAIL, &LAST].concat();
    let expected = decompress_to_vec_with_limit(&whole, limit + 1);
    match (inflate(rest, limit), expected) {
        (Ok(content), Ok(other)) => {
            assert_eq!(content, other);
            assert!(content.len() <= limit);
            assert!(content.capacity() <= 2 * limit + 8192);
        }
        (Err(Violation::TooLarge), Ok(other)) => assert!(other.len() > limit),
        (Err(Violation::TooLarge | Violation::Compression), Err(_)) => {}
        // The other one takes incomplete sets of distances, which zlib refuses as well.
        (Err(Violation::Compression), Ok(_)) => {}
        unequal => panic!("{unequal:?}"),
    }

    if let Some(payload) = deflate(rest) {
        assert!(payload.len() < rest.len());
        assert_eq!(inflate(&payload, rest.len()), Ok(rest.to_vec()));
        let short = inflate(&payload, rest.len() - 1);
        assert_eq!(short, Err(Violation::TooLarge));
    }
});
