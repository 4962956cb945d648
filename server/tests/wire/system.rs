//! `/api/v1/system`: what the gateway is, how it is, and the settings that hold.

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET};
use crate::trust::{Asks, gateway};

/// Section 4: every setting with who said it; no secret is shown, and only administrators ask.
#[tokio::test]
async fn settings_are_listed_with_who_said_them() {
    let config = "max-errors = 7\n".replace('-', "_") + "metrics_token = \"a token of the file\"\n";
    let flags = [
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
        "--max-channels",
        "50",
    ];
    let gateway = Gateway::with(&flags, &config).await;
    let admin = Asks::admin(&gateway).await;
    let listed = admin.ok("GET", "/system/configuration", Value::Null).await;
    let settings = listed["settings"].as_array().unwrap();
    let is = |name: &str| {
        let found = settings.iter().find(|s| s["name"] == name);
        let found = found.unwrap_or_else(|| panic!("{name}"));
        (found["value"].clone(), found["source"].clone())
    };
    assert_eq!(is("max-channels"), (json!("50"), json!("flag")));
    assert_eq!(is("max-errors"), (json!("7"), json!("file")));
    assert_eq!(is("idle-seconds"), (json!("60"), json!("default")));
    assert_eq!(is("bus-password"), (Value::Null, json!("default")));
    assert_eq!(is("jwt-secret"), (json!("********"), json!("flag")));
    assert_eq!(is("metrics-token"), (json!("********"), json!("file")));
    let text = listed.to_string();
    for secret in [SECRET, PASSWORD, "a token of the file"] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// Section 4, P21: version, health and figures in one answer; a gateway that forgets says so.
#[tokio::test]
async fn the_system_says_how_it_is() {
    let flags = ["--admin-password", PASSWORD, "--data-dir", "none"];
    let gateway = Gateway::with(&flags, "").await;
    let admin = Asks::admin(&gateway).await;
    let mut socket = gateway.connect().await;
    // The handshake is answered before the connection is counted.
    socket.expect_silence().await;
    let system = admin.ok("GET", "/system", Value::Null).await;
    assert_eq!(system["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(system["ready"], true, "{system}");
    assert_eq!(system["bus"]["kind"], "in-process");
    assert_eq!(system["store"]["state"], "none");
    assert_eq!(system["metrics"]["connections"], 1);
    assert!(system["uptime"].is_u64() && system["metrics"]["memory"].as_u64() > Some(0));
}

/// P21: a store that is lost shows in both answers, and so does its return.
#[tokio::test]
async fn a_lost_store_shows() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let until = async |state: &str| {
        let asking = async {
            for path in ["/overview", "/system"] {
                while admin.ok("GET", path, Value::Null).await["store"]["state"] != state {
                    tokio::task::yield_now().await;
                }
            }
        };
        let asked = timeout(PATIENCE, asking).await;
        asked.unwrap_or_else(|_| panic!("the store is {state}"));
    };
    until("ready").await;
    let rename = async |from: &str, to: &str| {
        let script = format!(
            "import sqlite3, sys\n\
             store = sqlite3.connect(sys.argv[1], timeout=15)\n\
             store.execute('ALTER TABLE {from} RENAME TO {to}')\n\
             store.commit()"
        );
        let mut python = Command::new("python3");
        python.args(["-c", &script]);
        python.arg(folder.path().join("tidegate.db"));
        assert!(python.status().await.unwrap().success());
    };
    rename("revision", "elsewhere").await;
    until("lost").await;
    rename("elsewhere", "revision").await;
    until("ready").await;
}
