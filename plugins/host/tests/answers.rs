//! What the host plugin answers to HTTP requests, asked over a real redis-server as a gateway does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use futures::StreamExt as _;
use redis::AsyncCommands as _;
use redis::aio::{MultiplexedConnection, PubSub};
use serde_json::{Value, json};
use tidegate_plugin::testing::{PATIENCE, RedisServer};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A plugin, and a gateway's place on its bus.
struct Stage {
    publisher: MultiplexedConnection,
    replies: PubSub,
    asked: u32,
    _plugin: Child,
    _server: RedisServer,
}

impl Stage {
    async fn with(flags: &[&str]) -> Self {
        let server = RedisServer::start().await;
        let client = redis::Client::open(server.url()).unwrap();
        let mut replies = client.get_async_pubsub().await.unwrap();
        replies.subscribe("to:plugin:host:reply").await.unwrap();
        let plugin = Command::new(env!("CARGO_BIN_EXE_tidegate-host"))
            .args(["--redis-url", &server.url()])
            .args(flags)
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            publisher: client.get_multiplexed_async_connection().await.unwrap(),
            replies,
            asked: 0,
            _plugin: plugin,
            _server: server,
        }
    }

    /// Status and body of the reply.
    async fn ask(&mut self, method: &str, path: &str, extra: Value) -> (u64, Value) {
        self.asked += 1;
        let id = format!("test.{}", self.asked);
        let mut request = json!({"id": id, "method": method, "path": path, "query": {},
            "body": null, "principal": "admin", "role": "admin"});
        for (name, value) in extra.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        let asking = async {
            let request = request.to_string();
            // Until the plugin has subscribed.
            while self
                .publisher
                .publish::<_, _, i64>("from:plugin:host:request", &request)
                .await
                .unwrap()
                == 0
            {
                tokio::task::yield_now().await;
            }
            loop {
                let message = self.replies.on_message().next().await.unwrap();
                let reply: Value = serde_json::from_slice(message.get_payload_bytes()).unwrap();
                if reply["id"] == id {
                    return (reply["status"].as_u64().unwrap(), reply["body"].clone());
                }
            }
        };
        timeout(PATIENCE, asking).await.expect("the plugin answers")
    }

    async fn ok(&mut self, path: &str, query: Value) -> Value {
        let (status, body) = self.ask("GET", path, json!({ "query": query })).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

/// P5: answers from the real machine.
#[tokio::test]
async fn the_machine_is_described() {
    let mut stage = Stage::with(&[]).await;
    let none = json!({});
    let network = stage.ok("network", none.clone()).await;
    let interfaces = network["interfaces"].as_array().unwrap();
    let loopback = interfaces.iter().find(|i| i["name"] == "lo").unwrap();
    let addresses = loopback["addresses"].as_array().unwrap();
    assert!(
        addresses.contains(&json!({"address": "127.0.0.1", "prefix": 8})),
        "{network}"
    );
    assert!(network["routes"].is_array() && network["dns"]["servers"].is_array());
    assert_eq!(
        stage.ok("network/interfaces", none.clone()).await["interfaces"][0]["name"],
        interfaces[0]["name"]
    );
    let time = stage.ok("utils/time", none.clone()).await;
    assert!(
        time["milliseconds"].as_u64() > Some(1_700_000_000_000),
        "{time}"
    );
    assert!(stage.ok("utils/hostname", none.clone()).await["hostname"].is_string());
    assert!(stage.ok("utils/uptime", none.clone()).await["seconds"].as_u64() > Some(0));
    assert!(stage.ok("utils/disk", none.clone()).await["disks"].is_array());
    let first = stage.ok("utils/uuid", none.clone()).await;
    assert_ne!(first, stage.ok("utils/uuid", none).await);
    let localhost = stage
        .ok("utils/resolve", json!({"name": "localhost"}))
        .await;
    assert!(
        localhost["addresses"]
            .as_array()
            .unwrap()
            .contains(&json!("127.0.0.1")),
        "{localhost}"
    );
    let hash = stage.ok("utils/hash", json!({"text": "abc"})).await;
    assert_eq!(
        hash["hash"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let body = json!({"body": {"text": "abc", "algorithm": "sha512"}});
    let (_, hash) = stage.ask("POST", "utils/hash", body).await;
    assert!(
        hash["hash"]
            .as_str()
            .unwrap()
            .starts_with("ddaf35a193617aba"),
        "{hash}"
    );
}

/// What is not there, and what is asked wrongly, is answered in a sentence.
#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let mut stage = Stage::with(&[]).await;
    for (method, path, extra, status) in [
        ("GET", "nothing", json!({}), 404),
        ("GET", "../etc/passwd", json!({}), 404),
        ("DELETE", "network", json!({}), 405),
        ("POST", "utils/uuid", json!({}), 405),
        ("GET", "utils/resolve", json!({}), 422),
        (
            "GET",
            "utils/resolve",
            json!({"query": {"name": "a b; reboot"}}),
            422,
        ),
        (
            "GET",
            "utils/hash",
            json!({"query": {"text": "x", "algorithm": "rot13"}}),
            422,
        ),
    ] {
        let (is, body) = stage.ask(method, path, extra).await;
        assert_eq!(is, status, "{method} {path}: {body}");
        assert!(body.as_str().is_some_and(|said| !said.is_empty()), "{body}");
    }
}

/// P5: a machine without Bluetooth says so; one with an adapter shows it and its devices.
#[tokio::test]
async fn bluetooth_is_there_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let mut stage = Stage::with(&["--bluetooth-path", path]).await;
    assert_eq!(
        stage.ok("bluetooth", json!({})).await,
        json!({"present": false, "adapters": [], "devices": []})
    );
    std::fs::create_dir_all(folder.path().join("hci0")).unwrap();
    std::fs::create_dir_all(folder.path().join("hci0:71")).unwrap();
    std::fs::write(folder.path().join("hci0/address"), "00:1a:7d:da:71:13\n").unwrap();
    let bluetooth = stage.ok("bluetooth", json!({})).await;
    assert_eq!(bluetooth["present"], true);
    assert_eq!(bluetooth["adapters"][0]["address"], "00:1a:7d:da:71:13");
    assert_eq!(bluetooth["devices"][0]["adapter"], "hci0");
    let mut stage = Stage::with(&["--bluetooth-path", "/nowhere"]).await;
    assert_eq!(stage.ok("bluetooth", json!({})).await["present"], false);
}

/// A service manager that keeps what it was asked, and the state of one service.
fn manager(folder: &Path) -> String {
    let program = folder.join("manager");
    let script = format!(
        "#!/bin/sh\n\
         echo \"$*\" >> {0}/calls\n\
         for last; do :; done\n\
         case $1 in\n\
         start) echo active > {0}/state ;;\n\
         stop) echo inactive > {0}/state ;;\n\
         show) echo LoadState=loaded; echo ActiveState=$(cat {0}/state) ;;\n\
         esac\n\
         [ \"$last\" != broken ] || {{ echo 'Unit broken is broken.' >&2; exit 1; }}\n",
        folder.display()
    );
    std::fs::write(folder.join("state"), "inactive").unwrap();
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program.to_str().unwrap().to_owned()
}

/// P17: a service of the list is started, stopped and looked at by an administrator; any other name
/// is refused, however much it looks like one, and never reaches the service manager.
#[tokio::test]
async fn only_allowed_services_are_steered() {
    let folder = tempfile::tempdir().unwrap();
    let manager = manager(folder.path());
    let flags = [
        "--service-manager",
        &manager,
        "--allow-service",
        "web",
        "--allow-service",
        "broken",
    ];
    let mut stage = Stage::with(&flags).await;
    let action = |action: &str| json!({"body": {"action": action}});
    assert_eq!(
        stage.ok("services", json!({})).await,
        json!({"allowed": ["web", "broken"]})
    );
    for (asked, is) in [
        ("start", "active"),
        ("stop", "inactive"),
        ("status", "inactive"),
    ] {
        let (status, body) = stage.ask("POST", "services/web", action(asked)).await;
        assert_eq!(
            (status, &body["active"], &body["present"]),
            (200, &json!(is), &json!(true))
        );
    }
    assert_eq!(stage.ok("services/web", json!({})).await["load"], "loaded");
    let (status, body) = stage.ask("POST", "services/broken", action("start")).await;
    assert_eq!(status, 502);
    assert!(
        body.as_str().unwrap().contains("Unit broken is broken."),
        "{body}"
    );
    assert_eq!(
        stage.ask("POST", "services/web", action("mask")).await.0,
        422
    );
    let calls = || std::fs::read_to_string(folder.path().join("calls")).unwrap();
    let before = calls();
    for name in [
        "ssh",
        "we",
        "web2",
        "Web",
        "web ",
        "web/",
        "web;reboot",
        "../web",
        "-H",
        "web.service",
        "*",
    ] {
        let (status, body) = stage
            .ask("POST", &format!("services/{name}"), action("start"))
            .await;
        // A slash at the end is none of the name.
        let expected = if name == "web/" { 200 } else { 403 };
        assert_eq!(status, expected, "{name}: {body}");
    }
    let after = calls().replacen(&before, "", 1);
    assert_eq!(
        after.lines().count(),
        2,
        "{after}: start and show of web alone"
    );
    for role in ["viewer", "operator", "", "Admin"] {
        for method in ["GET", "POST"] {
            let extra = json!({"role": role, "body": {"action": "start"}});
            assert_eq!(
                stage.ask(method, "services/web", extra).await.0,
                403,
                "{role}"
            );
        }
    }
}

/// P5, P17: a machine without systemd says so.
#[tokio::test]
async fn no_service_manager_is_an_answer() {
    let flags = [
        "--service-manager",
        "/nowhere/systemctl",
        "--allow-service",
        "web",
    ];
    let mut stage = Stage::with(&flags).await;
    let status = stage.ok("services/web", json!({})).await;
    assert_eq!(status["present"], false);
    let start = json!({"body": {"action": "start"}});
    let (status, body) = stage.ask("POST", "services/web", start).await;
    assert_eq!(status, 503);
    assert!(body.as_str().unwrap().contains("no systemd"), "{body}");
}

/// W28: the plugin says that it is there.
#[tokio::test]
async fn it_says_that_it_is_there() {
    let server = RedisServer::start().await;
    let client = redis::Client::open(server.url()).unwrap();
    let mut here = client.get_async_pubsub().await.unwrap();
    here.subscribe("to:plugin:host:here").await.unwrap();
    let _plugin = Command::new(env!("CARGO_BIN_EXE_tidegate-host"))
        .args(["--redis-url", &server.url()])
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let message = timeout(PATIENCE, here.on_message().next())
        .await
        .unwrap()
        .unwrap();
    let said: Value = serde_json::from_slice(message.get_payload_bytes()).unwrap();
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
}
