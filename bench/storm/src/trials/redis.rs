//! A real Redis that is killed and started a hundred times, hangs, is full, is slow and is
//! replaced: sockets stay, pushes meanwhile are refused in words, deliveries resume, nothing grows.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::client::{Client, within};
use crate::error::StormError;
use crate::gateway::Gateway;
use crate::latencies::Latencies;
use crate::listeners::number;
use crate::process::returned;
use crate::redis_server::{RedisServer, SlowProxy, free_address};
use crate::report::Report;
use crate::resp::Resp;

const TOPIC: &str = "close";
/// Sockets that must live through all of it.
const CROWD: usize = 20;
/// When pushes must be refused after the bus is lost: the gateway waits two seconds for an answer.
const NOTICED: Duration = Duration::from_secs(5);
/// When they must be taken again: the longest pause between two tries is two seconds.
const RECOVERED: Duration = Duration::from_secs(5);
/// How late the slow way passes things on, in each direction.
const SLOW: Duration = Duration::from_millis(200);
/// Connections to Redis at any time.
const CONNECTIONS: u64 = 8;

pub(crate) async fn run(program: &Path, cycles: u32) -> Result<Report, StormError> {
    let mut report = Report::new("redis");
    let redis = RedisServer::start(free_address()?).await?;
    let url = format!("redis://{}/", redis.address);
    let flags = ["--redis-url", &url, "--idle-seconds", "3600"];
    let gateway = Gateway::start(program, &flags)?;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut client = Client::connect(gateway.address).await?;
        client.join(TOPIC).await?;
        crowd.push(client);
    }
    let mut bus = Lives {
        gateway,
        redis: Some(redis),
        crowd,
        number: 0,
        connections: 0,
        noticed: Latencies::new()?,
        recovered: Latencies::new()?,
    };
    bus.resumes().await?;

    let warm = cycles / 10 + 1;
    let mut before = (0, 0);
    for cycle in 1..=cycles {
        match cycle % 25 {
            12 => bus.hangs().await?,
            _ => bus.dies().await?,
        }
        if cycle == warm {
            before = (
                bus.gateway.process.descriptors()?,
                bus.gateway.process.resident()?,
            );
        }
    }
    let process = bus.gateway.process;
    let descriptors = process.close_down(before.0, Duration::from_secs(5)).await?;
    let most = returned(before.1);
    let memory = process.settle(most, Duration::from_secs(10)).await?;
    let full = bus.is_full().await?;
    let slow = bus.is_slow().await?;
    bus.is_replaced().await?;

    report.exactly(
        "cycles that were lived through",
        u64::from(cycles),
        u64::from(cycles),
    );
    report.exactly("sockets that stayed", bus.crowd.len() as u64, CROWD as u64);
    report.time("until pushes are refused", bus.noticed.most(), NOTICED);
    report.time(
        "until they are taken again",
        bus.recovered.most(),
        RECOVERED,
    );
    report.at_most("connections to Redis", bus.connections, CONNECTIONS);
    report.at_most(
        "file descriptors after the cycles",
        descriptors as u64,
        before.0 as u64,
    );
    report.memory("memory after the cycles", memory, most);
    report.time(
        "a heartbeat beside a slow push",
        slow,
        Duration::from_millis(100),
    );
    report.exactly("panics", bus.gateway.panics(), 0);
    report.figure("refused after", bus.noticed.in_words());
    report.figure("taken again after", bus.recovered.in_words());
    report.figure("a push while Redis is full", full);
    Ok(report.end())
}

/// The gateway, its Redis, and those who are connected.
struct Lives {
    gateway: Gateway,
    redis: Option<RedisServer>,
    crowd: Vec<Client>,
    number: u64,
    connections: u64,
    noticed: Latencies,
    recovered: Latencies,
}

impl Lives {
    /// Killed, noticed, started again.
    async fn dies(&mut self) -> Result<(), StormError> {
        let Some(redis) = self.redis.take() else {
            return Err(StormError::Bus("there is no Redis".to_owned()));
        };
        let address = redis.address;
        drop(redis);
        self.is_noticed().await?;
        self.redis = Some(RedisServer::start(address).await?);
        self.resumes().await
    }

    /// Five seconds without an answer.
    async fn hangs(&mut self) -> Result<(), StormError> {
        let until = Instant::now() + Duration::from_secs(5);
        if let Some(redis) = &self.redis {
            redis.freeze()?;
        }
        self.is_noticed().await?;
        tokio::time::sleep_until(until).await;
        if let Some(redis) = &self.redis {
            redis.thaw()?;
        }
        self.resumes().await
    }

    /// No memory left; what is published takes none.
    async fn is_full(&mut self) -> Result<String, StormError> {
        let mut redis = self.redis_client().await?;
        redis.ask(&[b"CONFIG", b"SET", b"maxmemory", b"1"]).await?;
        let reply = self.push().await?;
        redis.ask(&[b"CONFIG", b"SET", b"maxmemory", b"0"]).await?;
        self.resumes().await?;
        Ok(reply.to_string())
    }

    /// Behind a slow way; gives how long a heartbeat takes while a push waits for the bus.
    async fn is_slow(&mut self) -> Result<Duration, StormError> {
        let Some(redis) = self.redis.take() else {
            return Err(StormError::Bus("there is no Redis".to_owned()));
        };
        let address = redis.address;
        drop(redis);
        self.is_noticed().await?;
        let far = RedisServer::start(free_address()?).await?;
        let proxy = SlowProxy::start(address, far.address, SLOW).await?;
        self.redis = Some(far);
        self.resumes().await?;
        let mut other = Client::connect(self.gateway.address).await?;
        let (reply, beat) = tokio::join!(self.push(), async {
            let began = Instant::now();
            other.heartbeat().await.map(|()| began.elapsed())
        });
        if reply?["status"] != "ok" {
            return Err(StormError::Bus("a slow push was refused".to_owned()));
        }
        drop(proxy);
        self.redis = None;
        self.is_noticed().await?;
        self.redis = Some(RedisServer::start(address).await?);
        self.resumes().await?;
        beat
    }

    /// Another server takes the address over at once, as after a failover.
    async fn is_replaced(&mut self) -> Result<(), StormError> {
        for _ in 0..5 {
            let Some(redis) = self.redis.take() else {
                return Err(StormError::Bus("there is no Redis".to_owned()));
            };
            let address = redis.address;
            drop(redis);
            self.redis = Some(RedisServer::start(address).await?);
            self.resumes().await?;
        }
        Ok(())
    }

    /// Pushes until one is refused in words; every one is answered.
    async fn is_noticed(&mut self) -> Result<(), StormError> {
        let began = Instant::now();
        loop {
            let reply = self.push().await?;
            if reply["response"]["reason"] == "bus unavailable" {
                self.noticed.record(began.elapsed());
                return Ok(());
            }
            if reply["status"] != "ok" {
                return Err(StormError::Bus(reply.to_string()));
            }
        }
    }

    /// Pushes until one is taken, and publishes until every socket has it.
    async fn resumes(&mut self) -> Result<(), StormError> {
        let began = Instant::now();
        let end = began + Duration::from_secs(20);
        while self.push().await?["status"] != "ok" {
            if Instant::now() > end {
                return Err(StormError::Late {
                    what: "the bus".to_owned(),
                    seconds: 20,
                });
            }
            sleep(Duration::from_millis(2)).await;
        }
        let mut redis = self.redis_client().await?;
        self.number += 1;
        let number = self.number;
        let body = format!(r#"{{"n":{number}}}"#);
        let name = format!("to:{TOPIC}:news");
        while redis.publish(&name, body.as_bytes()).await? == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        for client in &mut self.crowd {
            within(Duration::from_secs(10), "a delivery", async {
                while self::number(&client.message().await?) != Some(number) {}
                Ok(())
            })
            .await?;
        }
        self.recovered.record(began.elapsed());
        // The one that asks is none of the gateway's.
        let list = redis.ask(&[b"CLIENT", b"LIST"]).await?;
        let others = list.lines().filter(|line| line.contains("id=")).count() - 1;
        self.connections = self.connections.max(others as u64);
        Ok(())
    }

    async fn push(&mut self) -> Result<Value, StormError> {
        match self.crowd.first_mut() {
            Some(client) => client.push("p", TOPIC, "{}").await,
            None => Err(StormError::Lost("nobody is there".to_owned())),
        }
    }

    async fn redis_client(&self) -> Result<Resp, StormError> {
        match &self.redis {
            Some(redis) => Resp::connect(redis.address).await,
            None => Err(StormError::Bus("there is no Redis".to_owned())),
        }
    }
}
