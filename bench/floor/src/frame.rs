//! WebSocket frames (RFC 6455, section 5.2): a server's, prepared once for all sockets, and a
//! client's, read and unmasked.

/// The longest frame of a client, in bytes of payload.
const MAX_PAYLOAD: usize = 1 << 20;

/// Appends an unmasked, unfragmented text frame.
pub(crate) fn text(payload: &[u8], to: &mut Vec<u8>) {
    to.push(0x81);
    match payload.len() {
        length @ 0..=125 => to.push(length as u8),
        length @ 126..=0xFFFF => {
            to.push(126);
            to.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            to.push(127);
            to.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    to.extend_from_slice(payload);
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// Not yet all of it.
    Partial,
    /// Text or binary, unmasked where it stood; how many bytes the frame took.
    Data { length: usize },
    /// Ping or pong: passed over.
    Control { length: usize },
    /// The client goes, or it broke the protocol.
    End,
}

/// Takes the frame at the beginning of `bytes` and unmasks it there.
pub(crate) fn take(bytes: &mut [u8]) -> Incoming {
    let [first, second, rest @ ..] = &*bytes else {
        return Incoming::Partial;
    };
    let (first, second) = (*first, *second);
    if second & 0x80 == 0 {
        return Incoming::End;
    }
    let (extended, payload) = match second & 0x7F {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (2, usize::from(u16::from_be_bytes(*length))),
            None => return Incoming::Partial,
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => match usize::try_from(u64::from_be_bytes(*length)) {
                Ok(length) => (8, length),
                Err(_) => return Incoming::End,
            },
            None => return Incoming::Partial,
        },
        short => (0, usize::from(short)),
    };
    if payload > MAX_PAYLOAD {
        return Incoming::End;
    }
    let start = 2 + extended + 4;
    let length = start + payload;
    let Some(frame) = bytes.get_mut(2 + extended..length) else {
        return Incoming::Partial;
    };
    let (mask, payload) = frame.split_at_mut(4);
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    match first {
        0x81 | 0x82 => Incoming::Data { length },
        0x89 | 0x8A => Incoming::Control { length },
        _ => Incoming::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        text(payload, &mut frame);
        frame
    }

    /// The three spellings of a length.
    #[test]
    fn lengths_are_spelled_as_the_standard_says() {
        assert_eq!(made(b"hi"), [0x81, 2, b'h', b'i']);
        assert_eq!(made(&[b'x'; 125])[..2], [0x81, 125]);
        assert_eq!(made(&[b'x'; 126])[..4], [0x81, 126, 0, 126]);
        assert_eq!(
            made(&[b'x'; 65536])[..10],
            [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }

    /// The example of RFC 6455, section 5.7; every prefix of it is not yet a frame.
    #[test]
    fn a_clients_frame_is_unmasked() {
        let frame = [
            0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58, 0x81,
        ];
        for end in 0..11 {
            let mut part = frame[..end].to_vec();
            assert_eq!(take(&mut part), Incoming::Partial);
            assert_eq!(part, frame[..end]);
        }
        let mut frame = frame;
        assert_eq!(take(&mut frame), Incoming::Data { length: 11 });
        assert_eq!(&frame[6..11], b"Hello");
    }

    /// Longer frames, and those that end the connection.
    #[test]
    fn lengths_and_kinds_are_told_apart() {
        let mut long = vec![0x82, 0x80 | 126, 1, 0, 0, 0, 0, 0];
        long.resize(8 + 256, 0);
        assert_eq!(take(&mut long), Incoming::Data { length: 264 });
        assert_eq!(
            take(&mut [0x89, 0x80, 0, 0, 0, 0]),
            Incoming::Control { length: 6 }
        );
        assert_eq!(take(&mut [0x88, 0x80, 0, 0, 0, 0]), Incoming::End);
        assert_eq!(take(&mut [0x81, 0x05]), Incoming::End);
        let huge = &mut [0x81, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0];
        assert_eq!(take(huge), Incoming::End);
    }
}
