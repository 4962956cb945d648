//! Tokens that were issued, to list them and to revoke them by.

use sqlx::{Any, FromRow, Transaction};

use crate::ending::{Issuer, may_issue};
use crate::error::StoreError;
use crate::open::Store;
use crate::statements::{like, searched, statements};

/// A token that was issued, without the token. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TokenRecord {
    /// What names it.
    pub jti: String,
    /// Whose it is.
    pub subject: String,
    /// Topics and patterns, a JSON list.
    pub channels: String,
    /// What it allows, a JSON list.
    pub allow: String,
    /// The roles that it carries, a JSON list.
    pub roles: String,
    /// The key that signed it.
    pub kid: String,
    /// Since when.
    pub issued_at: i64,
    /// Until when.
    pub expires_at: i64,
    /// Who issued it.
    pub issued_by: String,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// Which tokens are wanted.
#[derive(Debug, Clone, Default)]
pub struct TokenQuery {
    /// Of this subject; all when empty.
    pub subject: String,
    /// Signed by this key; by any when empty.
    pub kid: String,
    /// Holding this text in name, subject or channels, in whatever case; all when empty.
    pub search: String,
    /// Behind this one, in the order of the list.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

statements! {
    ADD = "INSERT INTO tokens (jti, subject, channels, allow, roles, kid, issued_at, expires_at, \
           issued_by, searched) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    MARK = "UPDATE tokens SET revoked_at = $2 WHERE jti = $1 AND revoked_at IS NULL";
    MARK_SUBJECT = "UPDATE tokens SET revoked_at = $2 WHERE subject = $1 AND revoked_at IS NULL";
    MARK_KEY = "UPDATE tokens SET revoked_at = $2 WHERE kid = $1 AND revoked_at IS NULL";
    FIND = "SELECT jti, subject, channels, allow, roles, kid, issued_at, expires_at, issued_by, \
            revoked_at FROM tokens WHERE jti = $1";
    LIST = "SELECT jti, subject, channels, allow, roles, kid, issued_at, expires_at, issued_by, \
            revoked_at FROM tokens WHERE ($1 = '' OR subject = $2) AND ($3 = '' OR kid = $4) \
            AND ($5 = '' OR jti < $6) AND expires_at > $7 \
            AND ($8 = '' OR searched LIKE $9 ESCAPE '\\') ORDER BY jti DESC LIMIT $10";
    LAST_OF_KEY = "SELECT CAST(COALESCE(MAX(expires_at), 0) AS BIGINT) FROM tokens WHERE kid = $1";
    COUNT_OF_KEY = "SELECT CAST(COUNT(*) AS BIGINT) FROM tokens \
                    WHERE kid = $1 AND expires_at > $2 AND revoked_at IS NULL";
    PURGE = "DELETE FROM tokens WHERE expires_at <= $1";
    PURGE_MANY = "DELETE FROM tokens WHERE issued_by = $1 AND jti <= \
                  (SELECT jti FROM tokens WHERE issued_by = $2 ORDER BY jti DESC LIMIT 1 OFFSET $3)";
}

async fn add(change: &mut Transaction<'_, Any>, token: &TokenRecord) -> Result<(), sqlx::Error> {
    sqlx::query(ADD)
        .bind(&token.jti)
        .bind(&token.subject)
        .bind(&token.channels)
        .bind(&token.allow)
        .bind(&token.roles)
        .bind(&token.kid)
        .bind(token.issued_at)
        .bind(token.expires_at)
        .bind(&token.issued_by)
        .bind(searched(&[&token.jti, &token.subject, &token.channels]))
        .execute(&mut **change)
        .await
        .map(drop)
}

impl Store {
    /// Writes down that a token was issued, if this one may issue it at this moment; `false` if not.
    pub async fn add_token(
        &self,
        token: &TokenRecord,
        issuer: Issuer<'_>,
    ) -> Result<bool, StoreError> {
        let added = async {
            let mut change = self.pool.begin().await?;
            if !may_issue(&mut change, issuer).await? {
                return Ok(false);
            }
            add(&mut change, token).await?;
            change.commit().await?;
            Ok(true)
        }
        .await;
        self.noted(added)
    }

    /// Writes down that several were issued.
    pub async fn add_tokens(&self, tokens: &[TokenRecord]) -> Result<(), StoreError> {
        let added = async {
            let mut change = self.pool.begin().await?;
            for token in tokens {
                add(&mut change, token).await?;
            }
            change.commit().await
        }
        .await;
        self.noted(added)
    }

    /// One by its name.
    pub async fn token(&self, jti: &str) -> Result<Option<TokenRecord>, StoreError> {
        let read = sqlx::query_as(FIND)
            .bind(jti)
            .fetch_optional(&self.pool)
            .await;
        self.noted(read)
    }

    /// Those that have not expired at `now`, the latest first.
    pub async fn tokens(
        &self,
        query: &TokenQuery,
        now: i64,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        let after = query.after.as_deref().unwrap_or_default();
        let read = sqlx::query_as(LIST)
            .bind(&query.subject)
            .bind(&query.subject)
            .bind(&query.kid)
            .bind(&query.kid)
            .bind(after)
            .bind(after)
            .bind(now)
            .bind(&query.search)
            .bind(like(&query.search))
            .bind(query.limit)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }

    /// When the last token of a key expires; 0 when it has signed none.
    pub async fn last_expiry(&self, kid: &str) -> Result<i64, StoreError> {
        let read = sqlx::query_scalar(LAST_OF_KEY)
            .bind(kid)
            .fetch_one(&self.pool)
            .await;
        self.noted(read)
    }

    /// How many good tokens hang on a key.
    pub async fn tokens_of_key(&self, kid: &str, now: i64) -> Result<i64, StoreError> {
        let read = sqlx::query_scalar(COUNT_OF_KEY)
            .bind(kid)
            .bind(now)
            .fetch_one(&self.pool)
            .await;
        self.noted(read)
    }

    /// Keeps the latest `most` of those that this one issued.
    pub async fn purge_issued_by(&self, issuer: &str, most: i64) -> Result<u64, StoreError> {
        let gone = sqlx::query(PURGE_MANY)
            .bind(issuer)
            .bind(issuer)
            .bind(most)
            .execute(&self.pool)
            .await;
        self.noted(gone.map(|done| done.rows_affected()))
    }

    /// Forgets those that have expired.
    pub async fn purge_tokens(&self, now: i64) -> Result<u64, StoreError> {
        let gone = sqlx::query(PURGE).bind(now).execute(&self.pool).await;
        self.noted(gone.map(|done| done.rows_affected()))
    }
}

/// The statement that marks what a revocation names.
pub(crate) fn mark(kind: crate::RevocationKind) -> &'static str {
    match kind {
        crate::RevocationKind::Token => MARK,
        crate::RevocationKind::Subject => MARK_SUBJECT,
        crate::RevocationKind::Key => MARK_KEY,
    }
}
