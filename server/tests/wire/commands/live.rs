//! What only a gateway that runs knows and does.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::{Place, as_json, at, ok, refused, run};
use crate::gateway::{PATIENCE, command};

/// P20: channels are listed, looked into and closed; an event reaches the members.
#[tokio::test]
async fn channels_and_events() {
    let place = Place::new().await;
    let api = place.by_api();
    // Who may read the folder needs no key on the same machine.
    let mut here = place.by_folder();
    here.extend(["--server".to_owned(), api[1].clone()]);
    for (by, name) in [(&api, "once"), (&here, "once more")] {
        let token = ok(by, &["token", "room:1", "alice"]).await;
        let mut alice = place.gateway.connect().await;
        let join = json!(["1", "1", "room:1", "phx_join", {"token": token}]);
        assert_eq!(alice.ask(join).await[4]["status"], "ok");
        alice.expect_event("room:1", "presence_state").await;
        alice.until_presence_diff("room:1").await;

        let listed = ok(by, &["channel", "list", "--search", "room"]).await;
        let cells: Vec<_> = listed.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(cells[..2], ["room:1", "1"]);
        let shown = ok(by, &["channel", "show", "room:1"]).await;
        assert!(
            shown.starts_with("room:1: 1 members") && shown.contains("\nalice "),
            "{shown}"
        );
        let shown = as_json(by, &["channel", "show", "room:1"]).await;
        assert_eq!(shown["members"][0]["user"], "alice");

        let sent = ok(by, &["publish", "room:1", "update", r#"{"n":1}"#]).await;
        assert_eq!(sent.trim(), "Published update to room:1, for 1 member.");
        let frame = alice.expect_event("room:1", "update").await;
        assert_eq!(frame[4], json!({"n": 1}));
        let sent = at(by, &["publish", "room:1", "update", "-"], "[2]").await;
        assert!(sent.status.success());
        assert_eq!(alice.expect_event("room:1", "update").await[4], json!([2]));

        let other = ["publish", "room:1", "update", "1", "--user", "bob"];
        let sent = as_json(by, &other).await;
        assert_eq!(sent["events"][0]["members"], 0, "{sent}");
        let once = [
            "publish",
            "room:1",
            "update",
            "2",
            "--user",
            "alice,bob",
            "--id",
            name,
        ];
        ok(by, &once).await;
        ok(by, &once).await;
        assert_eq!(alice.expect_event("room:1", "update").await[4], json!(2));
        ok(by, &["publish", "room:1", "last"]).await;
        assert_eq!(alice.next().await[3], "last");

        ok(by, &["channel", "close", "room:1"]).await;
        alice.expect_event("room:1", "phx_close").await;
        let (code, complaint) = refused(&at(by, &["channel", "show", "room:1"], "").await);
        assert_eq!(code, 1);
        assert!(complaint.contains("room:1"), "{complaint}");
    }
    let (code, complaint) = refused(&at(&api, &["publish", "room", "update", "{"], "").await);
    assert_eq!(code, 1);
    assert!(complaint.contains("no JSON"), "{complaint}");
}

/// A gateway that does not run cannot say what flows: the command says that none is there.
#[tokio::test]
async fn channels_need_a_gateway() {
    let free = tidegate_testing::free_port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let list = ["channel", "list", "--data-dir", dir, "--port", &free];
    let (code, complaint) = refused(&run(&list, "").await);
    assert_eq!(code, 3);
    assert!(
        complaint.contains("is a gateway running there?"),
        "{complaint}"
    );
}

/// `activity --follow` shows what comes, once.
#[tokio::test]
async fn activity_is_followed() {
    let place = Place::new().await;
    let (api, folder) = (place.by_api(), place.by_folder());
    let mut following = command()
        .args([
            "activity",
            "--follow",
            "--json",
            "--principal",
            "token:command line",
        ])
        .args(&api)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    for name in ["one", "two"] {
        ok(
            &folder,
            &["channel", "definitions", "put", name, "--join", "public"],
        )
        .await;
        loop {
            let line = timeout(PATIENCE, lines.next_line()).await.unwrap();
            let record: Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
            let id = record["id"].as_str().unwrap().to_owned();
            assert!(!seen.contains(&id), "{record}");
            seen.push(id);
            if record["outcome"] == format!("{name} is defined.") {
                break;
            }
        }
    }
}

/// P20: the settings of a gateway that runs, as its API has them, secrets masked.
#[tokio::test]
async fn settings_of_a_gateway() {
    let place = Place::new().await;
    let told = ok(&place.by_api(), &["check-config"]).await;
    assert!(
        told.starts_with("These settings hold at http://127.0.0.1:"),
        "{told}"
    );
    let line = |name: &str| {
        let found = told
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        let cells = found.unwrap_or_else(|| panic!("{name}: {told}"));
        cells
            .split_whitespace()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(line("admin-password"), ["********", "--admin-password"]);
    let folder = place.folder.path().to_str().unwrap();
    assert_eq!(line("data-dir"), [folder, "--data-dir"]);
    let listed = as_json(&place.by_api(), &["check-config"]).await;
    assert!(
        listed["settings"]
            .as_array()
            .is_some_and(|all| all.len() > 50),
        "{listed}"
    );
}
