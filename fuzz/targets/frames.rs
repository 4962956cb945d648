//! The frame decoder: however a client's bytes are cut, it says what a plain reader says that has
//! them all at once, and it holds no more than its limit allows.
//!
//! Input: a limit, a seed for the cuts, a kind; then the bytes of the stream, or (first bit of the
//! kind) frames whose lengths are filled in, so that the fuzzer gets past the headers. The second
//! bit of the kind agrees on permessage-deflate.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_fuzz::pieces;
use tidegate_websocket::decoder::Packed;
use tidegate_websocket::deflate::inflate;
use tidegate_websocket::{Conversation, Decoder, Event, Frame, Item, Kind, Opcode};

const LIMITS: [usize; 6] = [0, 1, 125, 126, 1000, 70_000];
/// A length that needs the longest form.
const LONG: usize = 66_000;
/// A decoder's own fields while something is unfinished, and the shortest vectors.
const OVERHEAD: usize = 512;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Message(Kind, Packed, Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

/// All that was said, the code of the violation at its end, and whether nothing is unfinished.
type Account = (Vec<Said>, Option<u16>, bool);

fuzz_target!(|input: &[u8]| {
    let [limit, seed, kind, rest @ ..] = input else {
        return;
    };
    let limit = LIMITS[usize::from(*limit) % LIMITS.len()];
    let stream = if kind % 2 == 1 {
        framed(rest)
    } else {
        rest.to_vec()
    };

    let rules = Rules {
        limit,
        deflate: kind & 2 != 0,
    };
    let expected = plainly(&stream, rules);
    assert_eq!(decoded([&stream[..]].into_iter(), rules), expected);
    assert_eq!(decoded(pieces(&stream, *seed), rules), expected);
    answered(pieces(&stream, *seed), rules, expected);
});

#[derive(Clone, Copy)]
struct Rules {
    limit: usize,
    deflate: bool,
}

/// Frames from the description of each: first byte, a number that stands for the length, a mask.
/// Not without end, since a few bytes describe a long frame.
fn framed(mut rest: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while let [first, number, mask, after @ ..] = rest
        && stream.len() < LONG
    {
        let number = usize::from(*number);
        let payload;
        if number <= 125 {
            let (taken, later) = after.split_at(number.min(after.len()));
            payload = taken.to_vec();
            rest = later;
        } else {
            // One byte that is repeated reaches the longer forms of a length.
            let (byte, later) = after.split_first().unwrap_or((&b'x', &[]));
            payload = vec![*byte; if number < 254 { number } else { LONG }];
            rest = later;
        }
        stream.push(*first);
        match payload.len() {
            short @ 0..=125 => stream.push(0x80 | short as u8),
            medium @ 126..=0xffff => {
                stream.push(0x80 | 126);
                stream.extend_from_slice(&(medium as u16).to_be_bytes());
            }
            long => {
                stream.push(0x80 | 127);
                stream.extend_from_slice(&(long as u64).to_be_bytes());
            }
        }
        let mask = [
            *mask,
            mask.rotate_left(1),
            mask.rotate_left(2),
            mask.rotate_left(3),
        ];
        stream.extend_from_slice(&mask);
        let masked = payload
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ mask[at % 4]);
        stream.extend(masked);
    }
    stream
}

fn decoded<'a>(pieces: impl Iterator<Item = &'a [u8]>, rules: Rules) -> Account {
    let limit = rules.limit;
    let mut decoder = Decoder::new(limit).with_deflate(rules.deflate);
    let mut said = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        loop {
            let item = match decoder.next(&mut input) {
                Ok(None) => break,
                Ok(Some(item)) => item,
                Err(violation) => return (said, Some(violation.code()), false),
            };
            said.push(match item {
                Item::Message(kind, data, packed) => Said::Message(kind, packed, data.to_vec()),
                Item::Ping(data) => Said::Ping(data.to_vec()),
                Item::Pong => Said::Pong,
                Item::Close(code) => Said::Close(code),
            });
            assert!(decoder.held() <= OVERHEAD + 2 * limit);
        }
        assert!(input.is_empty());
        assert!(decoder.held() <= OVERHEAD + 2 * limit);
    }
    (said, None, decoder.held() == 0)
}

/// A conversation says the same, up to the end; it makes the answers itself, and unpacks.
fn answered<'a>(pieces: impl Iterator<Item = &'a [u8]>, rules: Rules, expected: Account) {
    let (said, violation, _) = expected;
    let mut said = said.into_iter().filter(|said| *said != Said::Pong);
    let mut conversation = Conversation::new(rules.limit).with_deflate(rules.deflate);
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        loop {
            let event = match conversation.next(&mut input) {
                Ok(None) => break,
                Ok(Some(event)) => event,
                Err(found) => {
                    let due = match said.next() {
                        Some(Said::Message(kind, Packed::Deflate, payload)) => {
                            unpacked(kind, &payload, rules.limit).err()
                        }
                        None => violation,
                        said => panic!("{found:?} for {said:?}"),
                    };
                    assert_eq!(Some(found.code()), due);
                    assert!(conversation.is_over());
                    return;
                }
            };
            match (event, said.next()) {
                (Event::Message(kind, data), Some(Said::Message(other, packed, payload))) => {
                    let content = match packed {
                        Packed::No => payload,
                        Packed::Deflate => unpacked(other, &payload, rules.limit).expect("good"),
                    };
                    assert_eq!((kind, &data[..]), (other, &content[..]));
                }
                (Event::Answer(frame), Some(Said::Ping(content))) => {
                    assert_eq!(frame, Frame::new(Opcode::Pong, &content));
                }
                (Event::Close(frame), Some(Said::Close(code))) => {
                    assert_eq!(frame, Frame::close_answer(code));
                    assert!(conversation.is_over());
                    return;
                }
                (event, said) => panic!("{event:?} for {said:?}"),
            }
        }
    }
    assert_eq!(said.next(), None);
    assert_eq!(violation, None);
}

/// The content of a compressed message; the code of a violation. What unpacks it has a target of its
/// own.
fn unpacked(kind: Kind, payload: &[u8], limit: usize) -> Result<Vec<u8>, u16> {
    let content = inflate(payload, limit).map_err(|violation| violation.code())?;
    assert!(content.len() <= limit);
    if kind == Kind::Text && std::str::from_utf8(&content).is_err() {
        return Err(1007);
    }
    Ok(content)
}

/// RFC 6455 read off the page, for one who has all the bytes and as much memory as he likes.
fn plainly(stream: &[u8], rules: Rules) -> Account {
    let mut said = Vec::new();
    let mut open: Option<(Kind, Packed, Vec<u8>)> = None;
    let mut rest = stream;
    loop {
        let [first, second, after @ ..] = rest else {
            let nothing = rest.is_empty() && open.is_none();
            return (said, None, nothing);
        };
        let (fin, opcode, short) = (first & 0x80 != 0, first & 0x0f, second & 0x7f);
        let control = opcode >= 8;
        // RFC 7692, section 6: only the first frame of a message has the bit.
        let packed = match first & 0x70 {
            0x40 if rules.deflate && matches!(opcode, 1 | 2) => Packed::Deflate,
            0 => Packed::No,
            _ => return (said, Some(1002), false),
        };
        if !matches!(opcode, 0 | 1 | 2 | 8 | 9 | 10)
            || second & 0x80 == 0
            || (control && (!fin || short > 125))
        {
            return (said, Some(1002), false);
        }
        let wide = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if after.len() < wide {
            return (said, None, false);
        }
        let (wide, after) = after.split_at(wide);
        let announced = wide.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        let length = match short {
            126 if announced > 125 => announced,
            127 if announced > 0xffff && announced >> 63 == 0 => announced,
            126 | 127 => return (said, Some(1002), false),
            short => u64::from(short),
        };
        let Some((mask, after)) = after.split_first_chunk::<4>() else {
            return (said, None, false);
        };
        if !control {
            if (opcode == 0) != open.is_some() {
                return (said, Some(1002), false);
            }
            let before = open
                .as_ref()
                .map_or(0, |(.., content)| content.len() as u64);
            if before + length > rules.limit as u64 {
                return (said, Some(1009), false);
            }
        }
        let there = (after.len() as u64).min(length) as usize;
        let whole = there as u64 == length;
        let payload: Vec<u8> = after[..there]
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ mask[at % 4])
            .collect();
        rest = &after[there..];
        if control {
            if !whole {
                return (said, None, false);
            }
            said.push(match opcode {
                8 => match close(&payload) {
                    Ok(code) => Said::Close(code),
                    Err(code) => return (said, Some(code), false),
                },
                9 => Said::Ping(payload),
                _ => Said::Pong,
            });
            continue;
        }
        let kind = if opcode == 2 {
            Kind::Binary
        } else {
            Kind::Text
        };
        let (kind, packed, mut content) = open.take().unwrap_or((kind, packed, Vec::new()));
        content.extend_from_slice(&payload);
        let ends = whole && fin;
        if (kind, packed) == (Kind::Text, Packed::No)
            && let Err(error) = std::str::from_utf8(&content)
            && (ends || error.error_len().is_some())
        {
            return (said, Some(1007), false);
        }
        if ends {
            said.push(Said::Message(kind, packed, content));
        } else if whole {
            open = Some((kind, packed, content));
        } else {
            return (said, None, false);
        }
    }
}

fn close(payload: &[u8]) -> Result<Option<u16>, u16> {
    match payload {
        [] => Ok(None),
        [_] => Err(1002),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            // Section 7.4, and the registry that it founds: 1004 to 1006 and 1015 are never sent.
            let sent = matches!(code, 1000..=1014 | 3000..=4999) && !matches!(code, 1004..=1006);
            if !sent {
                return Err(1002);
            }
            match std::str::from_utf8(reason) {
                Ok(_) => Ok(Some(code)),
                Err(_) => Err(1007),
            }
        }
    }
}
