//! Who did what, bounded; and how often.

use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::statements::{like, searched, statements};

/// One request or one action. Times in milliseconds since 1970, durations in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Activity {
    /// [`crate::new_id`]: grows with time.
    pub id: String,
    /// When.
    pub at: i64,
    /// Who: `user:alice`, `key:backup`, `admin`.
    pub principal: String,
    /// What: the method and the template of the route.
    pub action: String,
    /// To what: the path that was asked for.
    pub target: String,
    /// What it did, or why it was refused, in a sentence.
    pub outcome: String,
    /// The status of the answer.
    pub status: i64,
    /// How long it took.
    pub took_us: i64,
    /// From where.
    pub address: String,
    /// How often: the same read again and again is one record.
    pub times: i64,
    /// When it was the last time.
    pub last_at: i64,
}

/// A record's request was made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// The record.
    pub id: String,
    /// Who.
    pub principal: String,
    /// Whether it was refused.
    pub refused: bool,
    /// How often.
    pub times: i64,
    /// When it was the last time.
    pub last_at: i64,
    /// How long it took that time.
    pub took_us: i64,
}

/// Which records are wanted.
#[derive(Debug, Clone, Default)]
pub struct ActivityQuery {
    /// Of this principal; of all when empty.
    pub principal: String,
    /// Holding this text, in whatever case; all when empty.
    pub search: String,
    /// Refused ones only: those with a status of at least 400.
    pub refused: bool,
    /// Without readings that were answered: `GET` with a status below 400.
    pub changes: bool,
    /// Older than this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// How often a principal was answered and refused.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PrincipalCount {
    /// Who.
    pub principal: String,
    /// Requests with a status below 400.
    pub answered: i64,
    /// The others.
    pub refused: i64,
    /// The latest, in milliseconds since 1970.
    pub last_at: i64,
}

/// Where a list of principals goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalsAfter {
    /// The latest of the last one that was listed, in milliseconds since 1970.
    pub last_at: i64,
    /// Its name.
    pub principal: String,
}

impl Default for PrincipalsAfter {
    /// From the first on.
    fn default() -> Self {
        Self {
            last_at: i64::MAX,
            principal: String::new(),
        }
    }
}

statements! {
    ADD = "INSERT INTO activity (id, at, principal, action, target, outcome, status, took_us, address, \
           times, last_at, searched) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    REPEAT = "UPDATE activity SET times = times + $2, last_at = $3, took_us = $4 WHERE id = $1";
    COUNT = "INSERT INTO principals (principal, answered, refused, last_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (principal) DO UPDATE SET answered = principals.answered + excluded.answered, \
             refused = principals.refused + excluded.refused, last_at = excluded.last_at";
    LIST = "SELECT id, at, principal, action, target, outcome, status, took_us, address, times, last_at \
            FROM activity \
            WHERE ($1 = '' OR principal = $2) AND ($3 = '' OR id < $4) AND status >= $5 \
            AND ($6 = '' OR searched LIKE $7 ESCAPE '\\') \
            AND (CAST($8 AS BIGINT) = 0 OR status >= 400 \
            OR (action NOT LIKE 'GET %' AND action <> 'POST /token')) \
            ORDER BY id DESC LIMIT $9";
    COUNTS = "SELECT principal, answered, refused, last_at FROM principals \
              WHERE last_at < $1 OR (last_at = $2 AND principal > $3) \
              ORDER BY last_at DESC, principal LIMIT $4";
    PURGE_OLD = "DELETE FROM activity WHERE at < $1";
    PURGE_MANY = "DELETE FROM activity WHERE id <= \
                  (SELECT id FROM activity ORDER BY id DESC LIMIT 1 OFFSET $1)";
    PURGE_COUNTS = "DELETE FROM principals WHERE last_at < $1";
}

impl Store {
    /// Writes records down, and counts them.
    pub async fn add_activity(&self, records: &[Activity]) -> Result<(), StoreError> {
        self.add_and_repeat(records, &[]).await
    }

    /// The same, and what was done again of what is written down.
    pub async fn add_and_repeat(
        &self,
        records: &[Activity],
        repeats: &[Repeat],
    ) -> Result<(), StoreError> {
        // In one order, so that two gateways cannot wait for each other's rows.
        let mut counts: BTreeMap<&str, (i64, i64, i64)> = BTreeMap::new();
        let mut count = |principal, refused: bool, times: i64, at: i64| {
            let count = counts.entry(principal).or_default();
            if refused {
                count.1 += times;
            } else {
                count.0 += times;
            }
            count.2 = count.2.max(at);
        };
        for record in records {
            let refused = record.status >= 400;
            count(&record.principal, refused, record.times, record.last_at);
        }
        for repeat in repeats {
            let Repeat {
                refused,
                times,
                last_at,
                ..
            } = *repeat;
            count(&repeat.principal, refused, times, last_at);
        }
        let added = async {
            let mut change = self.pool.begin().await?;
            for record in records {
                sqlx::query(ADD)
                    .bind(&record.id)
                    .bind(record.at)
                    .bind(&record.principal)
                    .bind(&record.action)
                    .bind(&record.target)
                    .bind(&record.outcome)
                    .bind(record.status)
                    .bind(record.took_us)
                    .bind(&record.address)
                    .bind(record.times)
                    .bind(record.last_at)
                    .bind(searched(&[
                        &record.principal,
                        &record.action,
                        &record.target,
                        &record.outcome,
                    ]))
                    .execute(&mut *change)
                    .await?;
            }
            for repeat in repeats {
                sqlx::query(REPEAT)
                    .bind(&repeat.id)
                    .bind(repeat.times)
                    .bind(repeat.last_at)
                    .bind(repeat.took_us)
                    .execute(&mut *change)
                    .await?;
            }
            for (principal, (answered, refused, last_at)) in counts {
                sqlx::query(COUNT)
                    .bind(principal)
                    .bind(answered)
                    .bind(refused)
                    .bind(last_at)
                    .execute(&mut *change)
                    .await?;
            }
            change.commit().await
        }
        .await;
        self.noted(added)
    }

    /// Records, the latest first.
    pub async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        let after = query.after.as_deref().unwrap_or_default();
        let read = sqlx::query_as(LIST)
            .bind(&query.principal)
            .bind(&query.principal)
            .bind(after)
            .bind(after)
            .bind(if query.refused { 400_i64 } else { 0 })
            .bind(&query.search)
            .bind(like(&query.search))
            .bind(i64::from(query.changes))
            .bind(query.limit)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }

    /// Up to `most` principals, the latest first, behind this one.
    pub async fn principals(
        &self,
        after: &PrincipalsAfter,
        most: i64,
    ) -> Result<Vec<PrincipalCount>, StoreError> {
        let read = sqlx::query_as(COUNTS)
            .bind(after.last_at)
            .bind(after.last_at)
            .bind(&after.principal)
            .bind(most)
            .fetch_all(&self.pool)
            .await;
        self.noted(read)
    }

    /// Keeps the latest `most` records, and none from before `since`.
    pub async fn purge_activity(&self, since: i64, most: i64) -> Result<u64, StoreError> {
        let purged = async {
            let mut change = self.pool.begin().await?;
            let old = sqlx::query(PURGE_OLD)
                .bind(since)
                .execute(&mut *change)
                .await?;
            let many = sqlx::query(PURGE_MANY)
                .bind(most)
                .execute(&mut *change)
                .await?;
            sqlx::query(PURGE_COUNTS)
                .bind(since)
                .execute(&mut *change)
                .await?;
            change.commit().await?;
            Ok(old.rows_affected() + many.rows_affected())
        }
        .await;
        self.noted(purged)
    }
}
