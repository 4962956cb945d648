//! From a client's bytes to its messages.
//!
//! What has arrived is decoded where it lies: a message that is there in one piece is handed out
//! as a part of the caller's buffer, without the mask and without a copy. Only what is cut off, by
//! the network or by fragments, is kept here until the rest comes, at most `max_message` bytes of
//! it; between two messages a decoder holds nothing but that bound.

use crate::frame::MAX_CONTROL;
use crate::mask::unmask;
use crate::utf8::Utf8;

/// The longest header of a frame with a mask.
const MAX_HEADER: usize = 14;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8, and checked to be.
    Text,
    /// Bytes.
    Binary,
}

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A message. The text of a compressed one is not checked yet.
    Message(Kind, Data<'a>, Packed),
    /// To be answered with a pong of the same content.
    Ping(Data<'a>),
    /// An answer to a ping; nothing needs to be done.
    Pong,
    /// The end, with the code given, if one was.
    Close(Option<u16>),
}

/// Whether a message is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packed {
    /// It is as it is.
    No,
    /// With permessage-deflate.
    Deflate,
}

/// Bytes in the caller's buffer, or collected from several of its reads.
#[derive(Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// A part of the input.
    Whole(&'a [u8]),
    /// Put together.
    Collected(Vec<u8>),
}

impl std::ops::Deref for Data<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Data::Whole(bytes) => bytes,
            Data::Collected(bytes) => bytes,
        }
    }
}

/// What no client may send; the connection is to be closed with [`Violation::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Section 5.2.
    #[error("a frame has a reserved bit set")]
    ReservedBit,
    /// Section 5.2.
    #[error("a frame has a reserved opcode")]
    ReservedOpcode,
    /// Section 5.1.
    #[error("a client's frame has no mask")]
    NoMask,
    /// Section 5.2: the shortest form is the only one.
    #[error("a frame's length is not in its shortest form")]
    Length,
    /// Section 5.5.
    #[error("a control frame is in fragments or too long")]
    Control,
    /// Section 5.4.
    #[error("a fragment continues nothing, or a message begins within another")]
    Fragment,
    /// Section 7.4.
    #[error("a close frame has a code that may not be sent")]
    CloseCode,
    /// Section 8.1.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// RFC 7692, section 7.2.2.
    #[error("a compressed message cannot be read")]
    Compression,
    /// Above the limit of this server.
    #[error("a message is too long")]
    TooLarge,
}

impl Violation {
    /// The status code that tells the client (section 7.4.1).
    pub const fn code(self) -> u16 {
        match self {
            Violation::NotUtf8 => 1007,
            Violation::TooLarge => 1009,
            _ => 1002,
        }
    }
}

/// One connection's decoder.
#[derive(Debug)]
pub struct Decoder {
    /// What is not whole yet; nothing between two messages.
    partial: Option<Box<Partial>>,
    max_message: u32,
    /// Whether messages may be compressed.
    deflate: bool,
}

#[derive(Debug, Default)]
struct Partial {
    /// A header that was cut off.
    header: [u8; MAX_HEADER],
    header_length: u8,
    /// The frame whose payload was cut off.
    frame: Option<Body>,
    /// The payload so far of a control frame that was cut off.
    control: Vec<u8>,
    /// The message that is being collected.
    message: Option<Message>,
}

#[derive(Debug)]
struct Message {
    kind: Kind,
    packed: Packed,
    utf8: Utf8,
    content: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Header {
    fin: bool,
    packed: Packed,
    opcode: u8,
    mask: [u8; 4],
    length: u64,
    /// Bytes of the header itself.
    size: usize,
}

#[derive(Debug, Clone, Copy)]
struct Body {
    header: Header,
    /// Bytes of the payload that have been taken.
    taken: usize,
}

impl Header {
    /// `None` while it is cut off.
    fn read(bytes: &[u8], deflate: bool) -> Result<Option<Self>, Violation> {
        let (Some(&first), Some(&second)) = (bytes.first(), bytes.get(1)) else {
            return Ok(None);
        };
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        // The bit of permessage-deflate stands in a message's first frame alone.
        let packed = match first & 0x70 {
            0 => Packed::No,
            0x40 if deflate && matches!(opcode, 1 | 2) => Packed::Deflate,
            _ => return Err(Violation::ReservedBit),
        };
        if !matches!(opcode, 0..=2 | 8..=10) {
            return Err(Violation::ReservedOpcode);
        }
        if second & 0x80 == 0 {
            return Err(Violation::NoMask);
        }
        let short = second & 0x7f;
        if opcode >= 8 && (!fin || usize::from(short) > MAX_CONTROL) {
            return Err(Violation::Control);
        }
        let (length, at) = match short {
            126 => match bytes[2..].first_chunk() {
                Some(long) => (u64::from(u16::from_be_bytes(*long)), 4),
                None => return Ok(None),
            },
            127 => match bytes[2..].first_chunk() {
                Some(long) => (u64::from_be_bytes(*long), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        let shortest = match short {
            126 => 126,
            127 => 65_536,
            _ => 0,
        };
        if length < shortest || length > i64::MAX as u64 {
            return Err(Violation::Length);
        }
        Ok(bytes[at..].first_chunk().map(|mask| Self {
            fin,
            packed,
            opcode,
            mask: *mask,
            length,
            size: at + 4,
        }))
    }

    fn is_control(self) -> bool {
        self.opcode >= 8
    }
}

impl Decoder {
    /// For messages of at most so many bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            partial: None,
            max_message: u32::try_from(max_message).unwrap_or(u32::MAX),
            deflate: false,
        }
    }

    /// The same where permessage-deflate was agreed on.
    pub fn with_deflate(self, deflate: bool) -> Self {
        Self { deflate, ..self }
    }

    /// The most bytes a message may have.
    pub fn max_message(&self) -> usize {
        self.max_message as usize
    }

    /// Bytes held of what is not whole yet.
    pub fn held(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| {
            size_of::<Partial>()
                + partial.control.capacity()
                + partial.message.as_ref().map_or(0, |m| m.content.capacity())
        })
    }

    /// The next thing the client said. Takes what it needs from the front of `input` and is to be
    /// called until it gives `None`; then `input` is empty and more must be read.
    pub fn next<'a>(&mut self, input: &mut &'a mut [u8]) -> Result<Option<Item<'a>>, Violation> {
        loop {
            let resumed = self.partial.as_mut().and_then(|p| p.frame.take());
            let body = match resumed {
                Some(body) => body,
                None => match self.header(input)? {
                    Some(header) => {
                        self.admit(header)?;
                        Body { header, taken: 0 }
                    }
                    None => return Ok(None),
                },
            };
            let missing = body.header.length - body.taken as u64;
            let there = usize::try_from(missing).map_or(input.len(), |m| m.min(input.len()));
            let (piece, rest) = std::mem::take(input).split_at_mut(there);
            *input = rest;
            unmask(piece, body.header.mask, body.taken);
            let whole = there as u64 == missing;
            if let Some(item) = self.piece(body, piece, whole)? {
                return Ok(Some(item));
            }
            if !whole {
                return Ok(None);
            }
        }
    }

    /// The next header, put together from what was kept and what is there.
    fn header(&mut self, input: &mut &mut [u8]) -> Result<Option<Header>, Violation> {
        let kept = self
            .partial
            .as_ref()
            .map_or(0, |p| usize::from(p.header_length));
        if kept == 0 {
            if let Some(header) = Header::read(input, self.deflate)? {
                *input = &mut std::mem::take(input)[header.size..];
                return Ok(Some(header));
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
        let partial = self.partial.get_or_insert_default();
        let more = input.len().min(MAX_HEADER - kept);
        partial.header[kept..kept + more].copy_from_slice(&input[..more]);
        let known = kept + more;
        match Header::read(&partial.header[..known], self.deflate)? {
            Some(header) => {
                partial.header_length = 0;
                *input = &mut std::mem::take(input)[header.size - kept..];
                Ok(Some(header))
            }
            None => {
                partial.header_length = known as u8;
                *input = &mut [];
                Ok(None)
            }
        }
    }

    /// Whether a frame may stand here (section 5.4), and whether there is room for it.
    fn admit(&mut self, header: Header) -> Result<(), Violation> {
        if header.is_control() {
            return Ok(());
        }
        let message = self.partial.as_ref().and_then(|p| p.message.as_ref());
        if message.is_some() != (header.opcode == 0) {
            return Err(Violation::Fragment);
        }
        let collected = message.map_or(0, |message| message.content.len() as u64);
        if collected.saturating_add(header.length) > u64::from(self.max_message) {
            return Err(Violation::TooLarge);
        }
        Ok(())
    }

    /// Takes a piece of a frame's payload; `whole` when the payload ends with it.
    fn piece<'a>(
        &mut self,
        body: Body,
        piece: &'a [u8],
        whole: bool,
    ) -> Result<Option<Item<'a>>, Violation> {
        let header = body.header;
        if header.is_control() {
            let Some(data) = self.control(body, piece, whole) else {
                return Ok(None);
            };
            return Ok(Some(match header.opcode {
                8 => Item::Close(close_code(&data)?),
                9 => Item::Ping(data),
                _ => Item::Pong,
            }));
        }
        let kind = if header.opcode == 2 {
            Kind::Binary
        } else {
            Kind::Text
        };
        let begun = self.partial.as_ref().is_some_and(|p| p.message.is_some());
        if whole && header.fin && !begun {
            let plain_text = kind == Kind::Text && header.packed == Packed::No;
            if plain_text && std::str::from_utf8(piece).is_err() {
                return Err(Violation::NotUtf8);
            }
            self.rest();
            return Ok(Some(Item::Message(kind, Data::Whole(piece), header.packed)));
        }
        let partial = self.partial.get_or_insert_default();
        let message = partial.message.get_or_insert_with(|| Message {
            kind,
            packed: header.packed,
            utf8: Utf8::default(),
            content: Vec::new(),
        });
        let plain_text = message.kind == Kind::Text && message.packed == Packed::No;
        if plain_text && !message.utf8.take(piece) {
            return Err(Violation::NotUtf8);
        }
        // Grows with what has arrived, not with what was announced.
        message.content.extend_from_slice(piece);
        if !whole {
            partial.frame = Some(Body {
                header,
                taken: body.taken + piece.len(),
            });
            return Ok(None);
        }
        if !header.fin {
            return Ok(None);
        }
        let message = partial.message.take();
        self.rest();
        let Some(message) = message else {
            return Ok(None);
        };
        if message.kind == Kind::Text && !message.utf8.is_whole() {
            return Err(Violation::NotUtf8);
        }
        Ok(Some(Item::Message(
            message.kind,
            Data::Collected(message.content),
            message.packed,
        )))
    }

    /// The payload of a control frame, once it is there.
    fn control<'a>(&mut self, body: Body, piece: &'a [u8], whole: bool) -> Option<Data<'a>> {
        if whole && body.taken == 0 {
            self.rest();
            return Some(Data::Whole(piece));
        }
        let partial = self.partial.get_or_insert_default();
        partial.control.extend_from_slice(piece);
        if !whole {
            partial.frame = Some(Body {
                header: body.header,
                taken: body.taken + piece.len(),
            });
            return None;
        }
        let control = std::mem::take(&mut partial.control);
        self.rest();
        Some(Data::Collected(control))
    }

    /// Lets go of everything where nothing is unfinished.
    fn rest(&mut self) {
        if self.partial.as_ref().is_some_and(|p| p.message.is_none()) {
            self.partial = None;
        }
    }
}

/// The code in a close frame (sections 5.5.1 and 7.4).
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok(None),
            _ => Err(Violation::Control),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::CloseCode);
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(Violation::NotUtf8);
    }
    Ok(Some(code))
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
