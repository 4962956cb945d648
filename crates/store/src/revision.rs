//! A number that grows with every change of what gateways keep in memory.

use sqlx::{Any, Transaction};

use crate::error::StoreError;
use crate::open::Store;
use crate::statements::statements;

statements! {
    READ = "SELECT n FROM revision WHERE id = 1";
    GROW = "UPDATE revision SET n = n + 1 WHERE id = 1";
}

impl Store {
    /// Where the store is now. A gateway that has read an earlier revision reads anew.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        let read = sqlx::query_scalar(READ).fetch_one(&self.pool).await;
        self.noted(read)
    }
}

/// Part of every change of users, sessions, API keys, signing keys, revocations and definitions.
pub(crate) async fn grow(change: &mut Transaction<'_, Any>) -> Result<(), sqlx::Error> {
    sqlx::query(GROW).execute(&mut **change).await.map(drop)
}

/// Runs one statement that changes such a thing; gives the rows it changed.
macro_rules! change {
    ($store:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let store: &$crate::Store = $store;
        let changed: Result<u64, sqlx::Error> = async {
            let mut change = store.pool.begin().await?;
            let done = sqlx::query($sql)$(.bind($bind))*.execute(&mut *change).await?;
            if done.rows_affected() > 0 {
                $crate::revision::grow(&mut change).await?;
            }
            change.commit().await?;
            Ok(done.rows_affected())
        }
        .await;
        store.noted(changed)
    }};
}

pub(crate) use change;
