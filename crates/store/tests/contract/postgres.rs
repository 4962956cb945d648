//! A PostgreSQL server of the tests' own, on a free port, with a database for each test. It ends
//! with the program that started it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::process::{Child, Command};

/// A server, stopped when it is dropped.
pub struct Server {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

/// Where the server's programs are: Debian keeps them off the path.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_default()
}

/// PostgreSQL does not run as root: then it is `nobody`.
fn command(program: &str) -> Command {
    let path = programs().join(program);
    let mut command = Command::new("setpriv");
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    // It goes when the tests go, however they do.
    command.args(["--pdeathsig", "KILL"]).arg(path);
    command
}

impl Server {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // `nobody` must get in.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let made = command("initdb")
            .args([
                "--auth=trust",
                "--username=tidegate",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .arg("--pgdata")
            .arg(folder.path().join("data"))
            .stdout(Stdio::null())
            .status()
            .await
            .expect("PostgreSQL is installed");
        assert!(made.success(), "initdb");
        let port = tidegate_testing::free_port();
        let mut server = Self {
            folder,
            port,
            child: None,
        };
        server.run().await;
        server
    }

    /// Starts the server again after [`Server::kill`].
    pub async fn run(&mut self) {
        let folder: &Path = self.folder.path();
        let child = command("postgres")
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-F"])
            .args(["-c", "max_connections=200"])
            .arg("-k")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let patience = tokio::time::timeout(Duration::from_secs(60), async {
            while sqlx::any::AnyPoolOptions::new()
                .acquire_timeout(Duration::from_secs(1))
                .connect(&self.url("postgres"))
                .await
                .is_err()
            {}
        });
        sqlx::any::install_default_drivers();
        patience.await.expect("PostgreSQL answers");
    }

    /// As a machine that loses its power.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
        // Its children leave by themselves; a new server refuses to start before they have.
        let _ = std::fs::remove_file(self.folder.path().join("data/postmaster.pid"));
    }

    /// The process that the others are children of.
    #[allow(dead_code, reason = "the tests of the gateway need it")]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("it runs")
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://tidegate@127.0.0.1:{}/{database}", self.port)
    }
}

/// Makes a database on the server whose database `postgres` this is, and gives its address.
pub async fn create(server: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"));
    sqlx::raw_sql(create).execute(&pool).await.unwrap();
    pool.close().await;
    server.replace("/postgres", &format!("/{name}"))
}

/// A database on the server that all tests share.
pub async fn database() -> String {
    static SHARED: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    let server = SHARED.get_or_init(|| async {
        // In a thread of its own: the runtime of the test that came first ends before the others.
        let (started, ready) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let server = Server::start().await;
                started.send(server.url("postgres")).unwrap();
                std::future::pending::<()>().await;
            });
        });
        ready.await.unwrap()
    });
    create(server.await).await
}
