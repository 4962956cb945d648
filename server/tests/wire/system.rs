//! `/api/v1/system`: what the gateway is, how it is, and the settings that hold.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET};
use crate::http_api::sign_in;
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
        in_the_store(&folder, &format!("ALTER TABLE {from} RENAME TO {to}")).await;
    };
    rename("revision", "elsewhere").await;
    until("lost").await;
    rename("elsewhere", "revision").await;
    until("ready").await;
}

/// Does something to the store under the gateway's feet.
pub async fn in_the_store(folder: &tempfile::TempDir, statement: &str) {
    let script = "import sqlite3, sys\n\
         store = sqlite3.connect(sys.argv[1], timeout=15)\n\
         store.execute(sys.argv[2])\n\
         store.commit()";
    let mut python = Command::new("python3");
    python.args(["-c", script]);
    python.arg(folder.path().join("tidegate.db")).arg(statement);
    assert!(python.status().await.unwrap().success());
}

/// Section 1: copies take the room of the store each, so that only two are made or read at once; who
/// comes later is told when to come again, and has it when somebody has gone.
#[tokio::test]
async fn copies_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    // More than what the kernel keeps for a client that does not read.
    in_the_store(
        &folder,
        "CREATE TABLE ballast AS SELECT zeroblob(32 << 20) AS x",
    )
    .await;
    let head = async |reader: &mut TcpStream| {
        let ask = format!(
            "GET /api/v1/system/backup HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {cookie}\r\n\r\n"
        );
        reader.write_all(ask.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(reader.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    };
    let open = async || {
        TcpStream::connect(("127.0.0.1", gateway.port))
            .await
            .unwrap()
    };
    let mut readers = [open().await, open().await];
    for reader in &mut readers {
        let head = head(reader).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("application/vnd.sqlite3"), "{head}");
    }
    let refused = head(&mut open().await).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: 1"), "{refused}");
    drop(readers);
    let again = async { while !head(&mut open().await).await.starts_with("HTTP/1.1 200 ") {} };
    timeout(PATIENCE, again).await.unwrap();
}
