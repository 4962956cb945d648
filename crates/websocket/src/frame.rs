//! What a server sends: frames without a mask, header and content in one string of bytes.
//!
//! A frame for ten thousand subscribers is made once; a clone counts a reference. Several frames
//! can be joined to one, which a socket takes in a single call.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::deflate::deflate;

/// The longest header of a frame without a mask.
const MAX_HEADER: usize = 10;
/// The longest payload of a control frame (RFC 6455, section 5.5).
pub const MAX_CONTROL: usize = 125;

/// What a frame is (RFC 6455, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// UTF-8.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The end.
    Close = 8,
    /// A question whether the other side is there.
    Ping = 9,
    /// The answer to it.
    Pong = 10,
}

/// One frame, or several one after the other, ready for any number of sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    count: u32,
}

impl Frame {
    /// A frame with this content.
    pub fn new(opcode: Opcode, content: &[u8]) -> Self {
        let mut bytes = BytesMut::with_capacity(MAX_HEADER + content.len());
        write_header(&mut bytes, opcode, content.len());
        bytes.extend_from_slice(content);
        Self {
            bytes: bytes.freeze(),
            count: 1,
        }
    }

    /// A message with this content, compressed with permessage-deflate, if that makes it smaller.
    pub fn deflated(opcode: Opcode, content: &[u8]) -> Option<Self> {
        /// The first reserved bit (RFC 7692, section 6).
        const RSV1: u8 = 0x40;
        let payload = deflate(content)?;
        let mut bytes = BytesMut::with_capacity(MAX_HEADER + payload.len());
        write_header(&mut bytes, opcode, payload.len());
        if let Some(first) = bytes.first_mut() {
            *first |= RSV1;
        }
        bytes.extend_from_slice(&payload);
        Some(Self {
            bytes: bytes.freeze(),
            count: 1,
        })
    }

    /// A text frame.
    pub fn text(content: &[u8]) -> Self {
        Self::new(Opcode::Text, content)
    }

    /// A close frame; the reason is cut where it would not fit.
    pub fn close(code: u16, reason: &str) -> Self {
        let end = reason.floor_char_boundary(MAX_CONTROL - 2);
        let mut content = Vec::with_capacity(2 + end);
        content.extend_from_slice(&code.to_be_bytes());
        content.extend_from_slice(&reason.as_bytes()[..end]);
        Self::new(Opcode::Close, &content)
    }

    /// The answer to a close frame with this code: the same code, or none where none came, since
    /// 1000 would be a word of ours (RFC 6455, section 5.5.1).
    pub fn close_answer(code: Option<u16>) -> Self {
        match code {
            Some(code) => Self::close(code, ""),
            None => Self::new(Opcode::Close, &[]),
        }
    }

    /// All of them in one, in this order.
    pub fn join(frames: &[Frame]) -> Self {
        if let [one] = frames {
            return one.clone();
        }
        let mut bytes = BytesMut::with_capacity(frames.iter().map(Frame::len).sum());
        for frame in frames {
            bytes.extend_from_slice(&frame.bytes);
        }
        Self {
            bytes: bytes.freeze(),
            count: frames.iter().map(|frame| frame.count).sum(),
        }
    }

    /// What goes into the socket.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Bytes on the wire, headers included.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Never: a frame has a header.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many messages it holds.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// The messages it holds, for a transport with a framing of its own: whether each is text, and
    /// its content.
    pub fn messages(&self) -> impl Iterator<Item = (bool, Bytes)> {
        let mut rest = self.bytes.clone();
        std::iter::from_fn(move || {
            let (&first, &second) = (rest.first()?, rest.get(1)?);
            let (start, length) = match second {
                126 => (4, u64::from(u16::from_be_bytes(*rest[2..].first_chunk()?))),
                127 => (10, u64::from_be_bytes(*rest[2..].first_chunk()?)),
                short => (2, u64::from(short)),
            };
            let end = start + usize::try_from(length).ok()?;
            if end > rest.len() {
                return None;
            }
            let message = rest.split_to(end).slice(start..);
            Some((first & 0x0f == Opcode::Text as u8, message))
        })
    }
}

fn write_header(out: &mut BytesMut, opcode: Opcode, length: usize) {
    /// Every frame of ours is a whole message.
    const FIN: u8 = 0x80;
    out.put_u8(FIN | opcode as u8);
    match length {
        0..=125 => out.put_u8(length as u8),
        126..=0xffff => {
            out.put_u8(126);
            out.put_u16(length as u16);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455, section 5.7, and the three lengths of section 5.2.
    #[test]
    fn headers_are_as_the_standard_has_them() {
        assert_eq!(&Frame::text(b"Hello").bytes()[..], b"\x81\x05Hello");
        assert_eq!(
            Frame::new(Opcode::Binary, &[0; 256]).bytes()[..4],
            [0x82, 126, 1, 0]
        );
        let long = Frame::new(Opcode::Binary, &vec![0; 65_536]);
        assert_eq!(long.bytes()[..10], [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(
            Frame::close(1012, "restart").bytes()[..4],
            [0x88, 9, 3, 0xf4]
        );
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = Frame::close(1008, &"ü".repeat(100));
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert!(std::str::from_utf8(&frame.bytes()[4..]).is_ok());
    }

    #[test]
    fn joined_frames_are_taken_apart_again() {
        let contents = [b"a".repeat(5), b"b".repeat(200), b"c".repeat(70_000)];
        let frames = [
            Frame::text(&contents[0]),
            Frame::new(Opcode::Binary, &contents[1]),
            Frame::text(&contents[2]),
        ];
        let joined = Frame::join(&frames);
        assert_eq!(joined.count(), 3);
        let found: Vec<_> = joined.messages().collect();
        let expected: Vec<_> = [true, false, true]
            .into_iter()
            .zip(contents.map(Bytes::from))
            .collect();
        assert_eq!(found, expected);
    }
}
