//! Keys by which programs use the API.

use sqlx::FromRow;

use crate::ending::{Ending, TokensGo, revoke_issued};
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
    REVOKE = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND name = $3 AND revoked_at IS NULL";
    FIND = "SELECT id, name, role, hash, hint, created_at, created_by, expires_at, revoked_at \
            FROM api_keys WHERE id = $1";
    GOOD = "SELECT id, name, role, hash, hint, created_at, created_by, expires_at, revoked_at \
            FROM api_keys WHERE revoked_at IS NULL ORDER BY id DESC LIMIT $1";
    LIST = "SELECT id, name, role, hash, hint, created_at, created_by, expires_at, revoked_at \
            FROM api_keys WHERE ($1 = '' OR name = $2) AND ($3 = '' OR id < $4) \
            ORDER BY id DESC LIMIT $5";
}

/// Which keys are wanted.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyQuery {
    /// Of exactly this name; of any when empty.
    pub name: String,
    /// Behind this one, in the order of the list.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

impl Store {
    /// Adds a key; [`StoreError::Taken`] when one that is not revoked is called so.
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

    /// Ends a key, and every token that it has issued; gives how many those were, nothing when there
    /// is no such key that has not ended. `ending` names the key as tokens do.
    pub async fn revoke_api_key(
        &self,
        key: &ApiKey,
        ending: &Ending<'_>,
    ) -> Result<Option<u64>, StoreError> {
        let revoked = async {
            let mut change = self.pool.begin().await?;
            let rows = sqlx::query(REVOKE)
                .bind(&key.id)
                .bind(ending.now)
                .bind(&key.name)
                .execute(&mut *change)
                .await?;
            if rows.rows_affected() == 0 {
                return Ok(None);
            }
            let tokens = revoke_issued(&mut change, ending, TokensGo::All).await?;
            crate::revision::grow(&mut change).await?;
            change.commit().await?;
            Ok(Some(tokens))
        }
        .await;
        self.noted(revoked)
    }

    /// One by its id.
    pub async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        let read = sqlx::query_as(FIND)
            .bind(id)
            .fetch_optional(&self.pool)
            .await;
        self.noted(read)
    }

    /// Up to `most` that were not revoked, the latest first.
    pub async fn good_api_keys(&self, most: i64) -> Result<Vec<ApiKey>, StoreError> {
        let read = sqlx::query_as(GOOD).bind(most).fetch_all(&self.pool).await;
        self.noted(read)
    }

    /// Keys, the latest first, those that have ended too.
    pub async fn api_keys(&self, query: &ApiKeyQuery) -> Result<Vec<ApiKey>, StoreError> {
        let after = query.after.as_deref().unwrap_or_default();
        let read = sqlx::query_as(LIST)
            .bind(&query.name)
            .bind(&query.name)
            .bind(after)
            .bind(after)
            .bind(query.limit)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }
}
