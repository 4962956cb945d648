//! What the standard has a server say by itself: a pong to a ping, a close frame to a close frame.
//!
//! A [`Conversation`] stands between a connection's [`Decoder`] and whoever moves the bytes. It
//! leaves only two things to that one: to hand messages on, and to send what it is given.

use crate::decoder::{Data, Decoder, Item, Kind, Packed, Violation};
use crate::deflate::inflate;
use crate::frame::{Frame, Opcode};

/// What is to be done about what a client said.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A message, for the application.
    Message(Kind, Data<'a>),
    /// A frame to be sent.
    Answer(Frame),
    /// The client ends the connection. The frame is to be sent, and nothing after it.
    Close(Frame),
}

/// One connection, seen from the server.
#[derive(Debug)]
pub struct Conversation {
    decoder: Decoder,
    over: bool,
}

impl Conversation {
    /// With messages of at most so many bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            decoder: Decoder::new(max_message),
            over: false,
        }
    }

    /// The same where permessage-deflate was agreed on.
    pub fn with_deflate(self, deflate: bool) -> Self {
        Self {
            decoder: self.decoder.with_deflate(deflate),
            ..self
        }
    }

    /// Whether the client has said its last word: a close frame, or what no client may say. What
    /// comes behind it is taken and has no meaning (sections 1.4 and 7.1.7).
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The next thing to be done. Takes what it needs from the front of `input` and is to be called
    /// until it gives `None`; then `input` is empty and more must be read. After a violation the
    /// connection is to be closed with [`Violation::code`].
    pub fn next<'a>(&mut self, input: &mut &'a mut [u8]) -> Result<Option<Event<'a>>, Violation> {
        while !self.over {
            let event = match self.decoder.next(input) {
                Ok(None) => return Ok(None),
                Ok(Some(Item::Message(kind, data, Packed::No))) => Event::Message(kind, data),
                Ok(Some(Item::Message(kind, data, Packed::Deflate))) => {
                    match unpacked(kind, &data, self.decoder.max_message()) {
                        Ok(data) => Event::Message(kind, Data::Collected(data)),
                        Err(violation) => {
                            self.over = true;
                            return Err(violation);
                        }
                    }
                }
                Ok(Some(Item::Ping(data))) => Event::Answer(Frame::new(Opcode::Pong, &data)),
                Ok(Some(Item::Pong)) => continue,
                Ok(Some(Item::Close(code))) => {
                    self.over = true;
                    Event::Close(Frame::close_answer(code))
                }
                Err(violation) => {
                    self.over = true;
                    return Err(violation);
                }
            };
            return Ok(Some(event));
        }
        *input = &mut [];
        Ok(None)
    }
}

/// The content of a compressed message.
fn unpacked(kind: Kind, payload: &[u8], max: usize) -> Result<Vec<u8>, Violation> {
    let content = inflate(payload, max)?;
    if kind == Kind::Text && std::str::from_utf8(&content).is_err() {
        return Err(Violation::NotUtf8);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// A client's frame with a mask of zeroes, which changes nothing.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let head = [first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
        [&head, payload].concat()
    }

    fn events(bytes: &[u8]) -> (Vec<Vec<u8>>, Result<(), Violation>, bool) {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        let mut conversation = Conversation::new(1000);
        let mut found = Vec::new();
        loop {
            let result = match conversation.next(&mut input) {
                Ok(Some(Event::Message(_, data))) => {
                    found.push(data.to_vec());
                    continue;
                }
                Ok(Some(Event::Answer(frame) | Event::Close(frame))) => {
                    found.push(frame.bytes().to_vec());
                    continue;
                }
                Ok(None) => Ok(()),
                Err(violation) => Err(violation),
            };
            if result.is_ok() {
                assert!(input.is_empty());
            }
            return (found, result, conversation.is_over());
        }
    }

    #[test]
    fn a_ping_is_answered_and_a_pong_is_not() {
        let said = [frame(0x8a, b"?"), frame(0x89, b"!"), frame(0x81, b"x")].concat();
        let expected = vec![b"\x8a\x01!".to_vec(), b"x".to_vec()];
        assert_eq!(events(&said), (expected, Ok(()), false));
    }

    /// Section 5.5.1: the answer has the code that came, and none where none came.
    #[test]
    fn a_close_is_answered_with_its_own_code() {
        for (payload, answer) in [
            (&b""[..], &b"\x88\x00"[..]),
            (b"\x03\xe8", b"\x88\x02\x03\xe8"),
            (b"\x03\xe9bye", b"\x88\x02\x03\xe9"),
            (b"\x0f\xa0", b"\x88\x02\x0f\xa0"),
        ] {
            assert_eq!(
                events(&frame(0x88, payload)),
                (vec![answer.to_vec()], Ok(()), true)
            );
        }
    }

    #[test]
    fn nothing_counts_after_the_end() {
        let closed = [frame(0x88, b""), frame(0x89, b""), frame(0x81, b"x")].concat();
        assert_eq!(events(&closed), (vec![b"\x88\x00".to_vec()], Ok(()), true));

        let mut bytes = [frame(0x83, b""), frame(0x81, b"x")].concat();
        let mut input = &mut bytes[..];
        let mut conversation = Conversation::new(1000);
        let first = conversation.next(&mut input);
        assert_eq!(first, Err(Violation::ReservedOpcode));
        assert!(conversation.is_over());
        assert_eq!(conversation.next(&mut input), Ok(None));
        assert!(input.is_empty());
    }
}
