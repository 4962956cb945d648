//! A consistent copy while the store is in use.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::StoreError;
use crate::open::{Place, Store};

/// How a copy is called while it is written.
const PASSING: &str = ".tidegate-copy-";
/// A copy that is as old as this belongs to a program that was killed while it wrote it.
const FORSAKEN: Duration = Duration::from_secs(3600);

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The server has tools of its own.
    #[error("the store is in PostgreSQL: back it up with pg_dump")]
    Postgres,
    /// The store is gone when the gateway stops.
    #[error("this gateway keeps nothing (--data-dir none): there is no store to copy")]
    Nothing,
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

/// A file that goes when this does.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // Who copies the store may have been cut short before there was one.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Store {
    /// A copy of an embedded store to read from; others may read and write the store meanwhile. It
    /// stands beside the store, for its owner alone, has no name any more, and is gone with the last
    /// who reads it.
    pub async fn snapshot(&self) -> Result<File, BackupError> {
        let folder = self.embedded()?.parent().unwrap_or(Path::new("."));
        sweep(folder);
        let copy = Passing(folder.join(format!("{PASSING}{}", crate::new_id())));
        create(&copy.0)?;
        self.copy(&copy.0).await?;
        File::open(&copy.0).map_err(failed(&copy.0))
    }

    fn embedded(&self) -> Result<&Path, BackupError> {
        match &self.place {
            Place::Embedded(path) => Ok(path),
            Place::Memory => Err(BackupError::Nothing),
            Place::Postgres(_) => Err(BackupError::Postgres),
        }
    }

    /// SQLite fills an empty file.
    async fn copy(&self, file: &Path) -> Result<(), BackupError> {
        let copied = sqlx::query("VACUUM INTO $1")
            .bind(file.to_string_lossy().into_owned())
            .execute(&self.pool)
            .await;
        self.noted(copied.map(drop)).map_err(BackupError::Store)
    }
}

/// An empty file for its owner alone.
fn create(file: &Path) -> Result<(), BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(file).map(drop).map_err(failed(file))
}

fn failed(file: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = file.to_owned();
    move |source| BackupError::File { path, source }
}

/// Removes what was left by programs that were killed. What cannot be looked at is left alone.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PASSING);
        let age = entry.metadata().and_then(|data| data.modified()).ok();
        let old = age
            .and_then(|at| at.elapsed().ok())
            .is_some_and(|age| age > FORSAKEN);
        if ours && old {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
