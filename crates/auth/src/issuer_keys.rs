//! The keys of an outside issuer: a JSON Web Key Set (RFC 7517), read within bounds.
//!
//! A key says itself what it signs with: its type, and `alg` where it has one. Symmetric keys are
//! refused, since a secret that stands in a public document is none, and so are private ones. A key
//! that cannot be used is left out and said, the others hold.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::hex::hex;

/// The longest name of a key.
const MAX_KID_BYTES: usize = 256;

/// What outside issuers may sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Signature {
    /// RSA with SHA-256, keys of 2,048 to 4,096 bits.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl Signature {
    /// All of them.
    pub const ALL: [Signature; 3] = [Signature::RS256, Signature::ES256, Signature::EdDSA];

    /// As tokens and keys say it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Signature::RS256 => "RS256",
            Signature::ES256 => "ES256",
            Signature::EdDSA => "EdDSA",
        }
    }

    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Signature::RS256 => Algorithm::RS256,
            Signature::ES256 => Algorithm::ES256,
            Signature::EdDSA => Algorithm::EdDSA,
        }
    }
}

/// Why a document is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It is no JSON, or has no list of keys.
    #[error("the document is no JSON Web Key Set")]
    NoKeySet,
    /// More keys than are taken.
    #[error("the document has {0} keys; at most {1} are taken")]
    TooMany(usize, usize),
    /// Whoever publishes it may want to end all keys; more likely it is a mistake.
    #[error("none of the document's keys can be used: {0}")]
    NoKey(String),
}

/// A key that checks.
pub(crate) struct PublicKey {
    pub(crate) signature: Signature,
    pub(crate) key: DecodingKey,
}

/// The keys of one issuer.
#[derive(Default)]
pub struct IssuerKeys {
    by_kid: HashMap<String, PublicKey>,
    left_out: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl IssuerKeys {
    /// Reads a document. At most `most` keys are taken, and only such as sign with one of
    /// `signatures`.
    pub fn read(
        document: &[u8],
        signatures: &[Signature],
        most: usize,
    ) -> Result<Self, KeySetError> {
        let Document { keys } =
            serde_json::from_slice(document).map_err(|_| KeySetError::NoKeySet)?;
        if keys.len() > most {
            return Err(KeySetError::TooMany(keys.len(), most));
        }
        let mut read = Self::default();
        for (at, key) in keys.iter().enumerate() {
            let name = format!("key {}", at + 1);
            match key.as_object().ok_or("it is no object").and_then(one) {
                Ok((_, key)) if !signatures.contains(&key.signature) => {
                    let why = key.signature.as_str();
                    read.left_out
                        .push(format!("{name}: {why} is not taken of this issuer"));
                }
                Ok((kid, _)) if read.by_kid.contains_key(&kid) => read
                    .left_out
                    .push(format!("{name}: another has the same name")),
                Ok((kid, key)) => drop(read.by_kid.insert(kid, key)),
                Err(why) => read.left_out.push(format!("{name}: {why}")),
            }
        }
        if read.by_kid.is_empty() {
            let why = match read.left_out.join("; ") {
                none if none.is_empty() => "there are none".to_owned(),
                why => why,
            };
            return Err(KeySetError::NoKey(why));
        }
        Ok(read)
    }

    /// The names of the keys and what they sign with, by name.
    pub fn list(&self) -> Vec<(&str, Signature)> {
        let mut list: Vec<_> = self
            .by_kid
            .iter()
            .map(|(kid, key)| (kid.as_str(), key.signature))
            .collect();
        list.sort_by_key(|(kid, _)| *kid);
        list
    }

    /// Which keys of the document were left out, and why.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Whether a key of `before` is none any more.
    pub fn lacks_one_of(&self, before: &IssuerKeys) -> bool {
        before.by_kid.keys().any(|kid| !self.has(kid))
    }

    pub(crate) fn has(&self, kid: &str) -> bool {
        self.by_kid.contains_key(kid)
    }

    /// The key of this name; without a name the only one there is.
    pub(crate) fn find(&self, kid: Option<&str>) -> Option<(&str, &PublicKey)> {
        let found = match kid {
            Some(kid) => self.by_kid.get_key_value(kid),
            None if self.by_kid.len() == 1 => self.by_kid.iter().next(),
            None => None,
        };
        found.map(|(kid, key)| (kid.as_str(), key))
    }
}

/// One key and its name.
fn one(jwk: &Map<String, Value>) -> Result<(String, PublicKey), &'static str> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| {
        let encoded = text(name).ok_or("a part of it is missing")?;
        let decoded = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('='));
        decoded.map_err(|_| "a part of it is no base64url")
    };
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return Err("it is not for signatures");
    }
    let ops = jwk.get("key_ops").and_then(Value::as_array);
    if ops.is_some_and(|ops| !ops.iter().any(|op| op == "verify")) {
        return Err("it is not for checking signatures");
    }
    let alg = text("alg");
    let only = |allowed: &[&str]| match alg {
        Some(alg) if !allowed.contains(&alg) => Err("its algorithm is not taken"),
        _ => Ok(()),
    };
    // A private key that everybody can read signs for everybody.
    let kty = text("kty");
    if kty != Some("oct") && jwk.contains_key("d") {
        return Err("it is a private key");
    }
    let (signature, key, thumb) = match (kty, text("crv")) {
        (Some("oct"), _) => return Err("it is a symmetric key"),
        (Some("RSA"), _) => {
            only(&["RS256"])?;
            let (n, e) = (bytes("n")?, bytes("e")?);
            check_rsa(&n, &e)?;
            let key = DecodingKey::from_rsa_raw_components(&n, &e);
            (Signature::RS256, key, n)
        }
        (Some("EC"), Some("P-256")) => {
            only(&["ES256"])?;
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != 32 || y.len() != 32 {
                return Err("a coordinate does not have 32 bytes");
            }
            let point = [&[4], &x[..], &y[..]].concat();
            (Signature::ES256, DecodingKey::from_ec_der(&point), point)
        }
        (Some("OKP"), Some("Ed25519")) => {
            only(&["EdDSA", "Ed25519"])?;
            let x = bytes("x")?;
            // The library cuts the first 32 bytes out, whatever there is.
            if x.len() != 32 {
                return Err("it does not have 32 bytes");
            }
            (Signature::EdDSA, DecodingKey::from_ed_der(&x), x)
        }
        _ => return Err("its type or curve is not taken"),
    };
    // A point that is none is found here and not when the first token comes.
    if crypto::verify("", b"", &key, signature.algorithm()).is_err() {
        return Err("it is no key");
    }
    let kid = match text("kid") {
        Some(kid) if kid.len() > MAX_KID_BYTES => return Err("its name is too long"),
        Some(kid) => kid.to_owned(),
        None => hex(&Sha256::digest(thumb)[..8]),
    };
    Ok((kid, PublicKey { signature, key }))
}

/// Short keys can be broken, long ones keep the gateway busy.
fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), &'static str> {
    let first = n.iter().position(|byte| *byte != 0).unwrap_or(n.len());
    let n = &n[first..];
    let bits = n
        .first()
        .map_or(0, |byte| 8 - byte.leading_zeros() as usize)
        + 8 * n.len().saturating_sub(1);
    if !(2048..=4096).contains(&bits) {
        return Err("an RSA key has 2048 to 4096 bits here");
    }
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte % 2 == 1);
    if !odd(n) || !odd(e) || e.len() > 4 || e == [1] {
        return Err("it is no RSA key");
    }
    Ok(())
}
