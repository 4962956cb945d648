//! The keys of this gateway: one signs, those before it still check what they have signed.

use std::collections::HashMap;

use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::{Digest as _, Sha256};

use crate::hex::hex;
use crate::secret::Secret;

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// It signs, and checks.
    Signs,
    /// It checks until this time, in milliseconds since 1970.
    ChecksUntil(u64),
    /// Nothing that it has signed is taken.
    Revoked,
}

/// One key.
#[derive(Debug, Clone)]
pub struct Key {
    /// What tokens name it by (`kid` in their header).
    pub kid: String,
    /// Its bytes.
    pub secret: Secret,
    /// What it is good for.
    pub usage: KeyUse,
}

/// All keys together.
#[derive(Default)]
pub struct Keyring {
    by_kid: HashMap<String, Checks>,
    current: Option<(String, EncodingKey)>,
    /// Checks tokens that name no key: what programs sign with the secret of `--jwt-secret`.
    plain: Option<(String, DecodingKey)>,
}

pub(crate) struct Checks {
    pub(crate) key: DecodingKey,
    pub(crate) usage: KeyUse,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring")
            .field("current", &self.current.as_ref().map(|(kid, _)| kid))
            .field("keys", &self.by_kid.len())
            .finish_non_exhaustive()
    }
}

/// The name of a secret that the operator gave: the same in every gateway, and tells nothing of it.
pub fn kid_of(secret: &Secret) -> String {
    let mut hash = Sha256::new();
    hash.update(b"tidegate kid\0");
    hash.update(secret.bytes());
    hex(&hash.finalize()[..6])
}

impl Keyring {
    /// Of these keys, of which the first that [`KeyUse::Signs`] signs. `plain` checks tokens that
    /// name no key; where it is `None` such tokens are refused.
    pub fn new(keys: impl IntoIterator<Item = Key>, plain: Option<&Secret>) -> Self {
        let mut ring = Self {
            plain: plain.map(|secret| (kid_of(secret), DecodingKey::from_secret(secret.bytes()))),
            ..Self::default()
        };
        for Key { kid, secret, usage } in keys {
            if usage == KeyUse::Signs && ring.current.is_none() {
                let signing = EncodingKey::from_secret(secret.bytes());
                ring.current = Some((kid.clone(), signing));
            }
            let key = DecodingKey::from_secret(secret.bytes());
            ring.by_kid.entry(kid).or_insert(Checks { key, usage });
        }
        ring
    }

    /// One secret that signs, and checks what names no key: a gateway with `--jwt-secret` and
    /// nothing else.
    #[cfg(test)]
    pub(crate) fn of(secret: &Secret) -> Self {
        let key = Key {
            kid: kid_of(secret),
            secret: secret.clone(),
            usage: KeyUse::Signs,
        };
        Self::new([key], Some(secret))
    }

    /// The name of the key that signs.
    pub fn current(&self) -> Option<&str> {
        self.current.as_ref().map(|(kid, _)| kid.as_str())
    }

    pub(crate) fn signing(&self) -> Option<(&str, &EncodingKey)> {
        self.current.as_ref().map(|(kid, key)| (kid.as_str(), key))
    }

    pub(crate) fn checks(&self, kid: &str) -> Option<&Checks> {
        self.by_kid.get(kid)
    }

    pub(crate) fn plain(&self) -> Option<&DecodingKey> {
        self.plain.as_ref().map(|(_, key)| key)
    }

    /// What the key of tokens that name none is called where it is named.
    pub(crate) fn plain_kid(&self) -> Option<&str> {
        self.plain.as_ref().map(|(kid, _)| kid.as_str())
    }
}
