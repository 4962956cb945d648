//! WebSocket frames, written as a client writes them and read as it reads them (RFC 6455).
//!
//! Not the gateway's own code: a mistake in that would be made on both sides and show on none.

use bytes::{Buf as _, Bytes, BytesMut};

use crate::error::StormError;

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// The mask guards proxies against scripts; a trial needs no secret one.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// What a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// Text or binary.
    Data(Bytes),
    /// The code and the reason of a close frame.
    Close(u16, String),
    Ping(Bytes),
    Pong,
}

/// Takes the first frame; nothing when it is not all there.
pub(crate) fn take(bytes: &mut BytesMut) -> Result<Option<Incoming>, StormError> {
    let [first, second, rest @ ..] = &bytes[..] else {
        return Ok(None);
    };
    let (first, second) = (*first, *second);
    let (extended, length) = match second {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (2, u64::from(u16::from_be_bytes(*length))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (8, u64::from_be_bytes(*length)),
            None => return Ok(None),
        },
        short => (0, u64::from(short)),
    };
    if second & 0x80 != 0 || length > 64 << 20 {
        return Err(StormError::Lost("the server sent no good frame".to_owned()));
    }
    let (start, end) = (2 + extended, 2 + extended + length as usize);
    if bytes.len() < end {
        bytes.reserve(end - bytes.len());
        return Ok(None);
    }
    let mut frame = bytes.split_to(end).freeze();
    frame.advance(start);
    Ok(Some(match first {
        0x81 | 0x82 => Incoming::Data(frame),
        0x88 => match &frame[..] {
            [a, b, text @ ..] => Incoming::Close(
                u16::from_be_bytes([*a, *b]),
                String::from_utf8_lossy(text).into_owned(),
            ),
            _ => Incoming::Close(1005, String::new()),
        },
        0x89 => Incoming::Ping(frame),
        0x8A => Incoming::Pong,
        other => {
            return Err(StormError::Lost(format!(
                "the server sent a frame that begins with {other:#x}"
            )));
        }
    }))
}

/// A whole message, masked.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    part(0x80 | opcode, payload)
}

/// A message in fragments of `size` bytes.
pub(crate) fn fragments(opcode: u8, payload: &[u8], size: usize) -> Vec<u8> {
    let size = size.max(1);
    let count = payload.len().div_ceil(size);
    let mut frames = Vec::with_capacity(payload.len() + count * 6);
    for (at, piece) in payload.chunks(size).enumerate() {
        let opcode = if at == 0 { opcode } else { 0 };
        let last = if at + 1 == count { 0x80 } else { 0 };
        frames.extend(part(last | opcode, piece));
    }
    frames
}

fn part(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(first);
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xFFFF => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455, section 5.7, whole and in two parts.
    #[test]
    fn clients_mask() {
        let whole = [
            0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
        ];
        assert_eq!(masked(TEXT, b"Hello"), whole);
        let parts = fragments(TEXT, b"Hello", 3);
        assert_eq!((parts[0], parts[1]), (0x01, 0x83));
        assert_eq!((parts[9], parts[10]), (0x80, 0x82));
    }

    /// A frame is taken when it is whole, not before, and what follows stays.
    #[test]
    fn frames_are_taken_whole() {
        let whole = [0x88, 6, 0x03, 0xF0, b's', b'l', b'o', b'w', 0x8A];
        for end in 0..8 {
            let mut bytes = BytesMut::from(&whole[..end]);
            assert_eq!(take(&mut bytes).unwrap(), None);
        }
        let mut bytes = BytesMut::from(&whole[..]);
        let close = Incoming::Close(1008, "slow".to_owned());
        assert_eq!(take(&mut bytes).unwrap(), Some(close));
        assert_eq!(bytes.len(), 1);
    }
}
