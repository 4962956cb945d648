//! What happens when the store is full, locked, lost or not what it should be.

use std::time::Duration;

use tidegate_store::{
    BackupError, OpenError, Place, Store, StoreConfig, StoreError, StoredDefinition,
};

use crate::{Stage, config, contract, postgres};

contract! {
    a_pool_without_a_free_connection_says_so_and_recovers;
    a_column_that_is_missing_is_found_at_the_start;
    many_writers_wait_for_each_other;
    many_programs_make_one_database;
}

fn definition(pattern: &str) -> StoredDefinition {
    StoredDefinition {
        pattern: pattern.to_owned(),
        body: None,
        changed_at: 1,
        changed_by: "admin".to_owned(),
    }
}

/// A pool of this place beside the store's own.
async fn raw(place: &Place) -> sqlx::AnyPool {
    sqlx::any::install_default_drivers();
    let url = match place {
        Place::Embedded(path) => format!("sqlite://{}", path.display()),
        Place::Memory => unreachable!("there is no second way in"),
        Place::Postgres(url) => url.clone(),
    };
    sqlx::AnyPool::connect(&url).await.unwrap()
}

/// P8: an exhausted pool is an answer in bounded time, and no connection is lost over it.
async fn a_pool_without_a_free_connection_says_so_and_recovers(stage: Stage) {
    let small = StoreConfig {
        connections: 1,
        wait: Duration::from_millis(200),
        ..config(&stage.place)
    };
    let store = Store::open(small).await.unwrap();
    // Takes the write lock of one row, or of the file; the store's write holds its connection.
    let raw = raw(&stage.place).await;
    let mut holding = raw.begin().await.unwrap();
    sqlx::query("UPDATE revision SET n = n + 1 WHERE id = 1")
        .execute(&mut *holding)
        .await
        .unwrap();
    let first = definition("a");
    let writing = store.put_definition(&first);
    let asking = async {
        // As soon as the writer has the only connection.
        while store.connections().1 > 0 {
            tokio::task::yield_now().await;
        }
        let busy = store.definitions(1).await;
        holding.commit().await.unwrap();
        busy
    };
    let (written, busy) = tokio::join!(writing, asking);
    assert_eq!(busy, Err(StoreError::Busy));
    assert_eq!(written, Ok(()));
    assert!(store.status().up, "busy is not lost");
    for n in 0..10_000 {
        store
            .revision()
            .await
            .unwrap_or_else(|error| panic!("request {n}: {error}"));
    }
    assert_eq!(store.connections().0, 1);
}

/// Two gateways, or a gateway and a command, that begin at the same instant.
async fn many_programs_make_one_database(stage: Stage) {
    let open = || Store::open(config(&stage.place));
    let (a, b, c, d) = tokio::join!(open(), open(), open(), open());
    for store in [a, b, c, d] {
        let store = store.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(store.revision().await, Ok(1));
    }
}

/// W15: not by a request, a week later.
async fn a_column_that_is_missing_is_found_at_the_start(stage: Stage) {
    stage.open().await.close().await;
    let raw = raw(&stage.place).await;
    sqlx::raw_sql("ALTER TABLE users RENAME COLUMN role TO rank")
        .execute(&raw)
        .await
        .unwrap();
    let refused = Store::open(config(&stage.place)).await.unwrap_err();
    assert!(matches!(refused, OpenError::Schema(_)), "{refused}");
    assert!(refused.to_string().contains("role"), "{refused}");
}

async fn many_writers_wait_for_each_other(stage: Stage) {
    let stores = [stage.open().await, stage.open().await];
    let write = async |store: &Store, who: usize| {
        for n in 0..50 {
            store
                .put_definition(&definition(&format!("{who}:{n}")))
                .await
                .unwrap();
        }
    };
    let before = stores[0].revision().await.unwrap();
    tokio::join!(
        write(&stores[0], 0),
        write(&stores[0], 1),
        write(&stores[1], 2),
        write(&stores[1], 3)
    );
    assert_eq!(stores[0].definitions(1_000).await.unwrap().len(), 200);
    assert_eq!(stores[0].revision().await.unwrap(), before + 200);
}

/// P6: a reader is not blocked by a long write, and the file is its owner's alone.
#[tokio::test]
async fn sqlite_readers_do_not_wait_for_a_writer() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::embedded();
    let store = stage.open().await;
    let raw = raw(&stage.place).await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&raw)
        .await
        .unwrap();
    assert_eq!(mode, "wal");
    let mut writing = raw.begin().await.unwrap();
    sqlx::query("UPDATE revision SET n = 1000 WHERE id = 1")
        .execute(&mut *writing)
        .await
        .unwrap();
    assert_eq!(store.revision().await.unwrap(), 1);
    writing.commit().await.unwrap();
    assert_eq!(store.revision().await.unwrap(), 1000);
    let Place::Embedded(path) = &stage.place else {
        unreachable!()
    };
    assert_eq!(
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_copy_is_whole_while_others_write() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::embedded();
    let store = stage.open().await;
    store.put_definition(&definition("kept")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    let writing = async {
        for n in 0..100 {
            store
                .put_definition(&definition(&format!("later:{n}")))
                .await
                .unwrap();
        }
    };
    // One that a program left which was killed, and one that somebody writes at this moment.
    let Place::Embedded(path) = &stage.place else {
        unreachable!()
    };
    let data = path.parent().unwrap();
    let beside = |name: &str| data.join(format!(".tidegate-copy-{name}"));
    let old = std::time::SystemTime::now() - Duration::from_secs(2 * 3600);
    let left = std::fs::File::create(beside("left")).unwrap();
    left.set_modified(old).unwrap();
    std::fs::File::create(beside("of-another")).unwrap();
    let (copied, ()) = tokio::join!(store.snapshot(), writing);
    let mut copied = copied.unwrap();
    assert_eq!(
        copied.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    let copies: Vec<_> = std::fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("copy"))
        .collect();
    assert_eq!(copies, [".tidegate-copy-of-another"]);
    std::io::copy(&mut copied, &mut std::fs::File::create(&file).unwrap()).unwrap();
    let copy = Store::open(config(&Place::Embedded(file))).await.unwrap();
    let definitions = copy.definitions(1_000).await.unwrap();
    assert_eq!(definitions[0].pattern, "kept");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tidegate.db");
    std::fs::write(&file, "this is no database, however long the text may be").unwrap();
    let refused = Store::open(config(&Place::Embedded(file)))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("not a database"), "{refused}");
    let refused = Store::open(config(&Place::Embedded("/proc/tidegate/x.db".into())))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("--data-dir"), "{refused}");
}

/// P21: lost at run time, and back without a restart.
#[tokio::test]
async fn a_server_that_is_killed_is_a_state_and_not_the_end() {
    let mut server = postgres::Server::start().await;
    let url = postgres::create(&server.url("postgres")).await;
    let store = Store::open(StoreConfig {
        connections: 2,
        wait: Duration::from_secs(1),
        ..config(&Place::Postgres(url))
    })
    .await
    .unwrap();
    store.put_definition(&definition("kept")).await.unwrap();
    server.kill().await;
    // What is on its way may still say that the server goes; soon nothing gets through.
    let lost = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Err(error @ StoreError::Lost(_)) = store.revision().await {
                return error;
            }
        }
    });
    lost.await.unwrap();
    assert!(!store.status().up);
    server.run().await;
    let back = tokio::time::timeout(Duration::from_secs(30), async {
        while store.definitions(1).await.is_err() {}
    });
    back.await.unwrap();
    assert!(store.status().up);
    assert_eq!(store.definitions(1).await.unwrap()[0].pattern, "kept");
    let refused = store.snapshot().await.unwrap_err();
    assert!(matches!(refused, BackupError::Postgres));
}
