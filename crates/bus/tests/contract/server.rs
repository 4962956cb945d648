//! A real `redis-server` of the test's own.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::stage::eventually;

pub(crate) struct RedisServer {
    pub(crate) port: u16,
    password: Option<&'static str>,
    folder: TempDir,
    child: Option<Child>,
}

impl RedisServer {
    /// Chooses a port; nothing listens there yet.
    pub(crate) fn prepare() -> Self {
        let port = tidegate_testing::free_port();
        let folder = tempfile::tempdir().unwrap();
        Self {
            port,
            password: None,
            folder,
            child: None,
        }
    }

    pub(crate) fn with_password(mut self, password: &'static str) -> Self {
        self.password = Some(password);
        self
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&mut self) {
        assert!(self.child.is_none());
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command
            .args(["--port", &port])
            .arg("--dir")
            .arg(self.folder.path());
        if let Some(password) = self.password {
            command.args(["--requirepass", password]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let child = command
            .spawn()
            .expect("redis-server is needed: install redis-server");
        self.child = Some(child);
        let address = ("127.0.0.1", self.port);
        eventually("redis-server listens", || {
            std::net::TcpStream::connect(address).is_ok()
        })
        .await;
    }

    /// `kill -9`.
    pub(crate) async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// The process hangs, its sockets stay open.
    pub(crate) async fn freeze(&self) {
        self.signal("STOP").await;
    }

    /// It goes on.
    pub(crate) async fn thaw(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().unwrap();
        let kill = format!("kill -{signal} {pid}");
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .await
                .unwrap()
                .success()
        );
    }
}
