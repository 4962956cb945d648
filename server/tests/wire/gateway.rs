//! Starting the real binary on free ports, and stopping it.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Duration, timeout};

use crate::bus_tap::BusTap;
use crate::socket::Socket;

pub const SECRET: &str = "a secret for the wire tests";
pub const PASSWORD: &str = "open sesame";
/// How long anything may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Gateway {
    pub port: u16,
    pub bus: Option<String>,
    pub child: Child,
    pub admin_link: Option<String>,
    _state: tempfile::TempDir,
}

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    // Flags have environment variables of the same name: none may come from outside.
    command
        .env_clear()
        .env("DATA_DIR", "none")
        // No folder outside of a test's own is written to.
        .env("DEBUG_LOG_DIR", "none")
        .kill_on_drop(true);
    command
}

impl Gateway {
    pub async fn start() -> Self {
        Self::with(&["--jwt-secret", SECRET, "--admin-password", PASSWORD], "").await
    }

    /// With these flags, and this configuration file unless it is empty.
    pub async fn with(flags: &[&str], config: &str) -> Self {
        Self::with_console(flags, config, Stdio::inherit()).await
    }

    /// The same with what it says on its console.
    pub async fn with_console(flags: &[&str], config: &str, console: Stdio) -> Self {
        Self::started_by(command(), flags, config, console).await
    }

    /// The same in a shell that has said `ulimit` with these words before.
    pub async fn limited(ulimit: &str, flags: &[&str], console: Stdio) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell
            .env_clear()
            .envs(
                command()
                    .as_std()
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .kill_on_drop(true)
            .args(["-c", &format!("ulimit {ulimit} && exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_tidegate"));
        Self::started_by(shell, flags, "", console).await
    }

    async fn started_by(
        mut command: Command,
        flags: &[&str],
        config: &str,
        console: Stdio,
    ) -> Self {
        let state = tempfile::tempdir().unwrap();
        command.args(["serve", "--port", "0"]).args(flags);
        if !flags.contains(&"--log") {
            command.args(["--log", "error"]);
        }
        if !flags.contains(&"--redis-url") && !flags.contains(&"--bus-listen") {
            command.args(["--bus-listen", "127.0.0.1:0"]);
        }
        if !flags.contains(&"--data-dir") {
            command.arg("--data-dir").arg(state.path());
        }
        if !config.is_empty() {
            let path = state.path().join("tidegate.toml");
            std::fs::write(&path, config).unwrap();
            command.arg("--config").arg(path);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(console)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = async || {
            timeout(PATIENCE, lines.next_line())
                .await
                .unwrap()
                .unwrap()
                .unwrap()
        };
        let first = next().await;
        let port = first.rsplit(':').next().unwrap().parse().unwrap();
        let bus = next().await.split_once(" at ").map(|(_, at)| at.to_owned());
        let mut admin_link = None;
        if !flags.contains(&"--admin-password") {
            admin_link = next()
                .await
                .split_once("once): ")
                .map(|(_, link)| link.to_owned());
        }
        Self {
            port,
            bus,
            child,
            admin_link,
            _state: state,
        }
    }

    pub async fn connect(&self) -> Socket {
        Socket::open(self.port, "vsn=2.0.0", &[]).await.unwrap()
    }

    /// A socket that has joined `topic` as `user`; the frames of the join are read.
    pub async fn joined(&self, topic: &str, user: &str) -> Socket {
        let mut socket = self.connect().await;
        let token = token(user, topic);
        socket
            .send(json!(["1", "1", topic, "phx_join", {"token": token}]))
            .await;
        let reply = socket.next().await;
        assert_eq!(reply[4]["status"], "ok", "{reply}");
        socket.expect_event(topic, "presence_state").await;
        socket.until_presence_diff(topic).await;
        // Frames are handled one by one: once this is answered the bus knows of the join too.
        socket.expect_silence().await;
        socket
    }

    pub async fn tap(&self) -> BusTap {
        BusTap::open(self.bus.as_deref().unwrap()).await
    }

    pub async fn terminate(&self) {
        self.signal("TERM").await;
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub async fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.await.unwrap().success());
    }
}

/// A token signed with [`SECRET`], good for ten minutes.
pub fn token(id: &str, channel: &str) -> String {
    signed(
        &json!({"id": id, "channel": channel, "exp": now() + 600}),
        SECRET,
        jsonwebtoken::Algorithm::HS256,
    )
}

pub fn signed(claims: &Value, secret: &str, algorithm: jsonwebtoken::Algorithm) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::new(algorithm), claims, &key).unwrap()
}

pub fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
