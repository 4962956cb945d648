//! Why the store did not do what it was asked.

use sqlx::Error;

/// Why something could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// All connections to the database are in use, or it is locked; a little later it may work.
    #[error("the store is busy; try again in a moment")]
    Busy,
    /// The database cannot be reached or written.
    #[error("the store cannot be reached ({0}); live traffic goes on, changes have to wait")]
    Lost(String),
    /// Something of this name is there already.
    #[error("there is one of this name already")]
    Taken,
    /// So many revocations hold as there may be; none of them is dropped for another.
    #[error(
        "{0} revocations hold already, which is as many as are kept; end the key that signed most of them (rotate with immediate), or wait for tokens to end"
    )]
    Full(i64),
    /// A text holds a character that the database cannot keep or look for: PostgreSQL knows no NUL.
    #[error("a text holds a character that cannot be kept")]
    BadText,
    /// What the database holds cannot be understood, or it refuses a statement.
    #[error("the store does not work as it should: {0}")]
    Broken(String),
}

/// Primary codes of SQLite that say that its file cannot be used: I/O error, corrupt, full, cannot
/// open, not a database, read-only.
const SQLITE_LOST: [i32; 6] = [10, 11, 13, 14, 26, 8];
/// What PostgreSQL says of a NUL in a text.
const NO_SUCH_CHARACTER: &str = "22021";
/// Busy and locked.
const SQLITE_BUSY: [i32; 2] = [5, 6];

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            // Of this crate's own: see `revocations::full`.
            Error::Encode(own) if own.is::<Self>() => {
                let own = own.downcast_ref::<Self>().cloned();
                own.unwrap_or_else(|| Self::Broken(error.to_string()))
            }
            Error::PoolTimedOut => Self::Busy,
            Error::Io(_)
            | Error::Tls(_)
            | Error::PoolClosed
            | Error::WorkerCrashed
            | Error::Protocol(_) => Self::Lost(error.to_string()),
            Error::Database(said) if said.is_unique_violation() => Self::Taken,
            Error::Database(said) => {
                let code = said.code().unwrap_or_default();
                // SQLite's extended codes hold the primary one in their lowest byte; those of
                // PostgreSQL have five characters: class 08 is a lost connection, 57P a shutdown,
                // 53 a lack of resources.
                if code == NO_SUCH_CHARACTER {
                    return Self::BadText;
                }
                match code.parse::<i32>().map(|code| code & 0xff) {
                    // A lock was not to be had, or a statement took too long.
                    _ if ["55P03", "57014"].contains(&&*code) => Self::Busy,
                    _ if code.len() == 5 && ["08", "57", "53"].contains(&&code[..2]) => {
                        Self::Lost(said.message().to_owned())
                    }
                    Ok(code) if SQLITE_BUSY.contains(&code) => Self::Busy,
                    Ok(code) if SQLITE_LOST.contains(&code) => {
                        Self::Lost(said.message().to_owned())
                    }
                    _ => Self::Broken(said.message().to_owned()),
                }
            }
            _ => Self::Broken(error.to_string()),
        }
    }
}
