//! A consistent copy while the store is in use.

use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::open::{Place, Store};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The server has tools of its own.
    #[error("the store is in PostgreSQL: back it up with pg_dump")]
    Postgres,
    /// The file cannot be written.
    #[error("{path} cannot be written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Writes a copy of an embedded store to a file that is not there yet; it is for its owner
    /// alone. Others may read and write the store meanwhile.
    pub async fn backup(&self, file: &Path) -> Result<(), BackupError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        if matches!(self.place, Place::Postgres(_)) {
            return Err(BackupError::Postgres);
        }
        // SQLite fills an empty file.
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)
            .map_err(|source| BackupError::File {
                path: file.to_owned(),
                source,
            })?;
        let copied = sqlx::query("VACUUM INTO $1")
            .bind(file.to_string_lossy().into_owned())
            .execute(&self.pool)
            .await;
        if copied.is_err() {
            // Nothing but an empty file of ours.
            let _ = std::fs::remove_file(file);
        }
        self.noted(copied.map(drop)).map_err(BackupError::Store)
    }
}
