//! A16: losing Redis, and finding it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use redis::AsyncCommands;
use tidegate_bus::{Bus, BusError, Kind, Redis, RedisConfig};
use tidegate_protocol::BusName;
use tokio_util::sync::CancellationToken;

use crate::server::RedisServer;
use crate::stage::{PATIENCE, Recorder, Stage, eventually, redis_config, soon};

fn name(name: &str) -> BusName {
    BusName::parse(name.as_bytes()).unwrap()
}

impl Stage {
    /// Publishes and returns the answer and how long it took.
    async fn try_publish(&self, to: &str) -> (Result<(), BusError>, Duration) {
        let asked = Instant::now();
        let answer = soon(self.bus.publish(name(to), Bytes::from_static(b"1"))).await;
        (answer, asked.elapsed())
    }

    /// Waits until the server has so many clients, the one that asks not counted.
    async fn connections_become(&self, count: usize) {
        let mut client = self.client().await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let list: String = redis::cmd("CLIENT")
                .arg("LIST")
                .query_async(&mut client)
                .await
                .unwrap();
            if list.lines().count() == count + 1 {
                return;
            }
            assert!(Instant::now() < deadline, "{count} expected:\n{list}");
            tokio::task::yield_now().await;
        }
    }

    /// A plugin publishes and the gateway hears it; the gateway publishes.
    async fn works(&self) {
        let mut plugin = self.client().await;
        assert_eq!(
            plugin
                .publish::<_, _, u64>("to:room:x", "again")
                .await
                .unwrap(),
            1
        );
        assert_eq!(self.sink.take_text(1).await, ["room x again"]);
        self.publish("from:room:x", b"again").await;
    }
}

/// A16, S4: killed and started again, three times; what is published meanwhile is refused with
/// the reason, at once.
#[tokio::test]
async fn a_killed_server_is_found_again() {
    let mut stage = Stage::redis().await;
    for _ in 0..3 {
        stage.works().await;
        let since = stage.bus.status().borrow().since;
        stage.server().kill().await;
        let reason = stage.is_down().await;
        assert!(!reason.is_empty());
        for _ in 0..20 {
            let (answer, took) = stage.try_publish("from:room:x").await;
            assert!(
                matches!(answer, Err(BusError::Unavailable(_))),
                "{answer:?}"
            );
            assert!(took < Duration::from_millis(500), "refused after {took:?}");
        }
        let status = stage.bus.status().borrow().clone();
        assert!(status.since > since && status.detail.is_some() && !status.up);
        stage.server().start().await;
        stage.is_up().await;
        stage.connections_become(2).await;
    }
    stage.works().await;
    assert_eq!(stage.bus.counters().connects, 4);
    assert!(stage.bus.status().borrow().detail.is_none());
}

/// S4: a gateway that starts before its Redis joins it as soon as it is there.
#[tokio::test]
async fn a_server_that_comes_late_is_found() {
    let server = RedisServer::prepare();
    let mut stage = Stage::redis_with(redis_config(server.port), server);
    let status = stage.bus.status().borrow().clone();
    assert_eq!((status.kind, status.up), (Kind::Redis, false));
    let (answer, _) = stage.try_publish("from:room:x").await;
    assert!(
        matches!(answer, Err(BusError::Unavailable(_))),
        "{answer:?}"
    );
    soon(
        stage
            .bus
            .status()
            .wait_for(|s| s.detail.as_ref().unwrap().contains("refused")),
    )
    .await
    .unwrap();
    stage.server().start().await;
    stage.is_up().await;
    stage.works().await;
}

/// A16: under load every publish is answered, none hangs and none is swallowed: what was taken
/// after the last restart has arrived, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_publish_is_answered() {
    let mut stage = Stage::redis().await;
    let (settled, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (taken, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let publisher = |room: usize| {
        let (bus, settled, done) = (stage.bus.clone(), settled.clone(), done.clone());
        let (taken, refused) = (taken.clone(), refused.clone());
        tokio::spawn(async move {
            let to = name(&format!("to:room{room}:x"));
            let mut must_arrive = Vec::new();
            for number in 0.. {
                let settled = settled.load(Ordering::Relaxed);
                let body = Bytes::from(format!("{number}"));
                if bus.publish(to.clone(), body.clone()).await.is_ok() {
                    taken.fetch_add(1, Ordering::Relaxed);
                    if settled {
                        must_arrive.push(body);
                    }
                } else {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
                if done.load(Ordering::Relaxed) {
                    break;
                }
                tokio::task::yield_now().await;
            }
            (to.topic, must_arrive)
        })
    };
    let publishers: Vec<_> = (0..50).map(publisher).collect();
    let more = async |counter: &AtomicUsize, what: &str| {
        let before = counter.load(Ordering::Relaxed);
        eventually(what, || counter.load(Ordering::Relaxed) > before + 500).await;
    };
    for _ in 0..2 {
        more(&taken, "events flow").await;
        stage.server().kill().await;
        stage.is_down().await;
        more(&refused, "events are refused").await;
        stage.server().start().await;
        stage.is_up().await;
    }
    settled.store(true, Ordering::Relaxed);
    more(&taken, "events flow").await;
    done.store(true, Ordering::Relaxed);
    for publisher in publishers {
        let (topic, must_arrive) = soon(publisher).await.unwrap();
        let arrived = || {
            let events = stage.sink.events.lock();
            let bodies = events
                .iter()
                .filter(|e| e.topic == topic)
                .map(|e| e.body.clone());
            bodies.collect::<Vec<_>>()
        };
        eventually("what was taken arrives", || {
            arrived().ends_with(&must_arrive)
        })
        .await;
    }
}

/// A server that hangs with its sockets open is noticed by its silence, and found again.
#[tokio::test]
async fn a_hung_server_is_noticed() {
    let stage = Stage::redis().await;
    let server = stage.server.as_ref().unwrap();
    for _ in 0..2 {
        stage.works().await;
        server.freeze().await;
        let reason = stage.is_down().await;
        assert!(
            reason.contains("did not answer a ping within 1s"),
            "{reason}"
        );
        // Also while it tries to connect, which the frozen server neither takes nor refuses.
        loop {
            let (answer, took) = stage.try_publish("from:room:x").await;
            let Err(BusError::Unavailable(reason)) = answer else {
                panic!("{answer:?}")
            };
            assert!(took < Duration::from_millis(500), "refused after {took:?}");
            if reason.contains("did not answer within 1s") {
                break;
            }
            tokio::task::yield_now().await;
        }
        server.thaw().await;
        stage.is_up().await;
        stage.connections_become(2).await;
    }
    stage.works().await;
}

/// Whoever publishes to a hung server before that is noticed is answered within the time-out.
#[tokio::test]
async fn a_publish_that_is_not_answered_times_out() {
    let mut server = RedisServer::prepare();
    server.start().await;
    let config = RedisConfig {
        ping_interval: Duration::from_secs(60),
        publish_timeout: Duration::from_millis(300),
        ..redis_config(server.port)
    };
    let stage = Stage::redis_with(config, server);
    stage.is_up().await;
    let server = stage.server.as_ref().unwrap();
    server.freeze().await;
    let (answer, took) = stage.try_publish("from:room:x").await;
    assert_eq!(answer, Err(BusError::Timeout));
    assert!(took < Duration::from_secs(2), "{took:?}");
    let reason = stage.is_down().await;
    assert!(
        reason.contains("did not answer a publish within 300ms"),
        "{reason}"
    );
    server.thaw().await;
    stage.is_up().await;
    stage.works().await;
}

/// A master that becomes a replica keeps its connections, and reaches nobody beyond itself any
/// more: that is a lost bus, until it is a master again.
#[tokio::test]
async fn a_replica_is_a_lost_bus() {
    let stage = Stage::redis().await;
    let mut master = RedisServer::prepare();
    master.start().await;
    let mut client = stage.client().await;
    let replica_of = async |client: &mut redis::aio::MultiplexedConnection, of: &[&str]| {
        let mut command = redis::cmd("REPLICAOF");
        soon(command.arg(of).exec_async(client)).await.unwrap();
    };
    stage.works().await;
    replica_of(&mut client, &["127.0.0.1", &master.port.to_string()]).await;
    let reason = stage.is_down().await;
    assert!(reason.contains("replica"), "{reason}");
    let (answer, _) = stage.try_publish("from:room:x").await;
    let Err(BusError::Unavailable(reason)) = answer else {
        panic!("{answer:?}")
    };
    assert!(reason.contains("address of the master"), "{reason}");
    // Who connects now finds it out, too.
    let (sink, stop) = (Arc::new(Recorder::default()), CancellationToken::new());
    let late = Redis::start(redis_config(stage.port), sink, stop.clone()).unwrap();
    let mut status = late.status();
    let found_out = status.wait_for(|s| s.detail.as_ref().unwrap().contains("replica"));
    assert!(!soon(found_out).await.unwrap().up);
    assert_eq!(late.counters().connects, 0);
    stop.cancel();
    replica_of(&mut client, &["NO", "ONE"]).await;
    drop(client);
    stage.is_up().await;
    stage.works().await;
    assert_eq!(stage.bus.counters().connects, 2);
}

/// Where the role may not be asked, the server is taken for what it was given as.
#[tokio::test]
async fn who_may_not_ask_for_the_role_carries_on() {
    let mut server = RedisServer::prepare();
    server.start().await;
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", server.port)).unwrap();
    let mut client = soon(client.get_multiplexed_async_connection())
        .await
        .unwrap();
    let rules = ["SETUSER", "default", "-role"];
    redis::cmd("ACL")
        .arg(&rules)
        .exec_async(&mut client)
        .await
        .unwrap();
    let stage = Stage::redis_with(redis_config(server.port), server);
    stage.is_up().await;
    let refused = async || {
        let info = redis::cmd("INFO").arg("commandstats").clone();
        let mut client = stage.client().await;
        let info: String = info.query_async(&mut client).await.unwrap();
        let line = info.lines().find(|line| line.starts_with("cmdstat_role:"));
        let count = line.and_then(|line| line.split("rejected_calls=").nth(1));
        count.map_or(0, |count| count.split(',').next().unwrap().parse().unwrap())
    };
    let deadline = Instant::now() + PATIENCE;
    while refused().await < 4 {
        assert!(Instant::now() < deadline, "it does not ask");
    }
    stage.works().await;
    assert_eq!(stage.bus.counters().connects, 1);
}

/// However often either connection is lost, there are two of them; the loss is seen at once,
/// without a ping.
#[tokio::test]
async fn no_connection_is_left_behind() {
    let mut server = RedisServer::prepare();
    server.start().await;
    let ping_interval = Duration::from_secs(60);
    let config = RedisConfig {
        ping_interval,
        ..redis_config(server.port)
    };
    let stage = Stage::redis_with(config, server);
    stage.is_up().await;
    stage.connections_become(2).await;
    for round in 1..=10 {
        let kind = if round % 2 == 0 { "pubsub" } else { "normal" };
        let mut client = stage.client().await;
        let killed: u64 = redis::cmd("CLIENT")
            .arg(&["KILL", "TYPE", kind, "SKIPME", "yes"])
            .query_async(&mut client)
            .await
            .unwrap();
        assert_eq!(killed, 1, "one {kind} connection beside the one that asks");
        drop(client);
        eventually("connected again", || {
            stage.bus.counters().connects == 1 + round
        })
        .await;
        stage.is_up().await;
        stage.connections_become(2).await;
    }
    stage.works().await;
}

/// The password is used and never shown; a wrong one is a reason in words.
#[tokio::test]
async fn the_password_stays_secret() {
    let mut server = RedisServer::prepare().with_password("hunter2");
    server.start().await;
    let config = |password: &str| RedisConfig {
        url: format!("redis://:{password}@127.0.0.1:{}", server.port),
        ..redis_config(server.port)
    };
    let (right, wrong) = (config("hunter2"), config("hunter3"));
    let port = server.port;
    let stage = Stage::redis_with(wrong, server);
    let mut status = stage.bus.status();
    let status = soon(status.wait_for(|s| s.detail.as_ref().unwrap().contains("password"))).await;
    let status = status.unwrap().clone();
    assert_eq!(status.address, Some(format!("127.0.0.1:{port}")));
    assert!(!format!("{status:?}").contains("hunter"), "{status:?}");
    let (answer, _) = stage.try_publish("from:room:x").await;
    assert!(!answer.unwrap_err().to_string().contains("hunter"));

    let (sink, stop) = (Arc::new(Recorder::default()), CancellationToken::new());
    let bus = Redis::start(right, sink.clone(), stop.clone()).unwrap();
    soon(bus.status().wait_for(|s| s.up)).await.unwrap();
    soon(bus.publish(name("to:room:x"), Bytes::from_static(b"1")))
        .await
        .unwrap();
    assert_eq!(sink.take_text(1).await, ["room x 1"]);
    assert!(!format!("{:?}", bus.status().borrow().clone()).contains("hunter"));
    stop.cancel();
    soon(bus.stopped()).await;
}

/// S4: gateways on one Redis act as one: each hears everything once, itself included.
#[tokio::test]
async fn two_gateways_act_as_one() {
    let stage = Stage::redis().await;
    let (sink, stop) = (Arc::new(Recorder::default()), CancellationToken::new());
    let other = Redis::start(redis_config(stage.port), sink.clone(), stop.clone()).unwrap();
    soon(other.status().wait_for(|s| s.up)).await.unwrap();
    soon(other.publish(name("to:room:x"), Bytes::from_static(b"b")))
        .await
        .unwrap();
    stage.publish("to:room:x", b"a").await;
    assert_eq!(stage.sink.take_text(2).await, ["room x b", "room x a"]);
    assert_eq!(sink.take_text(2).await, ["room x b", "room x a"]);

    // A stop leaves nothing behind and answers.
    stop.cancel();
    soon(other.stopped()).await;
    let answer = soon(other.publish(name("to:room:x"), Bytes::from_static(b"c"))).await;
    assert_eq!(
        answer,
        Err(BusError::Unavailable("the gateway is stopping".into()))
    );
    stage.connections_become(2).await;
    assert!(stage.sink.events.lock().is_empty());
}

/// What waits to be published is bounded in bytes.
#[tokio::test]
async fn what_waits_is_bounded() {
    let mut server = RedisServer::prepare();
    server.start().await;
    let config = RedisConfig {
        queue_bytes: 10_000,
        ping_interval: Duration::from_secs(60),
        ..redis_config(server.port)
    };
    let stage = Stage::redis_with(config, server);
    stage.is_up().await;
    let full = Err(BusError::Full { limit: 10_000 });
    let publish = |length: usize| {
        stage
            .bus
            .publish(name("from:room:x"), vec![0; length].into())
    };
    assert_eq!(soon(publish(10_000)).await, full);
    assert_eq!(soon(publish(9_000)).await, Ok(()));

    stage.server.as_ref().unwrap().freeze().await;
    let (first, second) = soon(async { tokio::join!(publish(9_000), publish(9_000)) }).await;
    assert_eq!(first, Err(BusError::Timeout));
    assert_eq!(second, full);
    stage.server.as_ref().unwrap().thaw().await;
    stage.is_up().await;
    assert_eq!(soon(publish(9_000)).await, Ok(()));
    let counters = stage.bus.counters();
    assert_eq!((counters.failed, counters.queue_full), (3, 2));
}
