//! Signing and checking tokens: HS256 and nothing else (wire.md A13).

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidegate_protocol::{Claims, Reason};

use crate::secret::Secret;

/// How long past its `exp` a token is still taken, for clocks that disagree a little.
pub const LEEWAY_SECONDS: u64 = 5;

/// Issues and checks tokens with one secret.
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

/// Why no token could be issued.
#[derive(Debug, thiserror::Error)]
#[error("the token could not be signed: {0}")]
pub struct TokenError(#[from] jsonwebtoken::errors::Error);

impl Tokens {
    /// Ready to sign and check.
    pub fn new(secret: &Secret) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_aud = false;
        Self {
            signing: EncodingKey::from_secret(secret.bytes()),
            checking: DecodingKey::from_secret(secret.bytes()),
            validation,
        }
    }

    /// Signs the claims.
    pub fn issue(&self, claims: &Claims) -> Result<String, TokenError> {
        self.sign(claims)
    }

    /// Checks signature, algorithm and life, not what the token is for.
    pub fn check(&self, token: &str) -> Result<Claims, Reason> {
        self.verify(token)
    }

    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, TokenError> {
        Ok(encode(
            &Header::new(Algorithm::HS256),
            claims,
            &self.signing,
        )?)
    }

    pub(crate) fn verify<C: DeserializeOwned + Clone>(&self, token: &str) -> Result<C, Reason> {
        match decode::<C>(token, &self.checking, &self.validation) {
            Ok(data) => Ok(data.claims),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                Err(Reason::TokenExpired)
            }
            Err(_) => Err(Reason::InvalidToken),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    pub(crate) fn now() -> u64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs()
    }

    pub(crate) fn tokens() -> Tokens {
        Tokens::new(&Secret::given("a secret for tests").unwrap())
    }

    fn claims(exp: u64) -> Claims {
        Claims {
            id: "alice".into(),
            channel: "room".into(),
            exp,
        }
    }

    /// A13: HS256 with exactly the three claims, and back.
    #[test]
    fn a_token_carries_three_claims() {
        let token = tokens().issue(&claims(now() + 60)).unwrap();
        let part = |n: usize| -> serde_json::Value {
            let part = token.split('.').nth(n).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(part(0), serde_json::json!({"typ": "JWT", "alg": "HS256"}));
        assert_eq!(part(1).as_object().unwrap().len(), 3);
        assert_eq!(tokens().check(&token), Ok(claims(now() + 60)));
    }

    /// Forged tokens: alg none, another algorithm, another secret, missing claims, garbage.
    #[test]
    fn forged_tokens_are_refused() {
        let sign = |algorithm, secret: &[u8], claims: &serde_json::Value| {
            encode(
                &Header::new(algorithm),
                claims,
                &EncodingKey::from_secret(secret),
            )
            .unwrap()
        };
        let good = serde_json::json!({"id": "a", "channel": "room", "exp": now() + 60});
        let secret = b"a secret for tests";
        let body = URL_SAFE_NO_PAD.encode(good.to_string());
        let none = format!(
            "{}.{body}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#)
        );
        let mut forged = vec![
            none,
            sign(Algorithm::HS512, secret, &good),
            sign(Algorithm::HS384, secret, &good),
            sign(Algorithm::HS256, b"another secret!", &good),
            String::new(),
            "a.b.c".into(),
            "garbage".into(),
        ];
        for missing in ["id", "channel", "exp"] {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(missing);
            forged.push(sign(Algorithm::HS256, secret, &claims));
        }
        for token in forged {
            assert_eq!(tokens().check(&token), Err(Reason::InvalidToken), "{token}");
        }
        assert!(
            tokens()
                .check(&sign(Algorithm::HS256, secret, &good))
                .is_ok()
        );
    }

    #[test]
    fn a_token_ends_at_its_exp_give_or_take_the_leeway() {
        let expired = tokens().issue(&claims(now() - LEEWAY_SECONDS - 2)).unwrap();
        assert_eq!(tokens().check(&expired), Err(Reason::TokenExpired));
        assert!(
            tokens()
                .check(&tokens().issue(&claims(now() + 1)).unwrap())
                .is_ok()
        );
    }
}
