//! Keys by which programs use the API.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::revision::change;
use crate::statements::statements;

/// An API key. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ApiKey {
    /// [`crate::new_id`].
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The name of the role.
    pub role: String,
    /// SHA-256 of the key, in hexadecimal.
    pub hash: String,
    /// Its first characters, to know it by.
    pub hint: String,
    /// Since when.
    pub created_at: i64,
    /// Who made it.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Option<i64>,
    /// When somebody ended it.
    pub revoked_at: Option<i64>,
}

statements! {
    ADD = "INSERT INTO api_keys (id, name, role, hash, hint, created_at, created_by, expires_at) \
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    REVOKE = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    LIST = "SELECT id, name, role, hash, hint, created_at, created_by, expires_at, revoked_at \
            FROM api_keys ORDER BY id DESC LIMIT $1";
}

impl Store {
    /// Adds a key.
    pub async fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        change!(
            self,
            ADD,
            &key.id,
            &key.name,
            &key.role,
            &key.hash,
            &key.hint,
            key.created_at,
            &key.created_by,
            key.expires_at,
        )
        .map(drop)
    }

    /// Ends a key; `false` when there is none that has not ended.
    pub async fn revoke_api_key(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        change!(self, REVOKE, id, now).map(|rows| rows > 0)
    }

    /// Up to `most` keys, the latest first, those that have ended too.
    pub async fn api_keys(&self, most: i64) -> Result<Vec<ApiKey>, StoreError> {
        let read = sqlx::query_as(LIST).bind(most).fetch_all(&self.pool).await;
        self.noted(read)
    }
}
