//! A real redis-server that is killed, frozen, filled, and replaced; and a slow way to it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::error::StormError;
use crate::gateway::with_us;
use crate::resp::Resp;

/// How long it may take to answer its first ping.
const START: Duration = Duration::from_secs(10);

/// One server; it ends when this is dropped.
pub(crate) struct RedisServer {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts one at this address and waits until it answers.
    pub(crate) async fn start(address: SocketAddr) -> Result<Self, StormError> {
        let folder = tempfile::tempdir().map_err(StormError::system("a folder for Redis"))?;
        let child = with_us(Path::new("redis-server"))
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &address.port().to_string(), "--dir"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(StormError::system("redis-server"))?;
        let server = Self {
            address,
            child,
            _folder: folder,
        };
        let end = Instant::now() + START;
        loop {
            let answered = async { Resp::connect(address).await?.ask(&[b"PING"]).await };
            match answered.await {
                Ok(_) => return Ok(server),
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// It stands still with its sockets open.
    pub(crate) fn freeze(&self) -> Result<(), StormError> {
        self.signal(Signal::STOP)
    }

    /// It goes on.
    pub(crate) fn thaw(&self) -> Result<(), StormError> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), StormError> {
        Pid::from_raw(self.child.id().cast_signed())
            .ok_or(rustix::io::Errno::SRCH)
            .and_then(|pid| kill_process(pid, signal))
            .map_err(|error| StormError::system("a signal to redis-server")(error.into()))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended already. A frozen process can be killed too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that nobody listens on now.
pub(crate) fn free_address() -> Result<SocketAddr, StormError> {
    tidegate_testing::free_address().map_err(StormError::system("a free port"))
}

/// Passes everything on, late; it ends when this is dropped.
pub(crate) struct SlowProxy(JoinHandle<()>);

impl SlowProxy {
    /// From `here` to `there`, each chunk `late`.
    pub(crate) async fn start(
        here: SocketAddr,
        there: SocketAddr,
        late: Duration,
    ) -> Result<Self, StormError> {
        let listener = tokio::net::TcpListener::bind(here)
            .await
            .map_err(StormError::system("the proxy's port"))?;
        Ok(Self(tokio::spawn(async move {
            // What is passed on ends with the task that owns the set.
            let mut passing = tokio::task::JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                passing.spawn(async move {
                    if let Ok(far) = TcpStream::connect(there).await {
                        let ((a, b), (c, d)) = (near.into_split(), far.into_split());
                        tokio::join!(pass(a, d, late), pass(c, b, late));
                    }
                });
            }
        })))
    }
}

impl Drop for SlowProxy {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, late: Duration) {
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        sleep(late).await;
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}
