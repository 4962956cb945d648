//! One contract for both databases (W13): every test runs on SQLite and on a PostgreSQL server
//! that this program starts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "the modules of a test are its private parts"
)]

mod identities;
mod issued;
mod postgres;
mod records;
mod texts;
mod trouble;

use std::time::Duration;

use tidegate_store::{Place, Store, StoreConfig};

/// A database for one test, and what must stay until the test ends.
pub struct Stage {
    pub place: Place,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            place: Place::Embedded(folder.path().join("data/tidegate.db")),
            _folder: folder,
        }
    }

    pub async fn postgres() -> Self {
        Self {
            place: Place::Postgres(postgres::database().await),
            _folder: tempfile::tempdir().unwrap(),
        }
    }

    pub async fn open(&self) -> Store {
        Store::open(config(&self.place)).await.unwrap()
    }
}

pub fn config(place: &Place) -> StoreConfig {
    StoreConfig {
        place: place.clone(),
        connections: 4,
        wait: Duration::from_secs(10),
    }
}

/// Runs the function on both databases.
macro_rules! contract {
    ($($(#[$meta:meta])* $name:ident;)*) => {
        mod sqlite {
            $($(#[$meta])* #[tokio::test] async fn $name() {
                super::$name(crate::Stage::embedded()).await;
            })*
        }
        mod postgresql {
            $($(#[$meta])* #[tokio::test] async fn $name() {
                super::$name(crate::Stage::postgres().await).await;
            })*
        }
    };
}

pub(crate) use contract;
