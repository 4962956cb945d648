//! What the gateway logs, where, and in which form.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::{Duration, timeout};

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, command};
use crate::http_api::{raw, request, sign_in};
use crate::socket::Socket;

const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// A gateway with all three sinks in a folder of the test.
pub struct Logged {
    pub gateway: Gateway,
    folder: tempfile::TempDir,
}

impl Logged {
    /// `console` are the flags for the console, `more` any others.
    pub async fn start(console: &[&str], more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        Self::placed(folder, &data, &[console, more].concat()).await
    }

    /// The same with a data folder that is there already.
    pub async fn in_folder(data: &Path, flags: &[&str]) -> Self {
        Self::placed(tempfile::tempdir().unwrap(), data, flags).await
    }

    async fn placed(folder: tempfile::TempDir, data: &Path, more: &[&str]) -> Self {
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (data, app, debug) = (
            data.to_str().unwrap().to_owned(),
            path("app"),
            path("debug"),
        );
        let mut flags = vec!["--data-dir", &data, "--log-dir", &app];
        flags.extend(["--debug-log-dir", &debug, "--admin-password", PASSWORD]);
        flags.extend(more);
        let said = std::fs::File::create(path("console")).unwrap();
        let gateway = Gateway::with_console(&flags, "", said.into()).await;
        Self { gateway, folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn console(&self) -> String {
        std::fs::read_to_string(self.path("console")).unwrap()
    }

    pub fn app(&self) -> String {
        std::fs::read_to_string(self.path("app/tidegate.log")).unwrap_or_default()
    }

    pub fn debug(&self) -> String {
        std::fs::read_to_string(self.path("debug/debug.log")).unwrap_or_default()
    }

    /// Lines are written a moment after they were logged.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("a line in time");
    }

    async fn stop(&mut self) {
        self.gateway.terminate().await;
        let ended = timeout(PATIENCE, self.gateway.child.wait()).await.unwrap();
        assert!(ended.unwrap().success());
    }
}

fn levels(log: &str) -> Vec<String> {
    let mut levels: Vec<_> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("one object a line"))
        .map(|line| line["level"].as_str().unwrap().to_owned())
        .collect();
    levels.sort();
    levels.dedup();
    levels
}

/// P19: each sink has a rule of its own; what the console shows changes neither file.
#[tokio::test]
async fn three_sinks_three_rules() {
    for (console, shows_info, shows_debug) in [
        (&["--log", "error"][..], false, false),
        (&["--log", "info"], true, false),
        (&["--log", "warn", "--debug"], false, true),
        (&["--log", "debug"], true, true),
    ] {
        let mut logged = Logged::start(console, &[]).await;
        let wrong = json!({"password": "wrong"});
        let here = [HERE];
        raw(
            &logged.gateway,
            "POST",
            "/api/v1/session",
            &here,
            Some(&wrong),
        )
        .await;
        sign_in(&logged.gateway, PASSWORD).await;
        drop(logged.gateway.connect().await);
        logged
            .until(|logged| logged.debug().contains("\"closed\""))
            .await;
        logged.stop().await;

        let (app, debug, said) = (logged.app(), logged.debug(), logged.console());
        assert_eq!(levels(&app), ["INFO", "WARN"], "{console:?}: {app}");
        assert_eq!(levels(&debug), ["DEBUG", "INFO", "WARN"], "{console:?}");
        for line in app.lines() {
            assert!(debug.contains(line.split_once(',').unwrap().1), "{line}");
        }
        assert!(app.contains("signed in with a password") && app.contains("stopping"));
        // With --debug beside --log the gateway's own DEBUG, and so its INFO, is shown.
        let info = shows_info || shows_debug;
        assert_eq!(
            said.contains("signed in with a password"),
            info,
            "{console:?}: {said}"
        );
        assert_eq!(
            said.contains(" opened "),
            shows_debug,
            "{console:?}: {said}"
        );
        for file in ["app/tidegate.log", "debug/debug.log"] {
            let mode = logged.path(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
}

/// P19: the app log is beside the store, the debug log in a volatile folder; a gateway that forgets
/// writes neither.
#[tokio::test]
async fn files_are_where_they_are_expected() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = folder.path().join("run");
    std::fs::create_dir(&runtime).unwrap();
    let start = async |data: &Path| {
        let mut child = command();
        child
            .env_remove("DEBUG_LOG_DIR")
            .env("XDG_RUNTIME_DIR", &runtime)
            .env("DATA_DIR", data)
            .args(["serve", "--port", "0", "--bus-listen", "none"])
            .args(["--admin-password", PASSWORD])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        timeout(PATIENCE, said.next_line()).await.unwrap().unwrap();
        let pid = child.id().unwrap().to_string();
        let told = tokio::process::Command::new("kill").arg(&pid).status();
        assert!(told.await.unwrap().success());
        timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    };
    start(Path::new("none")).await;
    assert_eq!(std::fs::read_dir(&runtime).unwrap().count(), 0);
    let data = folder.path().join("data");
    start(&data).await;
    assert!(data.join("logs/tidegate.log").is_file());
    assert!(runtime.join("tidegate/debug.log").is_file());
}

/// P19: what DEBUG costs is not paid per event: none leaves a line.
#[tokio::test]
async fn an_event_leaves_no_line() {
    let logged = Logged::start(&[], &["--jwt-secret", SECRET]).await;
    let mut alice = logged.gateway.joined("room", "alice").await;
    let mut tap = logged.gateway.tap().await;
    logged
        .until(|logged| logged.debug().contains("\"opened\""))
        .await;
    let before = logged.debug().lines().count();
    for n in 0..300 {
        tap.publish("to:room:update", n.to_string()).await;
        alice.expect_event("room", "update").await;
        let push = json!(["1", "p", "room", "said", n]);
        assert_eq!(alice.ask(push).await[4]["status"], "ok");
    }
    // The next connection is logged after all of them.
    let _bob = logged.gateway.connect().await;
    logged
        .until(|logged| logged.debug().matches("\"opened\"").count() == 2)
        .await;
    let after = logged.debug().lines().count();
    assert!(after - before < 20, "{}", logged.debug());
}

/// P19: nobody who is named in the log writes lines of its own.
#[tokio::test]
async fn a_name_stays_in_its_line() {
    let logged = Logged::start(&["--log", "debug"], &[]).await;
    let cookie = sign_in(&logged.gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str()), HERE];
    // What makes a line is no name at all; what only looks like one is shown as what it is.
    let line = "eve\n2026-01-01T00:00:00Z  INFO forged\x1b[2J";
    let forged = "eve\u{2028}2026-01-01T00:00:00Z  INFO forged {\"message\":\"forged\"}\u{202e}";
    for (id, expected) in [(line, 422), (forged, 200)] {
        let wanted = json!({"id": id, "channels": ["room"]});
        let path = "/api/v1/auth/token";
        let (status, _) = request(&logged.gateway, "POST", path, &headers, Some(&wanted)).await;
        assert_eq!(status, expected);
    }
    let issued = "a token was issued";
    logged
        .until(|logged| {
            logged.console().contains(issued)
                && logged.app().contains(issued)
                && logged.debug().contains(issued)
        })
        .await;
    for line in logged.app().lines().chain(logged.debug().lines()) {
        let line: Value = serde_json::from_str(line).expect("one object a line");
        assert_ne!(line["message"], "forged");
    }
    for line in logged.console().lines() {
        let stamped = line.get(..2) == Some("20") && line.contains('T');
        assert!(stamped && !line.starts_with("2026-01-01"), "{line}");
        assert!(
            !line.contains(['\x1b', '\r', '\u{2028}', '\u{202e}']),
            "{line}"
        );
    }
}

/// P19: `--log-file-bytes` and `--log-files` bound what is kept.
#[tokio::test]
async fn files_are_rotated() {
    let bounds = ["--log-file-bytes", "3000", "--log-files", "3"];
    let logged = Logged::start(&[], &bounds).await;
    let cookie = sign_in(&logged.gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str()), HERE];
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(logged.path("app"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'))
            .collect();
        files.sort();
        files
    };
    let mut issued = 0;
    // Until a line that was in the oldest file is gone.
    loop {
        let wanted = json!({"id": format!("user{issued}."), "channels": ["room"]});
        let path = "/api/v1/auth/token";
        request(&logged.gateway, "POST", path, &headers, Some(&wanted)).await;
        issued += 1;
        let all: String = files()
            .iter()
            .map(|path| std::fs::read_to_string(path).unwrap_or_default())
            .collect();
        if issued > 20 && !all.contains("user0.") {
            break;
        }
        assert!(issued < 500, "nothing was ever rotated away");
    }
    let files = files();
    assert_eq!(files.len(), 3, "{files:?}");
    for path in files {
        let about = path.metadata().unwrap();
        assert!(about.len() <= 3000, "{path:?}");
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{path:?}");
    }
}

/// Section 4: one JSON object a line; a line about a connection has its id.
#[tokio::test]
async fn json_lines_name_the_connection() {
    let mut child = command()
        .args(["serve", "--port", "0", "--bus-listen", "none"])
        .args(["--jwt-secret", SECRET, "--admin-password", PASSWORD])
        .args(["--log", "tidegate=debug", "--log-format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = timeout(PATIENCE, said.next_line()).await.unwrap();
    let port = first.unwrap().unwrap();
    let port = port.rsplit(':').next().unwrap().parse().unwrap();
    let mut socket = Socket::open(port, "vsn=2.0.0", &[]).await.unwrap();
    socket.expect_silence().await;
    drop(socket);

    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut ids = Vec::new();
    while ids.len() < 2 {
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap();
        let line = line.unwrap().unwrap();
        let line: Value = serde_json::from_str(&line).expect("a line is one JSON object");
        assert!(line["level"].is_string() && line["timestamp"].is_string());
        if ["opened", "closed"].contains(&line["message"].as_str().unwrap()) {
            ids.push(line["connection"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids[0], ids[1], "both are about the same connection");
    assert!(ids[0].len() >= 12);
}
