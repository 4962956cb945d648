//! A server's WebSocket frame, prepared once for all sockets.

/// An unmasked, unfragmented text frame (RFC 6455, section 5.2).
pub(crate) fn text(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 10);
    frame.push(0x81);
    match payload.len() {
        length @ 0..=125 => frame.push(length as u8),
        length @ 126..=0xFFFF => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The three spellings of a length.
    #[test]
    fn lengths_are_spelled_as_the_standard_says() {
        assert_eq!(text(b"hi"), [0x81, 2, b'h', b'i']);
        assert_eq!(text(&[b'x'; 125])[..2], [0x81, 125]);
        assert_eq!(text(&[b'x'; 126])[..4], [0x81, 126, 0, 126]);
        assert_eq!(
            text(&[b'x'; 65536])[..10],
            [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }
}
