//! Signed requests that were let in, so that none is let in twice, by whichever gateway.

use crate::error::StoreError;
use crate::open::Store;
use crate::statements::statements;

statements! {
    ADD = "INSERT INTO nonces (nonce, until) VALUES ($1, $2)";
    PURGE = "DELETE FROM nonces WHERE until < $1";
}

impl Store {
    /// Remembers a nonce until this time; `false` when it was there already.
    pub async fn first_use(&self, nonce: &str, until: i64) -> Result<bool, StoreError> {
        let added = sqlx::query(ADD)
            .bind(nonce)
            .bind(until)
            .execute(&self.pool)
            .await;
        match self.noted(added) {
            Ok(_) => Ok(true),
            Err(StoreError::Taken) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Forgets those whose time is over: a request that old is refused for its age.
    pub async fn purge_nonces(&self, now: i64) -> Result<u64, StoreError> {
        let gone = sqlx::query(PURGE).bind(now).execute(&self.pool).await;
        self.noted(gone.map(|done| done.rows_affected()))
    }
}
