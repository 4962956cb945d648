//! The command line against a gateway that runs, and against a data folder (P1, P20).

mod live;
mod store;
mod terminal;

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::gateway::{Gateway, PASSWORD, PATIENCE, command};

/// A folder, a gateway on it, and a file with an administrator's API key for it.
struct Place {
    folder: tempfile::TempDir,
    gateway: Gateway,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_str().unwrap();
        let made = run(
            &[
                "api-key",
                "add",
                "robot",
                "--role",
                "admin",
                "--data-dir",
                dir,
            ],
            "",
        )
        .await;
        let key = said(&made);
        assert!(key.starts_with("tgk_"), "{key}");
        std::fs::write(folder.path().join("api-key"), key).unwrap();
        let flags = ["--data-dir", dir, "--admin-password", PASSWORD];
        let gateway = Gateway::with(&flags, "").await;
        Self { folder, gateway }
    }

    /// The flags for the gateway's API.
    fn by_api(&self) -> Vec<String> {
        let file = self.folder.path().join("api-key");
        vec![
            "--server".to_owned(),
            format!("http://127.0.0.1:{}", self.gateway.port),
            "--api-key-file".to_owned(),
            file.to_str().unwrap().to_owned(),
        ]
    }

    /// The flags for the data folder.
    fn by_folder(&self) -> Vec<String> {
        let dir = self.folder.path().to_str().unwrap().to_owned();
        vec!["--data-dir".to_owned(), dir]
    }
}

async fn run(args: &[&str], input: &str) -> Output {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who does not read it has ended already.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    timeout(PATIENCE, child.wait_with_output())
        .await
        .unwrap()
        .unwrap()
}

/// What a command that worked has printed.
fn said(output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout.clone())
        .unwrap()
        .trim_end()
        .to_owned()
}

/// Exit code and complaint of a command that did not.
fn refused(output: &Output) -> (i32, String) {
    let complaint = String::from_utf8_lossy(&output.stderr)
        .trim_end()
        .to_owned();
    assert!(!output.status.success(), "{complaint}");
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code().unwrap(), complaint)
}

/// A command with the flags that say where, and what it reads.
async fn at(place: &[String], args: &[&str], input: &str) -> Output {
    let mut all = args.to_vec();
    all.extend(place.iter().map(String::as_str));
    run(&all, input).await
}

async fn ok(place: &[String], args: &[&str]) -> String {
    said(&at(place, args, "").await)
}

async fn as_json(place: &[String], args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.push("--json");
    serde_json::from_str(&ok(place, &all).await).unwrap()
}
