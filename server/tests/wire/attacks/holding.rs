//! Holding places: connections that do not read, say nothing, or are more than one address may have.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::time::timeout;

use super::Target;
use crate::gateway::PATIENCE;
use crate::http_api::raw;

/// More than the kernel keeps for a client that does not read.
const LARGE: u64 = 12 << 20;

impl Target {
    /// A connection from an address of this machine, which has room for little.
    async fn from(&self, address: [u8; 4]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((address, 0))).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let gateway = SocketAddr::from(([127, 0, 0, 1], self.gateway.port));
        socket.connect(gateway).await.unwrap()
    }

    async fn shows(&self, line: &str) -> bool {
        let (_, _, page) = raw(&self.gateway, "GET", "/metrics", &[], None).await;
        page.lines().any(|said| said == line)
    }

    async fn until_it_shows(&self, line: &str) {
        let asking = async { while !self.shows(line).await {} };
        timeout(PATIENCE, asking).await.expect(line);
    }
}

/// Half a request, which holds a place until its time is over.
const HALF: &[u8] = b"GET /healthz HTTP/1.1\r\nhost:";

/// Whoever asks for much and reads nothing is cut: those who come later are served, WebSockets too,
/// and who was there notices nothing.
#[tokio::test]
async fn who_does_not_read_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("large.bin")).unwrap();
    file.set_len(LARGE).unwrap();
    let mut target = Target::with(&[
        "--static-path",
        folder.path().to_str().unwrap(),
        "--max-http-connections",
        "4",
        "--http-write-seconds",
        "1",
    ])
    .await;
    let mut greedy = Vec::new();
    for _ in 0..12 {
        let mut stream = target.from([127, 0, 0, 1]).await;
        let asks = b"GET /large.bin HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(asks).await.unwrap();
        greedy.push(stream);
    }
    // Every place is taken three times over; this one comes behind them.
    timeout(PATIENCE, target.unharmed()).await.expect("room");
    target.until_it_shows("tidegate_http_unread_total 12").await;
    for mut stream in greedy {
        let mut said = Vec::new();
        // Cut, not closed: what was on its way is thrown away.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut said))
            .await
            .unwrap();
        assert!((said.len() as u64) < LARGE, "{}", said.len());
    }
}

/// Whoever reads slowly, but reads, gets all of it.
#[tokio::test]
async fn a_slow_reader_gets_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("large.bin")).unwrap();
    file.set_len(LARGE).unwrap();
    let flags = [
        "--static-path",
        folder.path().to_str().unwrap(),
        "--http-write-seconds",
        "5",
    ];
    let target = Target::with(&flags).await;
    let mut stream = target.from([127, 0, 0, 1]).await;
    let asks = b"GET /large.bin HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream.write_all(asks).await.unwrap();
    let (mut read, mut part) = (0_u64, vec![0; 1 << 20]);
    loop {
        let length = timeout(PATIENCE, stream.read(&mut part))
            .await
            .unwrap()
            .unwrap();
        if length == 0 {
            break;
        }
        read += length as u64;
        tokio::time::sleep(Duration::from_micros(length as u64 / 4)).await;
    }
    assert!(read > LARGE, "{read}");
    assert!(target.shows("tidegate_http_unread_total 0").await);
}

/// A connection that was answered and asks nothing more is closed like one that never asked.
#[tokio::test]
async fn idle_connections_make_room() {
    let flags = ["--max-http-connections", "2", "--http-head-seconds", "1"];
    let mut target = Target::with(&flags).await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut stream = target.from([127, 0, 0, 1]).await;
        let asks = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(asks).await.unwrap();
        let mut said = [0; 12];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 200");
        idle.push(stream);
    }
    timeout(PATIENCE, target.unharmed()).await.expect("room");
    for mut stream in idle {
        let mut rest = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut rest))
            .await
            .unwrap()
            .unwrap();
    }
}

/// One address has a share of the places and no more; what became a WebSocket is not counted, and the
/// others are served meanwhile.
#[tokio::test]
async fn an_address_has_a_share() {
    let flags = [
        "--max-http-connections-per-address",
        "2",
        "--http-head-seconds",
        "600",
    ];
    let mut target = Target::with(&flags).await;
    let _sockets = [
        target.gateway.connect().await,
        target.gateway.connect().await,
    ];
    let here = [127, 78, 0, 1];
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = target.from(here).await;
        stream.write_all(HALF).await.unwrap();
        held.push(stream);
    }
    let mut refused = target.from(here).await;
    let mut said = String::new();
    timeout(PATIENCE, refused.read_to_string(&mut said))
        .await
        .unwrap()
        .unwrap();
    assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
    assert!(said.contains("retry-after: 1"), "{said}");
    assert!(
        said.contains("Too many connections of this address"),
        "{said}"
    );
    target.unharmed().await;
    target.until_it_shows("tidegate_http_refused_total 1").await;
    drop(held);
    let again = async {
        loop {
            let mut stream = target.from(here).await;
            let asks = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
            let mut said = String::new();
            let asked = stream.write_all(asks).await;
            if asked.is_ok()
                && stream.read_to_string(&mut said).await.is_ok()
                && said.contains(" 200 ")
            {
                return;
            }
        }
    };
    timeout(PATIENCE, again).await.expect("its share again");
}

/// A trusted proxy and the Unix socket stand for many: their share is no bound.
#[tokio::test]
async fn proxies_and_the_unix_socket_stand_for_many() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let flags = [
        "--max-http-connections-per-address",
        "1",
        "--trusted-proxy",
        "127.78.0.0/16",
        "--unix-socket",
        path.to_str().unwrap(),
    ];
    let target = Target::with(&flags).await;
    let asks = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let (mut proxied, mut local) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        proxied.push(target.from([127, 78, 0, 1]).await);
        local.push(UnixStream::connect(&path).await.unwrap());
    }
    for stream in &mut proxied {
        stream.write_all(HALF).await.unwrap();
    }
    for stream in &mut local {
        stream.write_all(HALF).await.unwrap();
    }
    let mut said = [String::new(), String::new()];
    let mut last = target.from([127, 78, 0, 1]).await;
    last.write_all(asks).await.unwrap();
    last.read_to_string(&mut said[0]).await.unwrap();
    let mut last = UnixStream::connect(&path).await.unwrap();
    last.write_all(asks).await.unwrap();
    last.read_to_string(&mut said[1]).await.unwrap();
    for said in said {
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    }
}
