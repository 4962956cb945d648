//! Channel definitions that administrators made while gateways ran.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::revision::change;
use crate::statements::statements;

/// One definition. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoredDefinition {
    /// The topic, or `prefix:*`.
    pub pattern: String,
    /// JSON; none where an administrator removed what the configuration file defines.
    pub body: Option<String>,
    /// When.
    pub changed_at: i64,
    /// By whom.
    pub changed_by: String,
}

statements! {
    PUT = "INSERT INTO definitions (pattern, body, changed_at, changed_by) VALUES ($1, $2, $3, $4) \
           ON CONFLICT (pattern) DO UPDATE SET body = excluded.body, \
           changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    FORGET = "DELETE FROM definitions WHERE pattern = $1";
    LIST = "SELECT pattern, body, changed_at, changed_by FROM definitions ORDER BY pattern LIMIT $1";
}

impl Store {
    /// Adds or replaces.
    pub async fn put_definition(&self, definition: &StoredDefinition) -> Result<(), StoreError> {
        change!(
            self,
            PUT,
            &definition.pattern,
            definition.body.as_deref(),
            definition.changed_at,
            &definition.changed_by,
        )
        .map(drop)
    }

    /// Forgets what administrators did to this pattern; `false` when they did nothing.
    pub async fn forget_definition(&self, pattern: &str) -> Result<bool, StoreError> {
        change!(self, FORGET, pattern).map(|rows| rows > 0)
    }

    /// Up to `most`, by pattern.
    pub async fn definitions(&self, most: i64) -> Result<Vec<StoredDefinition>, StoreError> {
        let read = sqlx::query_as(LIST).bind(most).fetch_all(&self.pool).await;
        self.noted(read)
    }
}
