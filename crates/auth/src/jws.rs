//! A token in its three parts, taken apart once (RFC 7515, compact form).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// A token that has the form of one. Nothing in it is believed before the signature is checked.
pub(crate) struct Jws<'a> {
    /// What the token says it is signed with. It never chooses the algorithm: the key does.
    pub(crate) alg: String,
    /// The key that it names.
    pub(crate) kid: Option<String>,
    message: &'a str,
    signature: &'a str,
    body: Vec<u8>,
}

/// What is read of the header. Other members, among them keys and addresses of keys that a token
/// may bring along, mean nothing.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    kid: Option<Cow<'a, str>>,
    crit: Option<IgnoredAny>,
}

impl<'a> Jws<'a> {
    /// `None` for what is no token, and for one with extensions that must be understood (`crit`).
    pub(crate) fn read(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, body) = message.split_once('.')?;
        if body.contains('.') {
            return None;
        }
        let header = URL_SAFE_NO_PAD.decode(header).ok()?;
        let header: Header<'_> = serde_json::from_slice(&header).ok()?;
        if header.crit.is_some() {
            return None;
        }
        Some(Self {
            alg: header.alg.into_owned(),
            kid: header.kid.map(Cow::into_owned),
            message,
            signature,
            body: URL_SAFE_NO_PAD.decode(body).ok()?,
        })
    }

    /// Whether this key made the signature, with this algorithm.
    pub(crate) fn is_signed_by(&self, key: &DecodingKey, algorithm: Algorithm) -> bool {
        crypto::verify(self.signature, self.message.as_bytes(), key, algorithm).unwrap_or(false)
    }

    /// The claims as they stand there: JSON, or not even that.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}

/// When a token begins and ends (RFC 7519, section 2: seconds, maybe with a fraction).
#[derive(Deserialize)]
pub(crate) struct Times {
    #[serde(default, deserialize_with = "date")]
    pub(crate) exp: Option<u64>,
    #[serde(default, deserialize_with = "date")]
    pub(crate) nbf: Option<u64>,
    #[serde(default, deserialize_with = "date")]
    pub(crate) iat: Option<u64>,
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Date {
        Whole(u64),
        Fraction(f64),
    }
    match Option::<Date>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Date::Whole(seconds)) => Ok(Some(seconds)),
        // The cast cuts the fraction off, and holds at the ends of the range.
        Some(Date::Fraction(seconds)) if seconds >= 0.0 => Ok(Some(seconds as u64)),
        Some(Date::Fraction(_)) => Err(serde::de::Error::custom("a time before 1970")),
    }
}
