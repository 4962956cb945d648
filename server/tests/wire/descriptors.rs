//! File descriptors: as many as the system allows, and what happens when there are no more.

use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET};
use crate::http_api::raw;

const FLAGS: [&str; 4] = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];

async fn shown(gateway: &Gateway, name: &str) -> f64 {
    let (_, _, page) = raw(gateway, "GET", "/metrics", &[], None).await;
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap().parse().unwrap()
}

/// The soft limit is raised to the hard one; a hard one that is too low for the settings is said.
#[tokio::test]
async fn the_limit_is_raised() {
    let enough = [
        "--max-connections",
        "100",
        "--max-http-connections",
        "50",
        "--bus-clients",
        "10",
    ];
    for (flags, warned) in [(&enough[..], false), (&[], true)] {
        let folder = tempfile::tempdir().unwrap();
        let console = folder.path().join("console");
        let said = std::fs::File::create(&console).unwrap();
        let mut all = [&FLAGS[..], flags].concat();
        all.extend(["--log", "warn"]);
        let gateway = Gateway::limited("-Sn 200 && ulimit -Hn 512", &all, said.into()).await;
        assert_eq!(shown(&gateway, "process_max_fds").await, 512.0);
        let console = || std::fs::read_to_string(&console).unwrap();
        let warning = "fewer files may be open than the settings need";
        if warned {
            let there = async {
                while !console().contains(warning) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(PATIENCE, there).await.expect("a warning");
        } else {
            // Said before anybody is answered.
            assert!(!console().contains(warning));
        }
    }
}

/// When none is left connections wait, which is counted, and are served once there are some again.
#[tokio::test]
async fn without_descriptors_connections_wait() {
    let gateway = Gateway::limited("-n 100", &FLAGS, Stdio::null()).await;
    let mut held = Vec::new();
    for _ in 0..150 {
        held.push(
            TcpStream::connect(("127.0.0.1", gateway.port))
                .await
                .unwrap(),
        );
    }
    let mut last = TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    drop(held);
    gateway.joined("room", "alice").await;
    assert!(shown(&gateway, "tidegate_accept_errors_total").await > 0.0);
    let mut said = Vec::new();
    // It says nothing and is closed in its turn.
    timeout(PATIENCE, last.read_to_end(&mut said))
        .await
        .unwrap()
        .unwrap();
}
