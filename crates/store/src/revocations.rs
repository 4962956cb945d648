//! What is refused although it was signed.

use sqlx::{Any, FromRow, Transaction};

use crate::error::StoreError;
use crate::open::Store;
use crate::revision::change;
use crate::statements::statements;

/// What a revocation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevocationKind {
    /// One token, by its `jti`.
    Token,
    /// Every token of a subject.
    Subject,
    /// Every token that a key has signed.
    Key,
}

impl RevocationKind {
    /// As it stands in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            RevocationKind::Token => "token",
            RevocationKind::Subject => "subject",
            RevocationKind::Key => "key",
        }
    }
}

impl std::str::FromStr for RevocationKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "token" => Ok(RevocationKind::Token),
            "subject" => Ok(RevocationKind::Subject),
            "key" => Ok(RevocationKind::Key),
            _ => Err(()),
        }
    }
}

/// One revocation. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Revocation {
    /// [`RevocationKind::as_str`].
    pub kind: String,
    /// The `jti`, the subject, the `kid`.
    pub value: String,
    /// What was issued until then is refused.
    pub revoked_at: i64,
    /// When the last of it has expired.
    pub until: i64,
    /// Who did it.
    pub revoked_by: String,
}

statements! {
    PUT = "INSERT INTO revocations (kind, value, revoked_at, until, revoked_by) \
           VALUES ($1, $2, $3, $4, $5) \
           ON CONFLICT (kind, value) DO UPDATE SET revoked_at = excluded.revoked_at, \
           until = CASE WHEN revocations.until > excluded.until THEN revocations.until \
           ELSE excluded.until END, revoked_by = excluded.revoked_by";
    SPARE = "DELETE FROM revocations WHERE kind = 'token' \
             AND value IN (SELECT jti FROM tokens WHERE kid = $1)";
    COUNT = "SELECT CAST(COUNT(*) AS BIGINT) FROM revocations WHERE until > $1";
    PURGE = "DELETE FROM revocations WHERE until <= $1";
    LIST = "SELECT kind, value, revoked_at, until, revoked_by FROM revocations \
            WHERE until > $1 ORDER BY revoked_at DESC, value LIMIT $2";
}

/// Forgets the revocations of single tokens of a key that is refused itself: they make room.
pub(crate) async fn spare(change: &mut Transaction<'_, Any>, kid: &str) -> Result<(), sqlx::Error> {
    let spared = sqlx::query(SPARE).bind(kid).execute(&mut **change).await;
    spared.map(drop)
}

/// Fails when more than `most` hold at `now`; what was begun is undone then.
pub(crate) async fn full(
    change: &mut Transaction<'_, Any>,
    now: i64,
    most: i64,
) -> Result<(), sqlx::Error> {
    let hold: i64 = sqlx::query_scalar(COUNT)
        .bind(now)
        .fetch_one(&mut **change)
        .await?;
    if hold > most {
        return Err(sqlx::Error::Encode(Box::new(StoreError::Full(most))));
    }
    Ok(())
}

impl Store {
    /// Revokes, and marks the tokens that it names; gives how many those were. When more than `most`
    /// would hold it is [`StoreError::Full`]: what holds already is not dropped for it.
    pub async fn revoke(
        &self,
        kind: RevocationKind,
        revocation: &Revocation,
        most: i64,
    ) -> Result<u64, StoreError> {
        let revoked = async {
            let mut change = self.pool.begin().await?;
            sqlx::query(PUT)
                .bind(&revocation.kind)
                .bind(&revocation.value)
                .bind(revocation.revoked_at)
                .bind(revocation.until)
                .bind(&revocation.revoked_by)
                .execute(&mut *change)
                .await?;
            let marked = sqlx::query(crate::tokens::mark(kind))
                .bind(&revocation.value)
                .bind(revocation.revoked_at)
                .execute(&mut *change)
                .await?;
            full(&mut change, revocation.revoked_at, most).await?;
            crate::revision::grow(&mut change).await?;
            change.commit().await?;
            Ok(marked.rows_affected())
        }
        .await;
        self.noted(revoked)
    }

    /// Those that still matter at `now`, the latest first.
    pub async fn revocations(&self, now: i64, most: i64) -> Result<Vec<Revocation>, StoreError> {
        let read = sqlx::query_as(LIST)
            .bind(now)
            .bind(most)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }

    /// Forgets those that do not.
    pub async fn purge_revocations(&self, now: i64) -> Result<u64, StoreError> {
        change!(self, PURGE, now)
    }
}
