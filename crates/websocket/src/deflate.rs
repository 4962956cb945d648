//! permessage-deflate (RFC 7692), without context takeover on either side.
//!
//! Each message is compressed by itself, so a broadcast is compressed once for all subscribers and
//! an idle connection holds no window: 32 KiB and more where the context is kept from one message to
//! the next. The price is a little of the compression of small messages, which is why there is a
//! smallest size. The state of the algorithm belongs to the thread and is used again.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::decoder::Violation;

/// What ends every message of the algorithm and is left out on the wire (section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// An empty last block: whatever has an end can be followed by it.
const LAST: [u8; 2] = [0x03, 0x00];
/// Bytes by which an output grows.
const GROW: usize = 4096;

thread_local! {
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// The answer to an offer that asks for no window of the server's.
const ANSWER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// The answer to one that asks for the largest there is, and is to be told that it has it.
const ANSWER_WITH_WINDOW: &str = "permessage-deflate; server_no_context_takeover; \
     client_no_context_takeover; server_max_window_bits=15";

/// The answer to the offers in a `Sec-WebSocket-Extensions` header, if one of them can be accepted
/// (section 5). One that demands a smaller window of the server is passed over (section 7.1.2.1).
pub fn answer(offers: &str) -> Option<&'static str> {
    offers.split(',').find_map(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let accepted = parts.next() == Some("permessage-deflate")
            && parts.clone().all(|parameter| {
                let (name, value) = match parameter.split_once('=') {
                    Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                    None => (parameter, None),
                };
                match (name, value) {
                    ("server_no_context_takeover" | "client_no_context_takeover", None) => true,
                    ("client_max_window_bits", None) => true,
                    ("client_max_window_bits", Some(bits)) => {
                        matches!(bits.parse::<u8>(), Ok(8..=15))
                    }
                    ("server_max_window_bits", Some(bits)) => bits == "15",
                    _ => false,
                }
            })
            && no_name_twice(parts.clone());
        let window = parts.any(|parameter| parameter.starts_with("server_max_window_bits"));
        accepted.then_some(match window {
            true => ANSWER_WITH_WINDOW,
            false => ANSWER,
        })
    })
}

/// Section 7.1: a parameter that is there twice makes the offer none.
fn no_name_twice<'a>(parameters: impl Iterator<Item = &'a str>) -> bool {
    let mut names: Vec<_> = parameters
        .map(|parameter| parameter.split('=').next().unwrap_or_default().trim())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() == all
}

/// The payload of a message with this content; `None` where it would not be smaller.
pub fn deflate(content: &[u8]) -> Option<Vec<u8>> {
    DEFLATE.with_borrow_mut(|algorithm| {
        algorithm.reset();
        let mut out = Vec::with_capacity(content.len() / 2 + 64);
        loop {
            if out.len() == out.capacity() {
                out.reserve(GROW);
            }
            let taken = usize::try_from(algorithm.total_in()).ok()?;
            algorithm
                .compress_vec(content.get(taken..)?, &mut out, FlushCompress::Sync)
                .ok()?;
            let done = algorithm.total_in() as usize == content.len();
            // Room was left over: nothing more waits to be put out.
            if done && out.len() < out.capacity() {
                break;
            }
        }
        out.ends_with(&TAIL)
            .then(|| out.truncate(out.len() - TAIL.len()))?;
        (out.len() < content.len()).then_some(out)
    })
}

/// The content of a message with this payload, at most `max` bytes of it.
pub fn inflate(payload: &[u8], max: usize) -> Result<Vec<u8>, Violation> {
    // Strictly an empty message is one byte, but zlib puts out none for the second in a row.
    if payload.is_empty() {
        return Ok(Vec::new());
    }
    INFLATE.with_borrow_mut(|algorithm| {
        algorithm.reset(false);
        let mut out = Vec::with_capacity((payload.len() * 2).clamp(64, max.max(64)));
        for piece in [payload, &TAIL, &LAST] {
            let before = algorithm.total_in();
            loop {
                if out.len() == out.capacity() {
                    out.reserve(GROW.min(out.len()).max(64));
                }
                let taken = (algorithm.total_in() - before) as usize;
                let status = algorithm
                    .decompress_vec(&piece[taken..], &mut out, FlushDecompress::Sync)
                    .map_err(|_| Violation::Compression)?;
                if out.len() > max {
                    return Err(Violation::TooLarge);
                }
                let done = (algorithm.total_in() - before) as usize == piece.len();
                match status {
                    // A last block ends the message early: what follows it is not ours to read.
                    Status::StreamEnd => return Ok(out),
                    Status::Ok | Status::BufError if done && out.len() < out.capacity() => break,
                    Status::Ok => {}
                    Status::BufError if out.len() == out.capacity() => {}
                    Status::BufError => return Err(Violation::Compression),
                }
            }
        }
        // It ends in the midst of a block.
        Err(Violation::Compression)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    /// Section 7.2.3.1.
    #[test]
    fn the_standards_example_is_read() {
        let payload = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&payload, 100).unwrap(), b"Hello");
        // Section 7.2.3.4: a block with the last bit set.
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(inflate(&last, 100).unwrap(), b"Hello");
        assert_eq!(inflate(&[0x00], 100).unwrap(), b"");
        assert_eq!(inflate(&[], 100).unwrap(), b"");
    }

    /// What was cut off is no shorter message.
    #[test]
    fn a_part_of_a_message_is_none() {
        let content = "a few words, and a few words, and some more of them".repeat(9);
        let whole = deflate(content.as_bytes()).unwrap();
        assert_eq!(inflate(&whole, 1000).unwrap(), content.as_bytes());
        for length in 1..whole.len() {
            let part = inflate(&whole[..length], 1000);
            assert_eq!(part, Err(Violation::Compression), "{length}");
        }
    }

    /// A18: a small message that would become a large one is refused when it has become too large.
    #[test]
    fn a_bomb_is_refused() {
        let bomb = deflate(&vec![0; 10 << 20]).unwrap();
        assert!(bomb.len() < 256 * 1024);
        assert_eq!(inflate(&bomb, 1 << 20), Err(Violation::TooLarge));
    }

    #[test]
    fn offers_are_accepted_that_can_be_kept() {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        ] {
            assert_eq!(answer(offer), Some(ANSWER), "{offer}");
        }
        // Section 7.1.2.1: whoever asks for a window is told which it gets.
        for offer in [
            "x-other, permessage-deflate; server_max_window_bits=15; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=\"15\", permessage-deflate",
        ] {
            assert_eq!(answer(offer), Some(ANSWER_WITH_WINDOW), "{offer}");
        }
        for offer in [
            "",
            "permessage-bzip2",
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; unknown",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
        ] {
            assert_eq!(answer(offer), None, "{offer}");
        }
    }

    proptest! {
        #[test]
        fn what_was_compressed_is_what_comes_out(
            words in prop::collection::vec("[a-d]{1,9}", 0..400),
        ) {
            let content = words.concat().into_bytes();
            if let Some(payload) = deflate(&content) {
                prop_assert!(payload.len() < content.len());
                prop_assert_eq!(inflate(&payload, content.len()).unwrap(), content);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(out) = inflate(&bytes, 10_000) {
                prop_assert!(out.len() <= 10_000);
            }
        }
    }
}
