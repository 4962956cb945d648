//! The decoder against the standard's rules, however the bytes are cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use proptest::prelude::*;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What was decoded, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&KEY);
    let mut masked = payload.to_vec();
    unmask(&mut masked, KEY, 0);
    out.extend_from_slice(&masked);
    out
}

fn decode(bytes: &[u8], size: usize, max: usize) -> Result<Vec<Said>, Violation> {
    let mut decoder = Decoder::new(max);
    let mut said = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while let Some(item) = decoder.next(&mut input)? {
            said.push(match item {
                Item::Message(Kind::Text, data, _) => {
                    Said::Text(String::from_utf8(data.to_vec()).unwrap())
                }
                Item::Message(Kind::Binary, data, _) => Said::Binary(data.to_vec()),
                Item::Ping(data) => Said::Ping(data.to_vec()),
                Item::Pong => Said::Pong,
                Item::Close(code) => Said::Close(code),
            });
        }
        assert!(input.is_empty());
        assert!(decoder.held() <= size_of::<Partial>() + 2 * (max + MAX_CONTROL));
    }
    Ok(said)
}

/// At every cut.
fn everywhere(bytes: &[u8]) -> Result<Vec<Said>, Violation> {
    let all: Vec<_> = (1..=bytes.len())
        .map(|size| decode(bytes, size, 1 << 20))
        .collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    all.into_iter().next().unwrap_or(Ok(Vec::new()))
}

#[test]
fn whole_frames_and_fragments_with_a_ping_between_them() {
    let bytes = [
        frame(0x81, b"Hello"),
        frame(0x01, "wör".as_bytes()),
        frame(0x89, b"there?"),
        frame(0x00, b""),
        frame(0x80, "ld€".as_bytes()),
        frame(0x82, &[0, 255]),
        frame(0x8a, b""),
        frame(0x88, &[0x03, 0xe8]),
    ]
    .concat();
    let expected = vec![
        Said::Text("Hello".into()),
        Said::Ping(b"there?".to_vec()),
        Said::Text("wörld€".into()),
        Said::Binary(vec![0, 255]),
        Said::Pong,
        Said::Close(Some(1000)),
    ];
    assert_eq!(everywhere(&bytes), Ok(expected));
}

#[test]
fn what_the_standard_forbids_is_named() {
    for (bytes, violation) in [
        (frame(0xc1, b"x"), Violation::ReservedBit),
        (frame(0x83, b"x"), Violation::ReservedOpcode),
        (b"\x81\x01x".to_vec(), Violation::NoMask),
        (frame(0x09, b"x"), Violation::Control),
        (frame(0x89, &[0; 126]), Violation::Control),
        (frame(0x80, b"x"), Violation::Fragment),
        (
            [frame(0x01, b"x"), frame(0x81, b"y")].concat(),
            Violation::Fragment,
        ),
        (frame(0x88, &[3]), Violation::Control),
        (frame(0x88, &[0x03, 0xed]), Violation::CloseCode),
        (frame(0x88, &[0x03, 0xe8, 0xff]), Violation::NotUtf8),
        (frame(0x81, &[0xff]), Violation::NotUtf8),
        (frame(0x81, &[0xe2, 0x82]), Violation::NotUtf8),
        (b"\x81\xfe\x00\x7d".to_vec(), Violation::Length),
    ] {
        let found = decode(&bytes, 1, 1 << 20);
        // A length of two bytes is judged once the mask's first byte could follow.
        let found = if found == Ok(vec![]) {
            decode(&[bytes, vec![0; 8]].concat(), 1, 1 << 20)
        } else {
            found
        };
        assert_eq!(found, Err(violation));
    }
}

/// A18: what is too long is refused by its header, before anything is kept of it.
#[test]
fn a_message_above_the_limit_is_refused_by_its_header() {
    let long = frame(0x82, &[0; 200]);
    assert_eq!(decode(&long[..8], 8, 199), Err(Violation::TooLarge));
    assert_eq!(decode(&long, 64, 200), Ok(vec![Said::Binary(vec![0; 200])]));
    let fragments = [frame(0x02, &[0; 150]), frame(0x80, &[0; 51])].concat();
    assert_eq!(decode(&fragments, 7, 200), Err(Violation::TooLarge));
}

/// The autobahn suite's "fail fast": the wrong byte ends it, not the end of the message.
#[test]
fn wrong_text_is_found_with_the_piece_it_is_in() {
    let long = frame(0x81, &[b"\xce\xba\xff".to_vec(), vec![b'x'; 100]].concat());
    let mut decoder = Decoder::new(1 << 20);
    let mut piece = long[..12].to_vec();
    assert_eq!(decoder.next(&mut &mut piece[..]), Err(Violation::NotUtf8));
}

#[test]
fn nothing_is_held_between_messages() {
    let mut decoder = Decoder::new(1000);
    let bytes = frame(0x81, &[b'x'; 300]);
    for (piece, held) in [(&bytes[..100], true), (&bytes[100..], false)] {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while decoder.next(&mut input).unwrap().is_some() {}
        assert_eq!(decoder.held() > 0, held);
    }
    assert!(size_of::<Decoder>() <= 16);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1usize..40) {
        let _ = decode(&bytes, size, 64);
    }

    /// Closer to frames than random bytes are, so that it gets further.
    #[test]
    fn no_frames_make_it_panic(
        frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..140)), 0..6),
        size in 1usize..40,
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame(*first, payload)).collect();
        prop_assert_eq!(decode(&bytes, size, 400), decode(&bytes, bytes.len(), 400));
    }

    #[test]
    fn messages_survive_any_fragments_and_any_cut(
        text in ".{0,60}", at in 0usize..60, size in 1usize..30,
    ) {
        let bytes = text.as_bytes();
        let at = at.min(bytes.len());
        let sent = [frame(0x01, &bytes[..at]), frame(0x80, &bytes[at..])].concat();
        prop_assert_eq!(decode(&sent, size, 1 << 20), Ok(vec![Said::Text(text)]));
    }
}
