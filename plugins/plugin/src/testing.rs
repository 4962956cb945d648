//! A redis-server for a plugin's tests: on a free port, with a folder of its own, ended with
//! the value. Only built with the feature `testing`.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot start must fail"
)]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// How long a test waits for a condition before it fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub use tidegate_testing::free_port;

/// A running redis-server.
pub struct RedisServer {
    port: u16,
    folder: PathBuf,
    child: Child,
}

impl RedisServer {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        Self::start_on(free_port()).await
    }

    /// Starts one on `port` and waits until it answers.
    pub async fn start_on(port: u16) -> Self {
        let folder = std::env::temp_dir().join(format!("tidegate-plugin-redis-{port}"));
        std::fs::create_dir_all(&folder).expect("a folder for redis-server");
        let child = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .args(["--appendonly", "no", "--dir"])
            .arg(&folder)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server must be installed");
        let server = Self {
            port,
            folder,
            child,
        };
        let client = redis::Client::open(server.url()).expect("an address");
        let deadline = Instant::now() + PATIENCE;
        while client.get_multiplexed_async_connection().await.is_err() {
            assert!(
                Instant::now() < deadline,
                "redis-server did not answer in time"
            );
            sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("redis-server was running");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
