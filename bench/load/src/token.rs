//! Tokens as the gateway issues them: HS256, with the claims `id`, `channel` and `exp`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;

use crate::error::LoadError;

/// How long a token is valid: longer than any run.
const VALID: Duration = Duration::from_secs(3600);

#[derive(Serialize)]
struct Claims<'a> {
    id: &'a str,
    channel: &'a str,
    exp: u64,
}

/// Signs a token for `channel` in the name of `id`.
pub(crate) fn sign(secret: &str, channel: &str, id: &str) -> Result<String, LoadError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let claims = Claims {
        id,
        channel,
        exp: (now + VALID).as_secs(),
    };
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims, &key).map_err(LoadError::Token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, decode};

    /// A token holds what it should, and is worth nothing under another secret.
    #[test]
    fn a_token_is_signed() {
        let token = sign("secret", "tokens", "member").unwrap();
        let check = |secret: &str| {
            let key = DecodingKey::from_secret(secret.as_bytes());
            decode::<serde_json::Value>(&token, &key, &Validation::default())
        };
        let claims = check("secret").unwrap().claims;
        assert_eq!(claims["id"], "member");
        assert_eq!(claims["channel"], "tokens");
        assert!(check("other").is_err());
    }
}
