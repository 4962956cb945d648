//! A token that a program shows with each request, compared in constant time.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Fewer bytes could be guessed.
pub const MIN_BEARER_BYTES: usize = 16;

/// A secret shown as `Authorization: Bearer <token>`; only its hash is kept.
#[derive(Clone)]
pub struct Bearer([u8; 32]);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(hidden)")
    }
}

impl Bearer {
    /// `None` when the token is too short.
    pub fn new(token: &str) -> Option<Self> {
        (token.len() >= MIN_BEARER_BYTES).then(|| Self(Sha256::digest(token).into()))
    }

    /// Whether this value of an `Authorization` header shows the token. Hashes are compared, so
    /// that neither the time nor the length tells anything about it.
    pub fn is_shown_by(&self, authorization: &[u8]) -> bool {
        let Some((scheme, token)) = authorization.split_at_checked(b"Bearer ".len()) else {
            return false;
        };
        let given: [u8; 32] = Sha256::digest(token.trim_ascii()).into();
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(self.0.ct_eq(&given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used, reason = "tests")]
    fn the_token_and_nothing_else_is_let_in() {
        assert!(Bearer::new("short").is_none());
        let bearer = Bearer::new("a token of some length").unwrap();
        assert!(bearer.is_shown_by(b"Bearer a token of some length"));
        assert!(bearer.is_shown_by(b"bearer a token of some length"));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a token",
            "a token of some length",
        ] {
            assert!(!bearer.is_shown_by(wrong.as_bytes()), "{wrong}");
        }
        assert_eq!(format!("{bearer:?}"), "Bearer(hidden)");
    }
}
