//! Secrets under a key file: what the store holds of them opens nothing without it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

use crate::secret::Secret;

const NONCE_BYTES: usize = 24;

/// Seals and opens secrets with the key of a file (XChaCha20-Poly1305).
#[derive(Clone)]
pub struct Seal(XChaCha20Poly1305);

/// The secret was sealed under another key file, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signing keys in the store were sealed under another key file; give the gateway the file `key` of the data folder that made them, or rotate the keys"
)]
pub struct SealError;

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(..)")
    }
}

impl Seal {
    /// With the content of the key file.
    pub fn new(key: &Secret) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"tidegate seal\0");
        hash.update(key.bytes());
        let key: [u8; 32] = hash.finalize().into();
        Self(XChaCha20Poly1305::new(&key.into()))
    }

    /// Seals the secret of this name; under another name it cannot be opened.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Result<String, SealError> {
        let nonce: [u8; NONCE_BYTES] = rand::rng().random();
        let payload = Payload {
            msg: secret,
            aad: name.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError)?;
        Ok(STANDARD.encode([&nonce[..], &sealed[..]].concat()))
    }

    /// Opens what was sealed under this name.
    pub fn open(&self, name: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let bytes = STANDARD.decode(sealed).map_err(|_| SealError)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or(SealError)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError)?;
        let payload = Payload {
            msg: sealed,
            aad: name.as_bytes(),
        };
        self.0
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_name_open_it() {
        let seal = Seal::new(&Secret::given("the key of a file").unwrap());
        let sealed = seal.seal("k1", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_ne!(sealed, seal.seal("k1", b"secret").unwrap());
        assert_eq!(seal.open("k1", &sealed).unwrap(), b"secret");
        assert_eq!(seal.open("k2", &sealed), Err(SealError));
        let other = Seal::new(&Secret::given("another key").unwrap());
        assert_eq!(other.open("k1", &sealed), Err(SealError));
        for broken in ["", "AAAA", "no base64!", &sealed[..sealed.len() - 4]] {
            assert_eq!(seal.open("k1", broken), Err(SealError), "{broken}");
        }
    }
}
