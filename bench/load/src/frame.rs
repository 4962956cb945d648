//! WebSocket frames as far as a client of a well-behaved server needs them (RFC 6455).

/// The longest frame that is accepted, in bytes of payload.
const MAX_PAYLOAD: u64 = 16 << 20;

/// A frame at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
    /// Bytes that the frame took, header included.
    pub(crate) length: usize,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text or binary.
    Data,
    Close,
    Ping,
    Pong,
}

/// Takes the first frame; nothing when it is not all there.
///
/// # Errors
/// What a server must not send, or what a gateway has no reason to: masked or fragmented frames.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Frame<'_>>, &'static str> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if second & 0x80 != 0 {
        return Err("the server masked a frame");
    }
    let kind = match first {
        0x81 | 0x82 => Kind::Data,
        0x88 => Kind::Close,
        0x89 => Kind::Ping,
        0x8A => Kind::Pong,
        _ => return Err("the server sent a fragmented, compressed or reserved frame"),
    };
    let (extended, length) = match second {
        126 => match rest {
            [a, b, ..] => (2, u64::from(u16::from_be_bytes([*a, *b]))),
            _ => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (8, u64::from_be_bytes(*length)),
            None => return Ok(None),
        },
        short => (0, u64::from(*short)),
    };
    if length > MAX_PAYLOAD {
        return Err("the server sent a frame of more than 16 MiB");
    }
    let (start, end) = (2 + extended, 2 + extended + length as usize);
    Ok(bytes.get(start..end).map(|payload| Frame {
        kind,
        payload,
        length: end,
    }))
}

/// A client's frame, masked as the standard asks.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    // The mask guards proxies against scripts; a load generator needs no secret one.
    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let mut frame = vec![0x80 | opcode];
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

    /// Each spelling of a length, and every prefix of a frame is not yet one.
    #[test]
    fn frames_are_taken_whole() {
        for (header, length) in [
            (vec![0x81, 5], 5),
            (vec![0x81, 126, 1, 0], 256),
            (vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65536),
        ] {
            let mut bytes = header.clone();
            bytes.resize(header.len() + length, b'x');
            for end in 0..bytes.len() {
                assert_eq!(parse(&bytes[..end]), Ok(None));
            }
            bytes.extend_from_slice(b"next");
            let frame = parse(&bytes).unwrap().unwrap();
            assert_eq!(frame.kind, Kind::Data);
            assert_eq!(frame.payload.len(), length);
            assert_eq!(frame.length, bytes.len() - 4);
        }
    }

    /// What a server must not send is an error.
    #[test]
    fn nonsense_is_refused() {
        for bytes in [[0x81, 0x85], [0x01, 5], [0xC1, 5], [0x83, 5]] {
            assert!(parse(&bytes).is_err());
        }
        assert!(parse(&[0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]).is_err());
    }

    /// The example of RFC 6455, section 5.7, and the longer spellings of a length.
    #[test]
    fn clients_mask() {
        assert_eq!(masked(2, &[0; 126])[..4], [0x82, 0xFE, 0, 126]);
        assert_eq!(
            masked(1, &[0; 65536])[..10],
            [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0]
        );
        assert_eq!(
            masked(1, b"Hello"),
            [
                0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58
            ]
        );
    }
}
