//! The mask of a client's frame (RFC 6455, section 5.3).

/// Takes the mask off `data`, whose first byte is the `offset`-th of its frame's payload.
pub fn unmask(data: &mut [u8], key: [u8; 4], offset: usize) {
    let mut rolled = key;
    rolled.rotate_left(offset % 4);
    let [a, b, c, d] = rolled;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = data.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_ne_bytes(word) ^ wide).to_ne_bytes());
    }
    for (byte, key) in chunks
        .into_remainder()
        .iter_mut()
        .zip(rolled.iter().cycle())
    {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// In pieces of any size it is what it is byte for byte.
        #[test]
        fn pieces_make_no_difference(
            data in prop::collection::vec(any::<u8>(), 0..100),
            key: [u8; 4],
            size in 1usize..20,
        ) {
            let plain: Vec<u8> = data.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
            let mut pieces = data;
            let mut offset = 0;
            for piece in pieces.chunks_mut(size) {
                unmask(piece, key, offset);
                offset += piece.len();
            }
            prop_assert_eq!(pieces, plain);
        }
    }
}
