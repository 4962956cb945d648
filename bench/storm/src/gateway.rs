//! A gateway of the trial's own: started with its flags, watched, stopped.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::error::StormError;
use crate::process::Process;

/// What signs an administrator in.
pub(crate) const PASSWORD: &str = "a password for trials";

/// The channels of every trial. Presence is off where deliveries are counted, and on where it is
/// part of the trial.
const CHANNELS: &str = r#"
[[channels]]
pattern = "close"
join = "public"
presence = "off"

[[channels]]
pattern = "oldest"
join = "public"
presence = "off"
overflow = "drop-oldest"

[[channels]]
pattern = "latest"
join = "public"
presence = "off"
overflow = "latest-only"

[[channels]]
pattern = "witness"
join = "public"
presence = "off"
relay = true

[[channels]]
pattern = "room:*"
join = "public"
relay = true
"#;

/// A running gateway; it ends when this is dropped.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    /// Where the in-process bus listens.
    pub(crate) bus: Option<SocketAddr>,
    pub(crate) process: Process,
    child: Child,
    log: PathBuf,
    _state: TempDir,
}

impl Gateway {
    /// Starts `program` with these flags beside the usual ones, and waits until it listens.
    pub(crate) fn start(program: &Path, flags: &[&str]) -> Result<Self, StormError> {
        let state = tempfile::tempdir().map_err(StormError::system("a folder for the state"))?;
        let config = state.path().join("tidegate.toml");
        let log = state.path().join("log");
        std::fs::write(&config, CHANNELS).map_err(StormError::system("the configuration"))?;
        let complaints = std::fs::File::create(&log).map_err(StormError::system("the log"))?;
        let mut command = with_us(program);
        // Flags have environment variables of the same name: none may come from outside.
        command
            .env_clear()
            .args(["serve", "--host", "127.0.0.1", "--port", "0"])
            .args(["--log", "warn", "--admin-password", PASSWORD])
            .arg("--config")
            .arg(&config)
            .arg("--data-dir")
            .arg(state.path());
        if !flags.contains(&"--redis-url") {
            command.args(["--bus-listen", "127.0.0.1:0"]);
        }
        let child = command
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .spawn()
            .map_err(|source| StormError::Start {
                program: program.to_owned(),
                source,
            })?;
        let mut gateway = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            bus: None,
            process: Process { pid: child.id() },
            child,
            log,
            _state: state,
        };
        gateway.read_addresses()?;
        Ok(gateway)
    }

    fn read_addresses(&mut self) -> Result<(), StormError> {
        let Some(stdout) = self.child.stdout.take() else {
            return Err(StormError::NotReady("it has no output".to_owned()));
        };
        let mut lines = BufReader::new(stdout).lines();
        let mut next = || lines.next().and_then(Result::ok);
        let said = next().zip(next());
        let Some((web, bus)) = said else {
            return Err(StormError::NotReady(self.log()));
        };
        self.address = web
            .rsplit("http://")
            .next()
            .and_then(|address| address.trim().trim_end_matches('/').parse().ok())
            .ok_or_else(|| StormError::NotReady(web.clone()))?;
        self.bus = bus
            .rsplit_once(" at ")
            .and_then(|(_, at)| at.trim().parse().ok());
        Ok(())
    }

    /// Where the in-process bus listens.
    pub(crate) fn bus(&self) -> Result<SocketAddr, StormError> {
        self.bus
            .ok_or_else(|| StormError::NotReady("it has no bus of its own".to_owned()))
    }

    /// What it complained of so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How often it panicked so far.
    pub(crate) fn panics(&self) -> u64 {
        self.log().matches("panicked at").count() as u64
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that the kernel ends when this program is killed and cannot.
pub(crate) fn with_us(program: &Path) -> Command {
    let helper = Path::new("/usr/bin/setpriv");
    if !helper.exists() {
        return Command::new(program);
    }
    let mut command = Command::new(helper);
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}
