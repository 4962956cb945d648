//! Signing and checking tokens: the gateway's own with HS256 and nothing else (wire.md A13), those
//! of outside issuers with what their keys say.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, Header, encode};
use parking_lot::RwLock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidegate_protocol::{Claims, Reason, Role};

use crate::directory::Directory;
use crate::issuer::Issuers;
use crate::jws::{Jws, Times};
use crate::keyring::{KeyUse, Keyring};
use crate::revoked::{Marks, Revoked};

/// How long past its `exp` a token is still taken, for clocks that disagree a little.
pub const LEEWAY_SECONDS: u64 = 5;
/// What the gateway's own keys sign with.
const OWN: &str = "HS256";

/// How far ahead of this clock a token may have been issued. One from the future would outlive every
/// revocation of its subject and of its key, which hold what was issued until then.
const MAX_AHEAD_SECONDS: u64 = 60;

/// Issues and checks tokens. Keys and revocations may be replaced at any time.
pub struct Tokens {
    state: RwLock<Arc<State>>,
    issuers: Issuers,
    sessions: Arc<Directory>,
}

#[derive(Default)]
struct State {
    keys: Arc<Keyring>,
    revoked: Arc<Revoked>,
}

/// Why no token could be issued.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The library refuses.
    #[error("the token could not be signed: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// There is no key that signs.
    #[error("there is no key that signs tokens; rotate the keys")]
    NoKey,
}

/// A token that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What it says.
    pub claims: Claims,
    /// The key that signed it, where it names one; of an outside issuer `<issuer>#<name>`.
    pub kid: Option<String>,
    /// How far past its end it is still taken, in seconds.
    pub leeway: u64,
}

impl Tokens {
    /// Ready to sign and check.
    pub fn new(keys: Keyring) -> Self {
        let state = State {
            keys: Arc::new(keys),
            revoked: Arc::default(),
        };
        Self {
            state: RwLock::new(Arc::new(state)),
            issuers: Issuers::default(),
            sessions: Arc::default(),
        }
    }

    /// Takes tokens that were issued for a session as long as that is open here.
    pub fn with_sessions(self, sessions: Arc<Directory>) -> Self {
        Self { sessions, ..self }
    }

    /// Takes tokens of these issuers too.
    pub fn with_issuers(self, issuers: Issuers) -> Self {
        Self { issuers, ..self }
    }

    /// The outside issuers.
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// From here on these keys sign and check.
    pub fn set_keys(&self, keys: Keyring) {
        let mut state = self.state.write();
        *state = Arc::new(State {
            keys: Arc::new(keys),
            revoked: state.revoked.clone(),
        });
    }

    /// From here on this is refused.
    pub fn set_revoked(&self, revoked: Revoked) {
        let mut state = self.state.write();
        *state = Arc::new(State {
            keys: state.keys.clone(),
            revoked: Arc::new(revoked),
        });
    }

    /// What is refused.
    pub fn revoked(&self) -> Arc<Revoked> {
        self.state.read().revoked.clone()
    }

    /// The keys.
    pub fn keys(&self) -> Arc<Keyring> {
        self.state.read().keys.clone()
    }

    /// Signs the claims.
    pub fn issue(&self, claims: &Claims) -> Result<String, TokenError> {
        self.sign(claims)
    }

    /// Checks signature, algorithm, life and revocation, not what the token is for.
    ///
    /// A token that says HS256 is one of the gateway's own keys or none; of outside issuers no
    /// symmetric key is ever taken.
    pub fn check(&self, token: &str) -> Result<Checked, Reason> {
        let token = Jws::read(token).ok_or(Reason::InvalidToken)?;
        let checked = if token.alg == OWN || self.issuers.is_empty() {
            let claims = self.own::<Claims>(&token)?;
            Checked {
                claims,
                kid: token.kid,
                leeway: LEEWAY_SECONDS,
            }
        } else {
            self.issuers.check(&token, now_ms() / 1000)?
        };
        let latest = (now_ms() / 1000).saturating_add(MAX_AHEAD_SECONDS.max(checked.leeway));
        if checked.claims.iat.is_some_and(|iat| iat > latest) {
            return Err(Reason::InvalidToken);
        }
        let marks = Marks::of(&checked.claims, checked.kid.as_deref());
        if self.was_revoked(&marks) || self.has_lost_its_session(&marks) {
            return Err(Reason::TokenRevoked);
        }
        Ok(checked)
    }

    /// Whether a token that was good once is so no more, its life apart: it was revoked, the key that
    /// signed it was, or its session is over.
    pub fn is_revoked(&self, token: &Marks<'_>) -> bool {
        let keys = self.keys();
        let key_is_gone = match token.kid {
            Some(kid) => self.issuers.has_lost(kid).unwrap_or_else(|| {
                keys.checks(kid)
                    .is_none_or(|key| key.usage == KeyUse::Revoked)
            }),
            None => keys.plain().is_none(),
        };
        key_is_gone || self.was_revoked(token) || self.has_lost_its_session(token)
    }

    /// Whether a revocation names it. One that names no key was signed by the shared secret, which has
    /// a name all the same.
    fn was_revoked(&self, token: &Marks<'_>) -> bool {
        let keys = self.keys();
        self.revoked().holds(&Marks {
            kid: token.kid.or(keys.plain_kid()),
            ..*token
        })
    }

    /// Whether it was issued for a session that has ended, or whose user has lost a role since.
    fn has_lost_its_session(&self, token: &Marks<'_>) -> bool {
        let Some(sid) = token.sid else {
            return false;
        };
        let role = self.sessions.role_of(sid, now_ms());
        role.is_none_or(|role| {
            let named = token
                .roles
                .iter()
                .filter_map(|name| Role::named(name.as_str()));
            named.into_iter().any(|carried| carried > role)
        })
    }

    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, TokenError> {
        let keys = self.keys();
        let (kid, key) = keys.signing().ok_or(TokenError::NoKey)?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid.to_owned());
        Ok(encode(&header, claims, key)?)
    }

    /// What a token of the gateway's own keys says.
    pub(crate) fn verify<C: DeserializeOwned>(&self, token: &str) -> Result<C, Reason> {
        self.own(&Jws::read(token).ok_or(Reason::InvalidToken)?)
    }

    fn own<C: DeserializeOwned>(&self, token: &Jws<'_>) -> Result<C, Reason> {
        let keys = self.keys();
        let key = match &token.kid {
            None => keys.plain().ok_or(Reason::InvalidToken)?,
            Some(kid) => {
                let found = keys.checks(kid).ok_or(Reason::InvalidToken)?;
                match found.usage {
                    KeyUse::Signs => &found.key,
                    // Its last token has expired.
                    KeyUse::ChecksUntil(until) if until < now_ms() => {
                        return Err(Reason::TokenExpired);
                    }
                    KeyUse::ChecksUntil(_) => &found.key,
                    KeyUse::Revoked => return Err(Reason::TokenRevoked),
                }
            }
        };
        if token.alg != OWN || !token.is_signed_by(key, Algorithm::HS256) {
            return Err(Reason::InvalidToken);
        }
        let invalid = |_| Reason::InvalidToken;
        let times: Times = serde_json::from_slice(token.body()).map_err(invalid)?;
        let claims = serde_json::from_slice(token.body()).map_err(invalid)?;
        let (now, exp) = (now_ms() / 1000, times.exp.ok_or(Reason::InvalidToken)?);
        if exp.saturating_add(LEEWAY_SECONDS) < now {
            return Err(Reason::TokenExpired);
        }
        if times.nbf.is_some_and(|nbf| nbf > now + LEEWAY_SECONDS) {
            return Err(Reason::InvalidToken);
        }
        Ok(claims)
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::keyring::{Key, kid_of};
    use crate::secret::Secret;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::EncodingKey;

    pub(crate) fn now() -> u64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs()
    }

    pub(crate) fn tokens() -> Tokens {
        Tokens::new(Keyring::of(&secret("a secret for tests")))
    }

    fn secret(text: &str) -> Secret {
        Secret::given(text).unwrap()
    }

    fn claims(exp: u64) -> Claims {
        Claims::new("alice", "room", exp)
    }

    fn key(kid: &str, usage: KeyUse) -> Key {
        Key {
            kid: kid.to_owned(),
            secret: secret(&format!("the secret of {kid}")),
            usage,
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
        let kid = kid_of(&secret("a secret for tests"));
        assert_eq!(
            part(0),
            serde_json::json!({"typ": "JWT", "alg": "HS256", "kid": kid})
        );
        assert_eq!(part(1).as_object().unwrap().len(), 3);
        let checked = tokens().check(&token).unwrap();
        assert_eq!(
            checked,
            Checked {
                claims: claims(now() + 60),
                kid: Some(kid),
                leeway: LEEWAY_SECONDS,
            }
        );
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

    /// P10, P11: a key that was rotated out checks until its time is over, one that was revoked
    /// checks nothing, one that is unknown never did.
    #[test]
    fn keys_rotate() {
        let tokens = Tokens::new(Keyring::new([key("a", KeyUse::Signs)], None));
        let by_a = tokens.issue(&claims(now() + 60)).unwrap();
        let later = now_ms() + 60_000;
        let b = || key("b", KeyUse::Signs);
        tokens.set_keys(Keyring::new(
            [b(), key("a", KeyUse::ChecksUntil(later))],
            None,
        ));
        let by_b = tokens.issue(&claims(now() + 60)).unwrap();
        assert_eq!(tokens.check(&by_b).unwrap().kid.as_deref(), Some("b"));
        assert!(tokens.check(&by_a).is_ok());
        tokens.set_keys(Keyring::new([b(), key("a", KeyUse::ChecksUntil(1))], None));
        assert_eq!(tokens.check(&by_a), Err(Reason::TokenExpired));
        tokens.set_keys(Keyring::new([b(), key("a", KeyUse::Revoked)], None));
        assert_eq!(tokens.check(&by_a), Err(Reason::TokenRevoked));
        tokens.set_keys(Keyring::new([b()], None));
        assert_eq!(tokens.check(&by_a), Err(Reason::InvalidToken));
        tokens.set_keys(Keyring::new([key("a", KeyUse::ChecksUntil(later))], None));
        assert!(matches!(tokens.issue(&claims(1)), Err(TokenError::NoKey)));
    }

    /// A token that names no key is checked with the shared secret or not at all, and one that
    /// names a key never with another.
    #[test]
    fn a_key_is_not_confused_with_another() {
        let shared = secret("a secret for tests");
        let plain = encode(
            &Header::new(Algorithm::HS256),
            &claims(now() + 60),
            &EncodingKey::from_secret(b"a secret for tests"),
        )
        .unwrap();
        let with = Tokens::new(Keyring::new([key("a", KeyUse::Signs)], Some(&shared)));
        assert_eq!(with.check(&plain).unwrap().kid, None);
        let without = Tokens::new(Keyring::new([key("a", KeyUse::Signs)], None));
        assert_eq!(without.check(&plain), Err(Reason::InvalidToken));
        for kid in ["a", "", "../../dev/null", "a' OR 1=1"] {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some(kid.to_owned());
            let key = EncodingKey::from_secret(b"a secret for tests");
            let forged = encode(&header, &claims(now() + 60), &key).unwrap();
            assert_eq!(with.check(&forged), Err(Reason::InvalidToken), "{kid}");
        }
    }

    /// A token that names no key is revoked by the name of the secret that signed it.
    #[test]
    fn a_plain_token_goes_with_the_shared_secret() {
        let shared = secret("a secret for tests");
        let plain = encode(
            &Header::new(Algorithm::HS256),
            &claims(now() + 60),
            &EncodingKey::from_secret(shared.bytes()),
        )
        .unwrap();
        let tokens = tokens();
        let grant = claims(now() + 60);
        let marks = Marks::of(&grant, None);
        assert!(tokens.check(&plain).is_ok() && !tokens.is_revoked(&marks));
        let by = |kid: &str| Revoked {
            keys: [(kid.to_owned(), now_ms())].into(),
            ..Revoked::default()
        };
        tokens.set_revoked(by("another"));
        assert!(tokens.check(&plain).is_ok() && !tokens.is_revoked(&marks));
        tokens.set_revoked(by(&kid_of(&shared)));
        assert_eq!(tokens.check(&plain), Err(Reason::TokenRevoked));
        assert!(tokens.is_revoked(&marks));
    }

    #[test]
    fn a_token_that_is_not_valid_yet_is_refused() {
        let body = serde_json::json!({
            "id": "a", "channel": "room", "exp": now() + 600, "nbf": now() + 300,
        });
        let token = encode(
            &Header::new(Algorithm::HS256),
            &body,
            &EncodingKey::from_secret(b"a secret for tests"),
        )
        .unwrap();
        assert_eq!(tokens().check(&token), Err(Reason::InvalidToken));
    }

    /// P12.
    #[test]
    fn a_revoked_token_is_refused() {
        let tokens = tokens();
        let named = Claims {
            jti: Some("1".into()),
            iat: Some(now()),
            ..claims(now() + 60)
        };
        let token = tokens.issue(&named).unwrap();
        assert!(tokens.check(&token).is_ok());
        tokens.set_revoked(Revoked {
            tokens: ["1".to_owned()].into(),
            ..Revoked::default()
        });
        assert_eq!(tokens.check(&token), Err(Reason::TokenRevoked));
    }
}
