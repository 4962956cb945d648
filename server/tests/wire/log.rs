//! What the gateway logs, and in which form.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::gateway::{PASSWORD, PATIENCE, SECRET, command};
use crate::socket::Socket;

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
