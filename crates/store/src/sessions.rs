//! Open sessions of the interface.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::revision::change;
use crate::statements::statements;

/// A session. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Session {
    /// What it is listed and ended by; opens nothing.
    pub id: String,
    /// SHA-256 of what the cookie holds, in hexadecimal.
    pub hash: String,
    /// Whose it is; empty for the administrator of `--admin-password`.
    pub user_id: String,
    /// When it was opened.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: i64,
    /// Where it was opened from.
    pub address: String,
    /// The browser, as it calls itself.
    pub agent: String,
}

statements! {
    ADD = "INSERT INTO sessions (id, hash, user_id, created_at, expires_at, address, agent) \
           VALUES ($1, $2, $3, $4, $5, $6, $7)";
    // Only the latest stay: identifiers grow with time.
    TRIM = "DELETE FROM sessions WHERE id <= \
            (SELECT id FROM sessions ORDER BY id DESC LIMIT 1 OFFSET $1)";
    END = "DELETE FROM sessions WHERE id = $1";
    END_OF_USER = "DELETE FROM sessions WHERE user_id = $1";
    END_OTHERS = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
    PURGE = "DELETE FROM sessions WHERE expires_at <= $1";
    LIST = "SELECT id, hash, user_id, created_at, expires_at, address, agent FROM sessions \
            WHERE expires_at > $1 ORDER BY id DESC LIMIT $2";
}

impl Store {
    /// Adds a session; beyond `most` of them the oldest ends.
    pub async fn add_session(&self, session: &Session, most: i64) -> Result<(), StoreError> {
        let added = async {
            let mut change = self.pool.begin().await?;
            sqlx::query(ADD)
                .bind(&session.id)
                .bind(&session.hash)
                .bind(&session.user_id)
                .bind(session.created_at)
                .bind(session.expires_at)
                .bind(&session.address)
                .bind(&session.agent)
                .execute(&mut *change)
                .await?;
            sqlx::query(TRIM).bind(most).execute(&mut *change).await?;
            crate::revision::grow(&mut change).await?;
            change.commit().await
        }
        .await;
        self.noted(added)
    }

    /// Ends one; `false` when there is none.
    pub async fn end_session(&self, id: &str) -> Result<bool, StoreError> {
        change!(self, END, id).map(|rows| rows > 0)
    }

    /// Ends all of a user; gives how many.
    pub async fn end_sessions_of(&self, user_id: &str) -> Result<u64, StoreError> {
        change!(self, END_OF_USER, user_id)
    }

    /// Ends all of a user but this one; gives how many.
    pub async fn end_other_sessions_of(&self, user_id: &str, id: &str) -> Result<u64, StoreError> {
        change!(self, END_OTHERS, user_id, id)
    }

    /// Forgets those that ended by `now`.
    pub async fn purge_sessions(&self, now: i64) -> Result<u64, StoreError> {
        change!(self, PURGE, now)
    }

    /// Up to `most` that are open, the latest first.
    pub async fn sessions(&self, now: i64, most: i64) -> Result<Vec<Session>, StoreError> {
        let read = sqlx::query_as(LIST)
            .bind(now)
            .bind(most)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }
}
