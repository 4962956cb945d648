//! A real Redis as the bus: killed and started again under load (A16, S4).

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::{Child, Command};

use crate::bus_tap::BusTap;
use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, token};
use crate::socket::ok;

pub struct Redis {
    port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl Redis {
    pub async fn start() -> Self {
        let port = tidegate_testing::free_port();
        let folder = tempfile::tempdir().unwrap();
        let child = Self::spawn(port, &folder);
        let mut redis = Self {
            port,
            folder,
            child,
        };
        redis.ready().await;
        redis
    }

    fn spawn(port: u16, folder: &tempfile::TempDir) -> Child {
        Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--port",
                &port.to_string(),
                "--dir",
            ])
            .arg(folder.path())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is installed")
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    async fn ready(&mut self) {
        let client = redis::Client::open(format!("redis://{}/", self.address())).unwrap();
        let connected = async {
            while client.get_multiplexed_async_connection().await.is_err() {
                let ended = self.child.try_wait().unwrap();
                assert!(ended.is_none(), "redis-server ended: {ended:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, connected)
            .await
            .expect("Redis answers");
    }

    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Stops and continues it, for instance.
    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.await.unwrap().success());
    }

    pub async fn restart(&mut self) {
        self.child = Self::spawn(self.port, &self.folder);
        self.ready().await;
    }
}

pub async fn gateway_on(redis: &Redis) -> Gateway {
    gateway_with(redis, &[], "").await
}

/// The same with more flags, and this configuration file unless it is empty.
pub async fn gateway_with(redis: &Redis, more: &[&str], config: &str) -> Gateway {
    let url = format!("redis://{}/", redis.address());
    let flags = [
        "--redis-url",
        &url,
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
    ];
    Gateway::with(&[&flags[..], more].concat(), config).await
}

/// A5: many pushes that arrive in one piece wait one after the other, and are answered in order.
#[tokio::test]
async fn pushes_that_arrive_together_are_answered_in_order() {
    let redis = Redis::start().await;
    let gateway = gateway_on(&redis).await;
    let mut socket = gateway.joined_when_up("room", "alice").await;
    let mut together = Vec::new();
    for n in 0..500 {
        let push = json!(["1", n, "room", "said", {}]).to_string();
        // A mask of zeroes changes nothing.
        together.extend([0x81, 0x80 | push.len() as u8, 0, 0, 0, 0]);
        together.extend(push.as_bytes());
    }
    socket.send_raw(&together).await;
    for n in 0..500 {
        socket.expect(ok(json!("1"), json!(n), "room")).await;
    }
}

/// A16: sockets stay open, pushes meanwhile are refused with the reason, deliveries resume.
#[tokio::test]
async fn a_lost_redis_is_refused_in_words_and_found_again() {
    let mut redis = Redis::start().await;
    let gateway = gateway_on(&redis).await;
    let mut socket = gateway.joined_when_up("room", "alice").await;

    for _ in 0..3 {
        redis.kill().await;
        let mut n = 0;
        loop {
            n += 1;
            let answer = socket.ask(json!(["1", n, "room", "event", {}])).await;
            if answer[4]["status"] == "error" {
                assert_eq!(answer[4]["response"]["reason"], "bus unavailable");
                break;
            }
        }
        let other = socket.ask(json!(["2", "2", "host", "phx_join", {}])).await;
        assert_eq!(other[4]["status"], "ok", "joins go on: {other}");
        redis.restart().await;
        while socket.ask(json!(["1", "again", "room", "event", {}])).await[4]["status"] != "ok" {}
        // The subscription may come back after the publisher: publish until it is heard.
        let mut tap = BusTap::open(&redis.address()).await;
        while tap.publish("to:room:back", "1").await == 0 {}
        let mut frame = socket.next().await;
        while frame[3] != "back" {
            frame = socket.next().await;
        }
        socket
            .send(json!(["2", "3", "host", "phx_leave", {}]))
            .await;
        while socket.next().await[3] != "phx_close" {}
    }
}

/// A10: who left while the bus was away is told of when it is back.
#[tokio::test]
async fn leaves_are_told_when_the_bus_is_back() {
    let mut redis = Redis::start().await;
    let gateway = gateway_on(&redis).await;
    let mut stays = gateway.joined_when_up("room", "stays").await;
    let mut tap = BusTap::open(&redis.address()).await;
    let leaves = gateway.joined("room", "leaves").await;
    while tap.next().await.0 != "from:room:phx_join" {}
    redis.kill().await;
    while stays.ask(json!(["1", "n", "room", "event", {}])).await[4]["status"] != "error" {}
    drop(leaves);
    loop {
        let frame = stays.next().await;
        if frame[3] == "presence_diff" && frame[4]["leaves"]["leaves"].is_object() {
            break;
        }
    }
    // The gateway stands still until somebody listens to what it has to tell.
    gateway.signal("STOP").await;
    redis.restart().await;
    let mut tap = BusTap::open(&redis.address()).await;
    gateway.signal("CONT").await;
    let (name, body) = tap.next().await;
    assert_eq!(
        name,
        "from:room:phx_leave",
        "{}",
        String::from_utf8_lossy(&body)
    );
}

/// It starts without Redis, shows the bus as down, and recovers (issue, part 3).
#[tokio::test]
async fn an_unreachable_redis_at_start_is_a_state() {
    let mut redis = Redis::start().await;
    redis.kill().await;
    let gateway = gateway_on(&redis).await;
    let mut socket = gateway.joined("room", "alice").await;
    let answer = socket.ask(json!(["1", "2", "room", "event", {}])).await;
    assert_eq!(answer[4]["response"]["reason"], "bus unavailable");
    redis.restart().await;
    let mut answer = answer;
    while answer != ok(json!("1"), json!("3"), "room") {
        answer = socket.ask(json!(["1", "3", "room", "event", {}])).await;
    }
}

impl Gateway {
    /// As `joined`, once the bus is up.
    pub async fn joined_when_up(&self, topic: &str, user: &str) -> crate::socket::Socket {
        let mut socket = self.connect().await;
        let join = json!(["1", "1", topic, "phx_join", {"token": token(user, topic)}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
        socket.expect_event(topic, "presence_state").await;
        socket.until_presence_diff(topic).await;
        while socket.ask(json!(["1", "up", topic, "event", {}])).await[4]["status"] != "ok" {}
        socket
    }
}
