//! What lasts, and what is remembered of what was done (P7, P16, P20).

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Asks, gateway, member, refused, removed, signs_in};
use crate::gateway::{PASSWORD, PATIENCE};
use crate::http_api::raw;

/// P7: users, sessions, keys and definitions survive a restart, a removed definition stays removed.
#[tokio::test]
async fn what_is_stored_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let cookie;
    let token;
    {
        let mut gateway = gateway(&folder).await;
        let admin = Asks::admin(&gateway).await;
        cookie = admin.header.1.clone();
        token = admin.issue("alice", "room").await.0;
        let definition = json!({"pattern": "mine", "join": "public"});
        admin.ok("PUT", "/definitions", definition).await;
        admin
            .ok("DELETE", "/definitions/flights", Value::Null)
            .await;
        gateway.terminate().await;
        timeout(PATIENCE, gateway.child.wait())
            .await
            .unwrap()
            .unwrap();
    }
    let gateway = gateway(&folder).await;
    let admin = Asks {
        gateway: &gateway,
        header: ("cookie", cookie),
    };
    let definitions = admin.ok("GET", "/definitions", Value::Null).await;
    let patterns: Vec<_> = definitions
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|d| d["pattern"].as_str())
        .collect();
    assert!(
        patterns.contains(&"mine") && !patterns.contains(&"flights"),
        "{patterns:?}"
    );
    assert_eq!(refused(&gateway, "room", &token).await, Value::Null);
    let mut anonymous = gateway.connect().await;
    let reply = anonymous
        .ask(json!(["1", "1", "mine", "phx_join", {}]))
        .await;
    assert_eq!(reply[4]["status"], "ok", "{reply}");
}

/// P16: who did what is there, found and exported; no secret is, there or in the store's files.
#[tokio::test]
async fn what_was_done_is_remembered_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let (token, _) = admin.issue("alice", "room").await;
    let new = json!({"name": "olga", "role": "viewer", "password": "correct horse"});
    admin.ok("POST", "/auth/users", new).await;
    let made = admin
        .ok(
            "POST",
            "/auth/api-keys",
            json!({"name": "script", "role": "viewer"}),
        )
        .await;
    let key = made["key"].as_str().unwrap();
    assert_eq!(signs_in(&gateway, "olga", "wrong horse").await, Err(401));
    assert_eq!(signs_in(&gateway, "mistyped secret", "x").await, Err(401));
    let script = Asks::bearer(&gateway, key);
    assert_eq!(
        script.ask("DELETE", "/channels/room", Value::Null).await.0,
        403
    );
    admin
        .ok("POST", "/auth/introspect", json!({"token": token}))
        .await;
    // Records are written a moment later.
    let found = timeout(PATIENCE, async {
        loop {
            let found = admin
                .ok("GET", "/activity?refused=true&search=ROOM", Value::Null)
                .await;
            if found["items"]
                .as_array()
                .is_some_and(|items| !items.is_empty())
            {
                return found;
            }
        }
    });
    let found = found.await.unwrap();
    let record = &found["items"][0];
    assert_eq!(record["principal"], "key:script");
    assert_eq!(record["action"], "DELETE /api/v1/channels/{topic}");
    assert_eq!(record["target"], "/api/v1/channels/room");
    assert_eq!(
        (&record["status"], &record["outcome"]),
        (&json!(403), &json!("This needs the role operator."))
    );
    assert_eq!(record["address"], "127.0.0.1");
    let tried = admin
        .ok("GET", "/activity?refused=true&search=sign", Value::Null)
        .await;
    let tried: Vec<_> = tried["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            assert!(
                record["took_us"].as_u64().unwrap() > 0,
                "a hash takes its time"
            );
            record["principal"].as_str().unwrap()
        })
        .collect();
    assert_eq!(tried, ["user:(nobody)", "user:olga"]);
    let of_admin = admin
        .ok("GET", "/activity?principal=admin&search=olga", Value::Null)
        .await;
    assert_eq!(
        of_admin["items"][0]["outcome"],
        "Added user olga as viewer."
    );
    let counts = admin.ok("GET", "/activity/principals", Value::Null).await;
    let script = counts["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["principal"] == "key:script");
    assert_eq!(
        (&script.unwrap()["answered"], &script.unwrap()["refused"]),
        (&json!(0), &json!(1))
    );

    let headers = [("cookie", admin.header.1.as_str())];
    let (status, head, lines) =
        raw(&gateway, "GET", "/api/v1/activity/export", &headers, None).await;
    assert!(
        status == 200 && head.contains("application/jsonl"),
        "{head}"
    );
    assert!(lines.contains("Added user olga as viewer."), "{lines}");

    let cookie = admin.header.1.split_once('=').unwrap().1;
    let logs = folder.path().join("logs");
    let files = [folder.path(), &logs].map(|folder| std::fs::read_dir(folder).unwrap());
    for entry in files.into_iter().flatten().flatten() {
        if entry.path() == logs {
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        for secret in [
            PASSWORD,
            "correct horse",
            "mistyped secret",
            token.as_str(),
            key,
            cookie,
        ] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in {}", entry.path().display());
        }
    }
}

/// P20, P11: the command line works on the store, whether a gateway runs or not.
#[tokio::test]
async fn commands_work_on_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let run = async |args: &[&str]| {
        let output = crate::gateway::command()
            .args(args)
            .args(["--data-dir", dir])
            .output()
            .await
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let token = run(&["token", "room", "alice"]).await;
    let gateway = gateway(&folder).await;
    let mut alice = member(&gateway, "room", &token).await;
    let copy = folder.path().join("copy.db");
    run(&["backup", copy.to_str().unwrap()]).await;
    assert!(copy.metadata().unwrap().len() > 0);
    run(&["rotate-key", "--immediate"]).await;
    // A gateway that runs learns of it by itself.
    assert_eq!(removed(&mut alice).await, "token revoked");
    let token = run(&["token", "room", "alice"]).await;
    assert_eq!(refused(&gateway, "room", &token).await, Value::Null);
}
