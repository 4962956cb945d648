//! Signing keys: the first one, rotation, what the store holds of them.

use tidegate_auth::{Key, KeyUse, Keyring, Revoked, Secret, kid_of};
use tidegate_protocol::trust::KeyInfo;
use tidegate_store::{KeyState, RevocationKind, SigningKey, StoreError};

use super::{MOST, Trust, TrustError, now_ms, unsigned};

/// How long a key that is good for nothing any more stays in the list, in milliseconds.
const SHOWN_MS: i64 = 7 * 24 * 3600 * 1000;

impl Trust {
    pub(super) async fn make_first_key(&self) -> Result<(), TrustError> {
        let keys = self.store.keys(MOST).await?;
        if !keys
            .iter()
            .any(|key| key.state == KeyState::Current.as_str())
        {
            // When another gateway is quicker its key is taken.
            match self.store.add_first_key(&self.new_key()?).await {
                Ok(_) | Err(StoreError::Taken) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn new_key(&self) -> Result<SigningKey, TrustError> {
        let secret = Secret::random();
        let kid = kid_of(&secret);
        Ok(SigningKey {
            sealed: self.seal.seal(&kid, secret.bytes())?,
            kid,
            state: KeyState::Current.as_str().to_owned(),
            created_at: now_ms(),
            retired_at: None,
            verify_until: None,
        })
    }

    /// The keys as the store has them, and the secret of `--jwt-secret`.
    pub(super) async fn keyring(&self) -> Result<Keyring, TrustError> {
        let shared = self.shared.as_ref().map(|secret| (kid_of(secret), secret));
        let mut shared_use = None;
        let mut keys = Vec::new();
        for row in self.store.keys(MOST).await? {
            let usage = match row.state.parse() {
                Ok(KeyState::Current) => KeyUse::Signs,
                Ok(KeyState::Previous) => {
                    KeyUse::ChecksUntil(row.verify_until.map_or(u64::MAX, unsigned))
                }
                Ok(KeyState::Revoked) | Err(()) => KeyUse::Revoked,
            };
            if shared.as_ref().is_some_and(|(kid, _)| *kid == row.kid) {
                shared_use = Some(usage);
            } else if !row.sealed.is_empty() {
                let secret = Secret::from_bytes(self.seal.open(&row.kid, &row.sealed)?);
                let kid = row.kid;
                keys.push(Key { kid, secret, usage });
            }
        }
        let plain = self
            .shared
            .as_ref()
            .filter(|_| self.plain && shared_use != Some(KeyUse::Revoked));
        if let Some((kid, secret)) = shared {
            // It signs until another key was made to.
            let signs = !keys.iter().any(|key| key.usage == KeyUse::Signs);
            let usage = shared_use.unwrap_or(if signs {
                KeyUse::Signs
            } else {
                KeyUse::ChecksUntil(u64::MAX)
            });
            let secret = secret.clone();
            keys.push(Key { kid, secret, usage });
        }
        Ok(Keyring::new(keys, plain))
    }

    /// What is refused.
    pub(super) async fn revoked(&self) -> Result<Revoked, TrustError> {
        let mut revoked = Revoked::default();
        // All of them: their number is bounded where they are made, and none may be left out.
        for row in self.store.revocations(now_ms(), i64::MAX).await? {
            let at = unsigned(row.revoked_at);
            match row.kind.parse() {
                Ok(RevocationKind::Token) => drop(revoked.tokens.insert(row.value)),
                Ok(RevocationKind::Subject) => drop(revoked.subjects.insert(row.value, at)),
                Ok(RevocationKind::Key) => drop(revoked.keys.insert(row.value, at)),
                Err(()) => {}
            }
        }
        Ok(revoked)
    }

    /// A new key signs from here on; the one before it checks until its last token has expired, or
    /// `at_once` not at all. `life` is how long a token lives at most, in seconds. Nothing is changed,
    /// and no key given, when somebody else has rotated at the same time.
    pub(crate) async fn rotate(
        &self,
        at_once: bool,
        life: u64,
    ) -> Result<Option<String>, TrustError> {
        if let Some(secret) = &self.shared {
            let first = SigningKey {
                kid: kid_of(secret),
                sealed: String::new(),
                ..self.new_key()?
            };
            match self.store.add_first_key(&first).await {
                Ok(_) | Err(StoreError::Taken) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let key = self.new_key()?;
        let keys = self.store.keys(MOST).await?;
        let current = keys
            .iter()
            .find(|key| key.state == KeyState::Current.as_str());
        let rotated = match current {
            Some(current) => {
                let until = if at_once {
                    None
                } else {
                    let last = self.store.last_expiry(&current.kid).await?;
                    let life = super::signed(life.saturating_mul(1000));
                    Some(last.max(now_ms().saturating_add(life)))
                };
                self.store.rotate_key(&key, &current.kid, until).await?
            }
            None => self.store.add_first_key(&key).await?,
        };
        Ok(rotated.then_some(key.kid))
    }

    /// All keys, the one that signs first.
    pub(crate) async fn key_list(&self) -> Result<Vec<KeyInfo>, TrustError> {
        let shared = self.shared.as_ref().map(kid_of);
        let now = now_ms();
        let mut list = Vec::new();
        for row in self.store.keys(MOST).await? {
            list.push(KeyInfo {
                shared: shared.as_ref() == Some(&row.kid),
                tokens: unsigned(self.store.tokens_of_key(&row.kid, now).await?),
                kid: row.kid,
                state: row.state,
                created_at: Some(unsigned(row.created_at)),
                verify_until: row.verify_until.map(unsigned),
            });
        }
        if let Some(kid) = shared.filter(|kid| !list.iter().any(|key| key.kid == *kid)) {
            let signs = !list
                .iter()
                .any(|key| key.state == KeyState::Current.as_str());
            let state = if signs {
                KeyState::Current
            } else {
                KeyState::Previous
            };
            list.push(KeyInfo {
                tokens: unsigned(self.store.tokens_of_key(&kid, now).await?),
                kid,
                state: state.as_str().to_owned(),
                shared: true,
                created_at: None,
                verify_until: None,
            });
        }
        list.sort_by_key(|key| key.state != KeyState::Current.as_str());
        Ok(list)
    }

    /// Forgets keys whose last token has expired, a week later.
    pub(super) async fn purge_keys(&self) -> Result<(), TrustError> {
        let now = now_ms();
        self.store.purge_keys(now, now - SHOWN_MS).await?;
        Ok(())
    }

    /// When the key that signs was made, in milliseconds since 1970.
    pub(super) async fn current_since(&self) -> Result<Option<i64>, TrustError> {
        let keys = self.store.keys(MOST).await?;
        let current = keys
            .iter()
            .find(|key| key.state == KeyState::Current.as_str());
        Ok(current.map(|key| key.created_at))
    }
}
