//! UTF-8 that arrives in pieces, cut anywhere.

/// What of a character has arrived at the end of the last piece.
#[derive(Debug, Clone, Copy, Default)]
pub struct Utf8 {
    begun: [u8; 3],
    length: u8,
}

impl Utf8 {
    /// Judges the next piece; `false` as soon as no continuation could make it UTF-8.
    pub fn take(&mut self, mut piece: &[u8]) -> bool {
        while self.length > 0 {
            let Some((&byte, rest)) = piece.split_first() else {
                return true;
            };
            piece = rest;
            let begun = usize::from(self.length);
            let mut character = [0; 4];
            character[..begun].copy_from_slice(&self.begun[..begun]);
            character[begun] = byte;
            match std::str::from_utf8(&character[..=begun]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_none() && error.valid_up_to() == 0 => {
                    // Four bytes are a whole character or none.
                    let Some(slot) = self.begun.get_mut(begun) else {
                        return false;
                    };
                    *slot = byte;
                    self.length += 1;
                }
                Err(_) => return false,
            }
        }
        match std::str::from_utf8(piece) {
            Ok(_) => true,
            Err(error) if error.error_len().is_none() => {
                let begun = &piece[error.valid_up_to()..];
                self.begun[..begun.len()].copy_from_slice(begun);
                self.length = begun.len() as u8;
                true
            }
            Err(_) => false,
        }
    }

    /// Whether the text may end here: no character is cut off.
    pub fn is_whole(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> bool {
        let mut utf8 = Utf8::default();
        for piece in pieces {
            if !utf8.take(piece) {
                return false;
            }
        }
        utf8.is_whole()
    }

    proptest! {
        #[test]
        fn any_cut_of_any_bytes_is_judged_as_the_whole(
            bytes in prop::collection::vec(prop::sample::select(
                &[0x00u8, 0x41, 0x7f, 0x80, 0x8f, 0x9f, 0xa0, 0xbf, 0xc0, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xf5, 0xff][..]), 0..12),
            size in 1usize..6,
        ) {
            let whole = std::str::from_utf8(&bytes).is_ok();
            prop_assert_eq!(judge(bytes.chunks(size)), whole);
        }

        #[test]
        fn text_survives_any_cut(text in ".{0,40}", size in 1usize..6) {
            prop_assert!(judge(text.as_bytes().chunks(size)));
        }
    }

    /// A wrong byte is found with the piece it is in, not at the end.
    #[test]
    fn a_wrong_byte_is_found_at_once() {
        let mut utf8 = Utf8::default();
        assert!(utf8.take(b"\xce\xba\xe1"));
        assert!(utf8.take(b"\xbd\xb9"));
        // A lone surrogate is wrong with its second byte.
        assert!(utf8.take(b"\xed"));
        assert!(!utf8.take(b"\xa0"));
    }
}
