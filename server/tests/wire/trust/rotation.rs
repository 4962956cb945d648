//! Keys that are rotated by themselves (`--key-rotation-days`).

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Asks, refused};
use crate::gateway::{Gateway, PASSWORD, PATIENCE};
use crate::log::Logged;
use crate::system::in_the_store;

const TWO_DAYS_AGO: &str = "UPDATE signing_keys SET created_at = created_at - 2 * 86400000";

async fn rotating(folder: &tempfile::TempDir, days: &str) -> Gateway {
    let folder = folder.path().to_str().unwrap();
    let flags = ["--data-dir", folder, "--admin-password", PASSWORD];
    Gateway::with(&[&flags[..], &["--key-rotation-days", days]].concat(), "").await
}

/// A key that is too old gives way to a new one; what it has signed stays good, and a key that is
/// young enough stays.
#[tokio::test]
async fn a_key_that_is_too_old_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    let (token, old);
    {
        let mut gateway = rotating(&folder, "1").await;
        let admin = Asks::admin(&gateway).await;
        token = admin.issue("alice", "room").await.0;
        let keys = admin.ok("GET", "/auth/keys", Value::Null).await;
        assert_eq!(keys.as_array().unwrap().len(), 1, "{keys}");
        old = keys[0]["kid"].clone();
        gateway.terminate().await;
        timeout(PATIENCE, gateway.child.wait())
            .await
            .unwrap()
            .unwrap();
    }
    in_the_store(&folder, TWO_DAYS_AGO).await;
    {
        let mut gateway = rotating(&folder, "3").await;
        let admin = Asks::admin(&gateway).await;
        let keys = admin.ok("GET", "/auth/keys", Value::Null).await;
        assert_eq!(keys.as_array().unwrap().len(), 1, "{keys}");
        gateway.terminate().await;
        timeout(PATIENCE, gateway.child.wait())
            .await
            .unwrap()
            .unwrap();
    }
    let gateway = rotating(&folder, "1").await;
    let admin = Asks::admin(&gateway).await;
    let rotated = async {
        loop {
            let keys = admin.ok("GET", "/auth/keys", Value::Null).await;
            if keys.as_array().unwrap().len() == 2 {
                return keys;
            }
        }
    };
    let keys = timeout(PATIENCE, rotated).await.expect("a new key");
    assert_ne!(keys[0]["kid"], old);
    assert_eq!(keys[0]["state"], "current");
    assert_eq!(
        (&keys[1]["kid"], &keys[1]["state"]),
        (&old, &json!("previous"))
    );
    assert_eq!(refused(&gateway, "room", &token).await, Value::Null);
}

/// A key that cannot be rotated is said so, and not only to who debugs.
#[tokio::test]
async fn a_key_that_stays_too_long_is_said() {
    let folder = tempfile::tempdir().unwrap();
    {
        let mut gateway = rotating(&folder, "0").await;
        gateway.terminate().await;
        timeout(PATIENCE, gateway.child.wait())
            .await
            .unwrap()
            .unwrap();
    }
    in_the_store(&folder, TWO_DAYS_AGO).await;
    let no = "CREATE TRIGGER no BEFORE INSERT ON signing_keys BEGIN SELECT RAISE(ABORT, 'no'); END";
    in_the_store(&folder, no).await;
    let console = ["--log", "warn", "--key-rotation-days", "1"];
    let logged = Logged::in_folder(folder.path(), &console).await;
    logged
        .until(|logged| {
            logged.console().contains("WARN")
                && logged.console().contains("the signing key was not rotated")
        })
        .await;
}
