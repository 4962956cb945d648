//! Opening a database and watching over it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Connection as _, Executor as _, SqlSafeStr as _};

use crate::error::StoreError;
use crate::{migrations, statements};

/// Where the database is.
#[derive(Clone)]
pub enum Place {
    /// A file of SQLite, made when it is not there.
    Embedded(PathBuf),
    /// SQLite in memory: nothing outlives the process.
    Memory,
    /// A PostgreSQL server, `postgres://user:password@host:port/database`.
    Postgres(String),
}

impl std::fmt::Debug for Place {
    /// Without the address of the server: it holds a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Embedded(path) => f.debug_tuple("Embedded").field(path).finish(),
            Place::Memory => f.write_str("Memory"),
            Place::Postgres(_) => f.write_str("Postgres(hidden)"),
        }
    }
}

impl Place {
    /// `sqlite` or `postgresql`.
    pub fn kind(&self) -> &'static str {
        match self {
            Place::Embedded(_) | Place::Memory => "sqlite",
            Place::Postgres(_) => "postgresql",
        }
    }
}

/// How the store is used.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Where it is.
    pub place: Place,
    /// Connections to the database at most.
    pub connections: u32,
    /// How long a request waits for one of them before it is told that the store is busy.
    pub wait: Duration,
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file cannot be used.
    #[error(
        "the store {path} cannot be used ({source}); check its owner and mode, or give --data-dir"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database does not answer, or not as one.
    #[error("the store cannot be opened: {0}")]
    Unusable(String),
    /// A migration that ran already is another one now.
    #[error(
        "migration {0} of the store was changed after it ran; a store is only ever changed by further migrations, so start the release that made it, or restore a backup"
    )]
    Changed(i64),
    /// The database was made by a later release.
    #[error(
        "the store was made by a newer Tidegate (it knows migration {0}); start that release, or restore an older backup"
    )]
    Newer(i64),
    /// A migration failed; nothing of it remains.
    #[error("migration {0} of the store failed and was undone: {1}")]
    Migration(i64, String),
    /// A statement does not fit the tables.
    #[error("the store lacks what this release needs ({0}); was a table changed by hand?")]
    Schema(String),
}

/// Whether the store can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// It answered when it was asked last.
    pub up: bool,
    /// Why not.
    pub detail: Option<String>,
}

/// An open store. Cheap to share behind an `Arc`; every call takes a connection of the pool.
#[derive(Debug)]
pub struct Store {
    pub(crate) pool: AnyPool,
    pub(crate) place: Place,
    status: Mutex<Status>,
    calls: AtomicU64,
    answered_at: Mutex<Instant>,
}

/// SQLite: readers do not wait for a writer (WAL), a writer waits for another for so long, and a
/// commit survives the end of the process, whatever becomes of the machine a moment later.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; \
    PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864";

/// A store that was busy for so long, for everybody, is lost.
const SILENCE: Duration = Duration::from_secs(8);

/// PostgreSQL: a lock is waited for as long as with SQLite, and nothing here takes half a minute.
const TIME_LIMITS: &str = "SET lock_timeout = 5000; SET statement_timeout = 30000";

/// A pool of connections.
pub(crate) async fn pool(
    place: &Place,
    connections: u32,
    wait: Duration,
) -> Result<AnyPool, OpenError> {
    sqlx::any::install_default_drivers();
    let embedded = matches!(place, Place::Embedded(_));
    let postgres = matches!(place, Place::Postgres(_));
    let mut options = AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(wait)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if embedded {
                    sqlx::raw_sql(PRAGMAS).execute(&mut *connection).await?;
                } else if postgres {
                    sqlx::raw_sql(TIME_LIMITS).execute(&mut *connection).await?;
                }
                Ok(())
            })
        });
    let url = match place {
        Place::Embedded(path) => {
            private_file(path).map_err(|source| OpenError::File {
                path: path.clone(),
                source,
            })?;
            format!("sqlite://{}?mode=rwc", encoded(&path.to_string_lossy()))
        }
        Place::Memory => {
            // Each connection would have a database of its own, and it ends with the connection.
            options = options
                .max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None);
            "sqlite::memory:".to_owned()
        }
        Place::Postgres(url) => url.clone(),
    };
    if embedded {
        // The pool would try again and again what cannot succeed.
        let mut first = sqlx::AnyConnection::connect(&url).await.map_err(unusable)?;
        let tried = sqlx::raw_sql(PRAGMAS).execute(&mut first).await;
        tried.map_err(unusable)?;
        first.close().await.map_err(unusable)?;
    }
    options.connect(&url).await.map_err(unusable)
}

fn unusable(error: sqlx::Error) -> OpenError {
    OpenError::Unusable(error.to_string())
}

/// In the address of a database `?`, `#` and `%` have a meaning of their own.
fn encoded(path: &str) -> String {
    path.replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23")
}

/// A file for its owner alone, made where it is not there: the database holds hashes of passwords.
fn private_file(path: &std::path::Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Held while an embedded database is made or brought up to date: SQLite locks its file for each
/// transaction, and two programs that begin at once would both find that a table is missing.
/// PostgreSQL has a lock of its own for it.
async fn alone(place: &Place) -> Result<Option<std::fs::File>, OpenError> {
    let Place::Embedded(path) = place else {
        return Ok(None);
    };
    let path = path.with_extension("lock");
    let file = path.clone();
    // Whoever has it is done soon, or dead, and then it is free.
    let locked = tokio::task::spawn_blocking(move || {
        let file = private_file(&file)?;
        file.lock()?;
        Ok(file)
    });
    match locked.await {
        Ok(Ok(file)) => Ok(Some(file)),
        Ok(Err(source)) => Err(OpenError::File { path, source }),
        Err(error) => Err(OpenError::Unusable(error.to_string())),
    }
}

impl Store {
    /// Opens the database, brings its tables up to date and tries every statement.
    pub async fn open(config: StoreConfig) -> Result<Self, OpenError> {
        let alone = alone(&config.place).await?;
        let pool = pool(&config.place, config.connections.max(1), config.wait).await?;
        migrations::run(&pool).await?;
        drop(alone);
        let mut connection = pool.acquire().await.map_err(unusable)?;
        for statement in statements::all() {
            connection
                .prepare(statement.into_sql_str())
                .await
                .map_err(|error| OpenError::Schema(format!("{error}, in {statement:?}")))?;
        }
        drop(connection);
        Ok(Self {
            pool,
            place: config.place,
            calls: AtomicU64::new(0),
            answered_at: Mutex::new(Instant::now()),
            status: Mutex::new(Status {
                up: true,
                detail: None,
            }),
        })
    }

    /// `sqlite` or `postgresql`.
    pub fn kind(&self) -> &'static str {
        self.place.kind()
    }

    /// Whether anything in it is left when the process ends.
    pub fn outlives_the_process(&self) -> bool {
        !matches!(self.place, Place::Memory)
    }

    /// Whether it answered last time.
    pub fn status(&self) -> Status {
        self.status.lock().clone()
    }

    /// Connections that are open, and those of them that nobody uses.
    pub fn connections(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }

    /// How often it was asked or changed.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Does something with the store, and gives up when there is no answer in time: what cannot be
    /// reached any more may say nothing at all.
    pub async fn within<T>(
        &self,
        patience: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(patience, work).await {
            Ok(result) => result,
            Err(_) => {
                let error = StoreError::Lost("there was no answer in time".to_owned());
                self.note_lost(&error);
                Err(error)
            }
        }
    }

    fn note_lost(&self, error: &StoreError) {
        // Who closes it has not lost it.
        if self.pool.is_closed() {
            return;
        }
        let mut status = self.status.lock();
        if status.up {
            tracing::error!(%error, "the store is lost");
        }
        *status = Status {
            up: false,
            detail: Some(error.to_string()),
        };
    }

    /// Lets go of the database; what is under way ends first.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Passes a result on and remembers whether the store answered. Every call ends here.
    pub(crate) fn noted<T>(&self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let result = result.map_err(|error| match error {
            // Nobody holds a connection: none can be made.
            sqlx::Error::PoolTimedOut if self.pool.size() == 0 => {
                StoreError::Lost("no connection can be made".to_owned())
            }
            other => StoreError::from(other),
        });
        match &result {
            Err(error @ StoreError::Busy) => {
                // One that has no answer for anybody is not busy.
                if self.answered_at.lock().elapsed() > SILENCE {
                    self.note_lost(error);
                }
            }
            Err(error @ (StoreError::Lost(_) | StoreError::Broken(_))) => self.note_lost(error),
            Ok(_) | Err(StoreError::Taken | StoreError::BadText | StoreError::Full(_)) => {
                *self.answered_at.lock() = Instant::now();
                let mut status = self.status.lock();
                if !status.up {
                    tracing::info!("the store is back");
                    *status = Status {
                        up: true,
                        detail: None,
                    };
                }
            }
        }
        result
    }
}
