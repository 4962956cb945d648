//! Open sessions of the interface.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::revision::change;
use crate::statements::{like, statements};

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
    TRIM_USER = "DELETE FROM sessions WHERE user_id = $1 AND id <= \
                 (SELECT id FROM sessions WHERE user_id = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)";
    END = "DELETE FROM sessions WHERE id = $1 AND ($2 = '' OR user_id = $3)";
    PURGE = "DELETE FROM sessions WHERE expires_at <= $1";
    ALL_SESSIONS = "SELECT id, hash, user_id, created_at, expires_at, address, agent FROM sessions \
                    WHERE expires_at > $1 ORDER BY id DESC LIMIT $2";
    // Whose it is stands in the table of users; those of the built-in administrator have none.
    LIST = "SELECT id, hash, user_id, principal, created_at, expires_at, address, agent FROM \
            (SELECT sessions.id AS id, hash, user_id, sessions.created_at AS created_at, expires_at, \
            address, agent, CASE WHEN user_id = '' THEN 'admin' ELSE 'user:' || users.name END \
            AS principal FROM sessions LEFT JOIN users ON users.id = user_id) AS listed \
            WHERE expires_at > $1 AND principal IS NOT NULL AND ($2 = '' OR user_id = $3) \
            AND ($4 = '' OR principal = $5) AND ($6 = '' OR id < $7) \
            AND (LOWER(principal) LIKE $8 ESCAPE '\\' OR LOWER(address) LIKE $9 ESCAPE '\\' \
            OR LOWER(agent) LIKE $10 ESCAPE '\\') ORDER BY id DESC LIMIT $11";
}

/// A session and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ListedSession {
    /// The session.
    #[sqlx(flatten)]
    pub session: Session,
    /// `admin`, or `user:<name>`.
    pub principal: String,
}

/// Which sessions are wanted.
#[derive(Debug, Clone, Default)]
pub struct SessionQuery {
    /// Of the user of this id; of all when empty.
    pub user_id: String,
    /// Of this principal; of all when empty.
    pub principal: String,
    /// With this in whose it is, where it was opened or the browser, in whatever case; all when empty.
    pub search: String,
    /// Behind this one, in the order of the list.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// How many sessions there are at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionBounds {
    /// Of one user; the built-in administrator, who may be several people, is bounded by `all` alone.
    pub of_user: i64,
    /// Of all together.
    pub all: i64,
}

impl Store {
    /// Adds a session; beyond the bounds the oldest of the user ends, and then the oldest of all.
    pub async fn add_session(
        &self,
        session: &Session,
        most: SessionBounds,
    ) -> Result<(), StoreError> {
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
            if !session.user_id.is_empty() {
                sqlx::query(TRIM_USER)
                    .bind(&session.user_id)
                    .bind(&session.user_id)
                    .bind(most.of_user)
                    .execute(&mut *change)
                    .await?;
            }
            sqlx::query(TRIM)
                .bind(most.all)
                .execute(&mut *change)
                .await?;
            crate::revision::grow(&mut change).await?;
            change.commit().await
        }
        .await;
        self.noted(added)
    }

    /// Ends one; `false` when there is none.
    pub async fn end_session(&self, id: &str) -> Result<bool, StoreError> {
        self.end_session_of("", id).await
    }

    /// Ends one of this user, of anybody when that is empty; `false` when there is none.
    pub async fn end_session_of(&self, user_id: &str, id: &str) -> Result<bool, StoreError> {
        change!(self, END, id, user_id, user_id).map(|rows| rows > 0)
    }

    /// Forgets those that ended by `now`.
    pub async fn purge_sessions(&self, now: i64) -> Result<u64, StoreError> {
        change!(self, PURGE, now)
    }

    /// Up to `most` that are open, the latest first.
    pub async fn all_sessions(&self, now: i64, most: i64) -> Result<Vec<Session>, StoreError> {
        let read = sqlx::query_as(ALL_SESSIONS)
            .bind(now)
            .bind(most)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }

    /// Those that are open at `now`, the latest first.
    pub async fn sessions(
        &self,
        query: &SessionQuery,
        now: i64,
    ) -> Result<Vec<ListedSession>, StoreError> {
        let after = query.after.as_deref().unwrap_or_default();
        let like = like(&query.search);
        let read = sqlx::query_as(LIST)
            .bind(now)
            .bind(&query.user_id)
            .bind(&query.user_id)
            .bind(&query.principal)
            .bind(&query.principal)
            .bind(after)
            .bind(after)
            .bind(&like)
            .bind(&like)
            .bind(&like)
            .bind(query.limit)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }
}
