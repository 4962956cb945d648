//! The tables, and how they came to be: each migration runs once, in order, in a transaction.

use sqlx::AnyPool;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use crate::open::OpenError;

/// Never changed once released; what is to be different comes as a further one.
const MIGRATIONS: [(i64, &str, &str); 6] = [
    (
        1,
        "identities",
        include_str!("../migrations/0001_identities.sql"),
    ),
    (2, "tokens", include_str!("../migrations/0002_tokens.sql")),
    (
        3,
        "channels and activity",
        include_str!("../migrations/0003_channels_and_activity.sql"),
    ),
    (
        4,
        "repeats and nonces",
        include_str!("../migrations/0004_repeats_and_nonces.sql"),
    ),
    (
        5,
        "roles of tokens",
        include_str!("../migrations/0005_roles_of_tokens.sql"),
    ),
    (
        6,
        "names of API keys, searches",
        include_str!("../migrations/0006_names_and_searches.sql"),
    ),
];

/// Brings the tables up to date.
pub(crate) async fn run(pool: &AnyPool) -> Result<(), OpenError> {
    apply(pool, &MIGRATIONS).await
}

async fn apply(
    pool: &AnyPool,
    migrations: &[(i64, &'static str, &'static str)],
) -> Result<(), OpenError> {
    let migrations = migrations
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(
                *version,
                (*name).into(),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        })
        .collect();
    match Migrator::with_migrations(migrations).run(pool).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMismatch(version)) => Err(OpenError::Changed(version)),
        Err(MigrateError::VersionMissing(version)) => Err(OpenError::Newer(version)),
        Err(MigrateError::ExecuteMigration(error, version)) => {
            Err(OpenError::Migration(version, error.to_string()))
        }
        Err(MigrateError::Execute(error)) => Err(OpenError::Unusable(error.to_string())),
        Err(error) => Err(OpenError::Unusable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{Place, pool};
    use std::time::Duration;

    async fn versions(pool: &AnyPool) -> Vec<i64> {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
            .fetch_all(pool)
            .await
            .unwrap()
    }

    /// W14, P9: a database of an earlier release gets what is new, once and in order; one whose
    /// past was changed, or that is newer than this program, is refused in words; one that fails
    /// leaves nothing behind.
    #[tokio::test]
    async fn migrations_run_once_in_order_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Embedded(folder.path().join("tidegate.db"));
        let pool = pool(&place, 2, Duration::from_secs(5)).await.unwrap();
        let first = [(
            1,
            "one",
            "CREATE TABLE one (a TEXT); INSERT INTO one (a) VALUES ('kept')",
        )];
        let second = [first[0], (2, "two", "ALTER TABLE one ADD COLUMN b TEXT")];
        apply(&pool, &first).await.unwrap();
        apply(&pool, &second).await.unwrap();
        apply(&pool, &second).await.unwrap();
        assert_eq!(versions(&pool).await, [1, 2]);
        let kept: String = sqlx::query_scalar("SELECT a FROM one")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(kept, "kept");

        let changed = [(1, "one", "CREATE TABLE one (a TEXT, c TEXT)"), second[1]];
        let refused = apply(&pool, &changed).await.unwrap_err();
        assert!(matches!(refused, OpenError::Changed(1)), "{refused}");
        let refused = apply(&pool, &first).await.unwrap_err();
        assert!(matches!(refused, OpenError::Newer(2)), "{refused}");
        assert!(refused.to_string().contains("newer"), "{refused}");

        let broken = [
            second[0],
            second[1],
            (
                3,
                "three",
                "CREATE TABLE three (a TEXT); CREATE TABLE one (a TEXT)",
            ),
        ];
        let refused = apply(&pool, &broken).await.unwrap_err();
        assert!(matches!(refused, OpenError::Migration(3, _)), "{refused}");
        assert_eq!(versions(&pool).await, [1, 2]);
        let left: Option<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE name = 'three'")
                .fetch_optional(&pool)
                .await
                .unwrap();
        assert_eq!(left, None);
    }

    /// API keys that were called alike keep their secrets and get names of their own, the oldest its
    /// own one; and what was written before is found.
    #[tokio::test]
    async fn what_was_there_before_names_were_unique() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Embedded(folder.path().join("tidegate.db"));
        let pool = pool(&place, 2, Duration::from_secs(5)).await.unwrap();
        apply(&pool, &MIGRATIONS[..5]).await.unwrap();
        let key = |n: u8, revoked: &str| {
            format!(
                "INSERT INTO api_keys (id, name, role, hash, hint, created_at, created_by, revoked_at) \
                 VALUES ('000000000000000000000000000000{n:02}', 'backup', 'admin', '{n}', 'h', 1, \
                 'admin', {revoked});"
            )
        };
        let before = [
            key(1, "5"),
            key(2, "NULL"),
            key(3, "NULL"),
            key(4, "NULL"),
            "INSERT INTO activity (id, at, principal, action, target, outcome, status, took_us, \
             address) VALUES ('1', 1, 'user:alice', 'GET /a', '/Room', 'Done.', 200, 1, '::1')"
                .to_owned(),
        ]
        .concat();
        let before = sqlx::AssertSqlSafe(before);
        sqlx::raw_sql(before).execute(&pool).await.unwrap();
        run(&pool).await.unwrap();
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM api_keys ORDER BY id")
            .fetch_all(&pool)
            .await
            .unwrap();
        let expected = [
            "backup",
            "backup",
            "backup-000000000003",
            "backup-000000000004",
        ];
        assert_eq!(names, expected);
        let found: String = sqlx::query_scalar("SELECT searched FROM activity")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(found, "user:alice\nget /a\n/room\ndone.");
    }
}
