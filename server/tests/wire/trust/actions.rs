//! What is recorded of requests that nobody waits for, that come to open addresses, or lead nowhere.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{Asks, HERE, gateway};
use crate::gateway::{Gateway, PASSWORD, PATIENCE};
use crate::http_api::{raw, request};

impl Asks<'_> {
    /// The first record that this search finds, once there is one.
    async fn recorded(&self, search: &str) -> Value {
        let path = format!("/activity?search={search}");
        let asking = async {
            loop {
                let found = self.ok("GET", &path, Value::Null).await;
                if found["items"][0].is_object() {
                    return found["items"][0].clone();
                }
            }
        };
        timeout(PATIENCE, asking).await.expect(search)
    }
}

/// A store that somebody else writes to.
struct Locked(Child);

impl Locked {
    async fn lock(folder: &tempfile::TempDir) -> Self {
        let script = "import sqlite3, sys\n\
             store = sqlite3.connect(sys.argv[1], timeout=15, isolation_level=None)\n\
             store.execute('BEGIN IMMEDIATE')\n\
             print('locked', flush=True)\n\
             sys.stdin.readline()\n\
             store.execute('ROLLBACK')";
        let mut python = Command::new("python3")
            .args(["-c", script])
            .arg(folder.path().join("tidegate.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(python.stdout.take().unwrap()).lines();
        let locked = timeout(PATIENCE, said.next_line()).await.unwrap().unwrap();
        assert_eq!(locked.as_deref(), Some("locked"));
        Self(python)
    }

    async fn unlock(mut self) {
        let mut input = self.0.stdin.take().unwrap();
        input.write_all(b"on\n").await.unwrap();
        self.0.wait().await.unwrap();
    }
}

async fn shown(gateway: &Gateway, name: &str) -> usize {
    let (_, _, page) = raw(gateway, "GET", "/metrics", &[], None).await;
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap().parse().unwrap()
}

/// What is under way without clients is bounded: one more change is refused until some of it has ended,
/// and whoever only looks is served.
#[tokio::test]
async fn changes_that_are_under_way_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let flags = ["--data-dir", data, "--admin-password", PASSWORD];
    let bound = ["--max-http-connections", "3"];
    let gateway = Gateway::with(&[&flags[..], &bound].concat(), "").await;
    let admin = Asks::admin(&gateway).await;
    let definition = json!({"pattern": "mine", "join": "public"});
    let lock = Locked::lock(&folder).await;
    let body = definition.to_string();
    let asks = format!(
        "PUT /api/v1/definitions HTTP/1.1\r\nhost: a\r\ncookie: {}\r\nx-tidegate-request: 1\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        admin.header.1,
        body.len()
    );
    for n in 1..=3 {
        let address = ("127.0.0.1", gateway.port);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(asks.as_bytes()).await.unwrap();
        let begun = async { while shown(&gateway, "tidegate_actions").await != n {} };
        timeout(PATIENCE, begun).await.expect("it is under way");
        // Nobody waits for it any more.
    }
    let (status, refused) = admin.ask("PUT", "/definitions", definition.clone()).await;
    assert_eq!(status, 503, "{refused}");
    let why = "Too many actions are under way; try again in a moment.";
    assert_eq!(refused["detail"], why);
    admin.ok("GET", "/definitions", Value::Null).await;
    lock.unlock().await;
    let again =
        async { while admin.ask("PUT", "/definitions", definition.clone()).await.0 != 200 {} };
    timeout(PATIENCE, again).await.expect("room again");
}

/// Whoever hangs up while something is being done has it done, and recorded.
#[tokio::test]
async fn what_nobody_waits_for_is_done_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let user = json!({"name": "olga", "role": "viewer", "password": "correct horse"});
    let id = admin.ok("POST", "/auth/users", user).await["id"].clone();
    let path = format!("/api/v1/auth/users/{}", id.as_str().unwrap());
    // Somebody else writes to the store meanwhile: the request waits.
    let lock = Locked::lock(&folder).await;
    let connections = async || shown(&gateway, "tidegate_http_connections").await;
    let until = async |wanted: usize| {
        let asking = async { while connections().await != wanted {} };
        timeout(PATIENCE, asking)
            .await
            .expect("the connection is seen, or seen to go");
    };
    // The one that asks, and the place that waits for the next one.
    let alone = connections().await;
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    let asks = format!(
        "DELETE {path} HTTP/1.1\r\nhost: a\r\ncookie: {}\r\nx-tidegate-request: 1\r\n\r\n",
        admin.header.1
    );
    stream.write_all(asks.as_bytes()).await.unwrap();
    until(alone + 1).await;
    drop(stream);
    until(alone).await;
    lock.unlock().await;
    let record = admin.recorded("DELETE").await;
    assert_eq!(record["target"], path);
    assert_eq!(
        (&record["status"], &record["principal"]),
        (&json!(200), &json!("admin"))
    );
    let users = admin.ok("GET", "/auth/users", Value::Null).await;
    assert_eq!(users["items"], json!([]));
}

/// A session is recorded at the addresses that are open to everybody, too; who has none is not.
#[tokio::test]
async fn sessions_are_recorded_at_open_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let wanted = |id: &str| json!({"id": id, "channel": "room"});
    let cookie = ("cookie", admin.header.1.as_str());
    for (headers, id) in [
        (&[][..], "anonymous"),
        // It may come from a page of another site: nobody's, but answered.
        (&[cookie][..], "forged"),
        (&[cookie, HERE][..], "alice"),
    ] {
        let (status, answer) =
            request(&gateway, "POST", "/token", headers, Some(&wanted(id))).await;
        assert_eq!(status, 200, "{answer}");
    }
    assert_eq!(
        raw(&gateway, "GET", "/metrics", &[cookie], None).await.0,
        200
    );
    assert_eq!(raw(&gateway, "GET", "/metrics", &[], None).await.0, 200);
    let read = admin.recorded("metrics").await;
    assert_eq!(read["action"], "GET /metrics");
    assert_eq!(
        (&read["principal"], &read["times"]),
        (&json!("admin"), &json!(1))
    );
    let issued = admin
        .ok("GET", "/activity?search=%2Ftoken", Value::Null)
        .await;
    let issued = issued["items"].as_array().unwrap();
    assert_eq!(issued.len(), 1, "{issued:?}");
    assert_eq!(issued[0]["action"], "POST /token");
    assert_eq!(issued[0]["principal"], "admin");
    assert_eq!(issued[0]["address"], "127.0.0.1");
    assert_eq!(issued[0]["outcome"], "Gave alice a token for room.");
    // Each page of the interface does so: no change, and one record however often within a minute.
    let changes = admin.ok("GET", "/activity?changes=true", Value::Null).await;
    let changes = changes["items"].as_array().unwrap();
    assert!(
        !changes.iter().any(|one| one["action"] == "POST /token"),
        "{changes:?}"
    );
}

/// A record is short, whatever was asked, and holds nothing that opens anything.
#[tokio::test]
async fn what_was_asked_in_vain_is_recorded_in_short_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let (token, _) = admin.issue("alice", "room").await;
    let key = "tgk_0123456789abcdef0123456789abcdef";
    let long = format!("/nowhere/{}", "x".repeat(20_000));
    assert_eq!(admin.ask("GET", &long, Value::Null).await.0, 404);
    for (method, path) in [
        ("DELETE", format!("/auth/tokens/{token}")),
        ("DELETE", format!("/auth/api-keys/{key}")),
        ("GET", format!("/nowhere/{token}")),
    ] {
        let (status, answer) = admin.ask(method, &path, Value::Null).await;
        assert_eq!(status, 404, "{answer}");
    }
    let nowhere = admin.recorded("xxx").await;
    assert_eq!(nowhere["action"], "GET (no such address)");
    assert!(nowhere["target"].as_str().unwrap().len() <= 300);
    let last = admin.recorded("nowhere%2F%28a").await;
    assert_eq!(last["target"], "/api/v1/nowhere/(a secret)");
    let all = admin
        .ok("GET", "/activity?limit=200", Value::Null)
        .await
        .to_string();
    for secret in [token.as_str(), &token[..40], key] {
        assert!(!all.contains(secret), "{all}");
    }
    assert!(all.contains("/api/v1/auth/tokens/(a secret)"), "{all}");
    assert!(all.contains("/api/v1/auth/api-keys/(a secret)"), "{all}");
}
