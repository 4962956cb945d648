//! Keys that sign tokens, sealed.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::revision::change;
use crate::revocations::spare;
use crate::statements::statements;

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It signs new tokens.
    Current,
    /// It still checks those it has signed.
    Previous,
    /// Nothing that it has signed is taken any more.
    Revoked,
}

impl KeyState {
    /// As it stands in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyState::Current => "current",
            KeyState::Previous => "previous",
            KeyState::Revoked => "revoked",
        }
    }
}

impl std::str::FromStr for KeyState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "current" => Ok(KeyState::Current),
            "previous" => Ok(KeyState::Previous),
            "revoked" => Ok(KeyState::Revoked),
            _ => Err(()),
        }
    }
}

/// A signing key. Times in milliseconds since 1970.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct SigningKey {
    /// What tokens name it by.
    pub kid: String,
    /// The secret under the key file.
    pub sealed: String,
    /// [`KeyState::as_str`].
    pub state: String,
    /// Since when.
    pub created_at: i64,
    /// When another took its place.
    pub retired_at: Option<i64>,
    /// Until when it checks, once retired.
    pub verify_until: Option<i64>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("state", &self.state)
            .field("verify_until", &self.verify_until)
            .finish_non_exhaustive()
    }
}

statements! {
    ADD = "INSERT INTO signing_keys (kid, sealed, state, created_at) \
           SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), 'current', CAST($3 AS BIGINT) \
           WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE state = 'current')";
    RETIRE = "UPDATE signing_keys SET state = 'previous', retired_at = $1, verify_until = $2 \
              WHERE kid = $3 AND state = 'current'";
    RETIRE_AT_ONCE = "UPDATE signing_keys SET state = 'revoked', retired_at = $1, verify_until = $1 \
                      WHERE kid = $2 AND state = 'current'";
    REVOKE = "UPDATE signing_keys SET state = 'revoked', verify_until = $2 \
              WHERE kid = $1 AND state = 'previous'";
    // What is not sealed is the secret that the operator gave: its row is all that refuses it.
    PURGE = "DELETE FROM signing_keys WHERE state <> 'current' AND verify_until <= $1 \
             AND retired_at <= $2 AND sealed <> ''";
    LIST = "SELECT kid, sealed, state, created_at, retired_at, verify_until FROM signing_keys \
            ORDER BY created_at DESC, kid LIMIT $1";
}

impl Store {
    /// Adds the first key; `false` when another gateway was quicker: then that one is to be read.
    pub async fn add_first_key(&self, key: &SigningKey) -> Result<bool, StoreError> {
        change!(self, ADD, &key.kid, &key.sealed, key.created_at).map(|rows| rows > 0)
    }

    /// Puts `key` in the place of `current`, which goes on checking until `verify_until`, or with
    /// `None` not at all. `false` when another key signs by now, or none: then nothing has happened.
    pub async fn rotate_key(
        &self,
        key: &SigningKey,
        current: &str,
        verify_until: Option<i64>,
    ) -> Result<bool, StoreError> {
        let rotated = async {
            let mut change = self.pool.begin().await?;
            let retired = match verify_until {
                Some(until) => sqlx::query(RETIRE).bind(key.created_at).bind(until),
                None => sqlx::query(RETIRE_AT_ONCE).bind(key.created_at),
            }
            .bind(current)
            .execute(&mut *change)
            .await?;
            if retired.rows_affected() == 0 {
                return Ok(false);
            }
            let added = sqlx::query(ADD)
                .bind(&key.kid)
                .bind(&key.sealed)
                .bind(key.created_at)
                .execute(&mut *change)
                .await?;
            if added.rows_affected() == 0 {
                return Ok(false);
            }
            if verify_until.is_none() {
                spare(&mut change, current).await?;
            }
            crate::revision::grow(&mut change).await?;
            change.commit().await?;
            Ok(true)
        }
        .await;
        self.noted(rotated)
    }

    /// Ends a key that only checks any more; `false` when there is none.
    pub async fn revoke_key(&self, kid: &str, now: i64) -> Result<bool, StoreError> {
        let revoked = async {
            let mut change = self.pool.begin().await?;
            let rows = sqlx::query(REVOKE)
                .bind(kid)
                .bind(now)
                .execute(&mut *change)
                .await?;
            if rows.rows_affected() == 0 {
                return Ok(false);
            }
            spare(&mut change, kid).await?;
            crate::revision::grow(&mut change).await?;
            change.commit().await?;
            Ok(true)
        }
        .await;
        self.noted(revoked)
    }

    /// Forgets keys that were retired before `retired_before` and whose last token has expired; never
    /// that of `--jwt-secret`, which comes back with every start.
    pub async fn purge_keys(&self, now: i64, retired_before: i64) -> Result<u64, StoreError> {
        change!(self, PURGE, now, retired_before)
    }

    /// Up to `most` keys, the latest first.
    pub async fn keys(&self, most: i64) -> Result<Vec<SigningKey>, StoreError> {
        let read = sqlx::query_as(LIST).bind(most).fetch_all(&self.pool).await;
        self.noted(read)
    }
}
