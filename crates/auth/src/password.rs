//! Passwords of users: argon2id, with the parameters that OWASP recommends and RFC 9106 describes.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

/// Shorter ones are guessed.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Longer ones only cost time.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Why a password is refused when it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It can be guessed.
    #[error("a password needs at least {MIN_PASSWORD_CHARS} characters")]
    TooShort,
    /// It is longer than anybody types.
    #[error("a password may have at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// The system has no random bytes.
    #[error("the password could not be hashed")]
    Hashing,
}

/// What is kept of a password. Takes some 20 ms and 19 MiB: not for the threads of sockets.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(PasswordError::TooShort);
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed
        .map(|hash| hash.to_string())
        .map_err(|_| PasswordError::Hashing)
}

/// Whether the password is the one. Without a hash, for a user that is not there, it takes as long
/// and is never right: the time tells nobody which names exist.
pub fn verify_password(password: &str, hash: Option<&str>) -> bool {
    static NOBODY: LazyLock<String> =
        LazyLock::new(|| hash_password("a password that nobody has").unwrap_or_default());
    if password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    let good = PasswordHash::new(hash.unwrap_or(&NOBODY)).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    });
    good && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash() {
        let hash = hash_password("open sesame").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert_ne!(hash, hash_password("open sesame").unwrap(), "salted");
        assert!(verify_password("open sesame", Some(&hash)));
        assert!(!verify_password("open sesam", Some(&hash)));
        assert!(!verify_password("open sesame", None));
        assert!(!verify_password("a password that nobody has", None));
        assert!(!verify_password("open sesame", Some("no hash")));
    }

    #[test]
    fn what_can_be_guessed_or_is_endless_is_refused() {
        assert_eq!(hash_password("1234567"), Err(PasswordError::TooShort));
        let endless = "x".repeat(MAX_PASSWORD_BYTES + 1);
        assert_eq!(hash_password(&endless), Err(PasswordError::TooLong));
        assert!(!verify_password(&endless, None));
    }
}
