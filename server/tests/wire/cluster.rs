//! T6: several gateways on one Redis act as one.

use serde_json::{Value, json};
use tidegate_protocol::presence::Presences;

use crate::bus_tap::BusTap;
use crate::gateway::{Gateway, PASSWORD, SECRET, token};
use crate::redis_bus::{Redis, gateway_on};
use crate::socket::Socket;

/// A member that keeps what it is told of presence, as phoenix.js does.
pub struct Watcher {
    pub socket: Socket,
    presences: Presences,
    /// Keys that were gone at some moment.
    pub missed: Vec<String>,
}

impl Watcher {
    pub async fn join(gateway: &Gateway, topic: &str, user: &str) -> Self {
        let mut socket = gateway.connect().await;
        let join = json!(["1", "1", topic, "phx_join", {"token": token(user, topic)}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
        Self {
            socket,
            presences: Presences::default(),
            missed: Vec::new(),
        }
    }

    /// Takes the next frame; other events than those of presence are given back.
    async fn step(&mut self) -> Option<Value> {
        let frame = self.socket.next().await;
        let payload = frame[4].clone();
        let before: Vec<_> = self.presences.state().keys().cloned().collect();
        match frame[3].as_str().unwrap() {
            "presence_state" => self
                .presences
                .apply_state(serde_json::from_value(payload).unwrap()),
            "presence_diff" => self
                .presences
                .apply_diff(serde_json::from_value(payload).unwrap()),
            _ => return Some(frame),
        }
        let state = self.presences.state();
        self.missed
            .extend(before.into_iter().filter(|key| !state.contains_key(key)));
        None
    }

    /// Until exactly these are there, each with so many metas.
    pub async fn until(&mut self, expected: &[(&str, usize)]) {
        loop {
            let seen: Vec<_> = self
                .presences
                .state()
                .iter()
                .map(|(key, entry)| (key.as_str(), entry.metas.len()))
                .collect();
            if seen == expected {
                return;
            }
            self.step().await;
        }
    }

    async fn next_event(&mut self) -> Value {
        loop {
            if let Some(event) = self.step().await {
                return event;
            }
        }
    }
}

/// Until so many gateways listen to the bus.
pub async fn listening(redis: &Redis, gateways: i64) -> BusTap {
    let mut tap = BusTap::open(&redis.address()).await;
    while tap.publish("to:nobody:probe", "1").await < gateways {}
    tap
}

/// Each event reaches each member once, wherever it is connected, in order.
#[tokio::test]
async fn an_event_reaches_the_members_of_all_gateways_once() {
    let redis = Redis::start().await;
    let (a, b) = tokio::join!(gateway_on(&redis), gateway_on(&redis));
    let mut tap = listening(&redis, 2).await;
    let mut ann = Watcher::join(&a, "room", "ann").await;
    let mut ben = Watcher::join(&b, "room", "ben").await;
    for n in 0..20 {
        tap.publish("to:room:tick", n.to_string()).await;
    }
    for member in [&mut ann, &mut ben] {
        for n in 0..20 {
            let event = member.next_event().await;
            assert_eq!(event, json!([null, null, "room", "tick", n]));
        }
    }
}

/// S7 across gateways: presence agrees; a stopped gateway's members leave at once.
#[tokio::test]
async fn presence_agrees_on_all_gateways() {
    let redis = Redis::start().await;
    let (a, b) = tokio::join!(gateway_on(&redis), gateway_on(&redis));
    let mut ann = Watcher::join(&a, "room", "ann").await;
    let mut ben = Watcher::join(&b, "room", "ben").await;
    ann.until(&[("ann", 1), ("ben", 1)]).await;
    ben.until(&[("ann", 1), ("ben", 1)]).await;
    // One who comes later is shown all of it, also on a gateway that has just started.
    let c = gateway_on(&redis).await;
    let mut cid = Watcher::join(&c, "room", "cid").await;
    cid.until(&[("ann", 1), ("ben", 1), ("cid", 1)]).await;
    // An update replaces the meta everywhere.
    let update = json!(["1", "2", "room", "presence_update", {"mood": "glad"}]);
    ben.socket.send(update).await;
    loop {
        ann.step().await;
        let meta = ann.presences.state().get("ben").map(|b| &b.metas);
        if meta.is_some_and(|metas| {
            metas.len() == 1 && metas[0].extra.get("mood") == Some(&json!("glad"))
        }) {
            break;
        }
    }
    b.terminate().await;
    ann.until(&[("ann", 1), ("cid", 1)]).await;
    cid.until(&[("ann", 1), ("cid", 1)]).await;
}

/// A12, T6: the members of a gateway that was killed leave within 15 s, backends are told once,
/// and who comes back within the lease was never gone.
#[tokio::test]
async fn a_dead_gateway_takes_its_members_along() {
    let redis = Redis::start().await;
    let (a, b, c) = tokio::join!(gateway_on(&redis), gateway_on(&redis), gateway_on(&redis));
    let mut ann = Watcher::join(&a, "room", "ann").await;
    let _ben = Watcher::join(&b, "room", "ben").await;
    let _dan = Watcher::join(&b, "room", "dan").await;
    let mut cid = Watcher::join(&c, "room", "cid").await;
    let all = [("ann", 1), ("ben", 1), ("cid", 1), ("dan", 1)];
    ann.until(&all).await;
    cid.until(&all).await;
    let mut tap = BusTap::open(&redis.address()).await;
    let killed = std::time::Instant::now();
    b.signal("KILL").await;
    let mut ben = Watcher::join(&a, "room", "ben").await;
    ann.until(&[("ann", 1), ("ben", 1), ("cid", 1)]).await;
    cid.until(&[("ann", 1), ("ben", 1), ("cid", 1)]).await;
    ben.until(&[("ann", 1), ("ben", 1), ("cid", 1)]).await;
    assert!(killed.elapsed().as_secs() < 15);
    for watcher in [&ann, &cid] {
        assert_eq!(watcher.missed, ["dan"]);
    }
    // Joins of the beginning may still have been on their way when the tap was opened.
    let (mut left, marker) = (Vec::new(), "from:room:marker");
    let mut marked = false;
    loop {
        let (name, body) = tap.next().await;
        if name == marker {
            break;
        }
        if name == "from:room:phx_leave" {
            let body: Value = serde_json::from_slice(&body).unwrap();
            left.push(body["id"].as_str().unwrap().to_owned());
        }
        if left.len() == 2 && !std::mem::replace(&mut marked, true) {
            tap.publish(marker, "").await;
        }
    }
    left.sort();
    assert_eq!(left, ["ben", "dan"]);
}

/// A channel that relays passes a client's event to the members on all gateways, once.
#[tokio::test]
async fn a_relaying_channel_relays_across_gateways() {
    let redis = Redis::start().await;
    let config = "[[channels]]\npattern = \"chat\"\nrelay = true\npresence = \"off\"\n";
    let url = format!("redis://{}/", redis.address());
    let flags = [
        "--redis-url",
        &url,
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
    ];
    let (a, b) = tokio::join!(Gateway::with(&flags, config), Gateway::with(&flags, config));
    listening(&redis, 2).await;
    let mut ann = Watcher::join(&a, "chat", "ann").await;
    let mut ada = Watcher::join(&a, "chat", "ada").await;
    let mut ben = Watcher::join(&b, "chat", "ben").await;
    for n in 0..5 {
        let push = json!(["1", n.to_string(), "chat", "say", {"n": n}]);
        assert_eq!(ann.socket.ask(push).await[4]["status"], "ok");
    }
    for member in [&mut ada, &mut ben] {
        for n in 0..5 {
            let event = member.next_event().await;
            assert_eq!(event, json!([null, null, "chat", "say", {"n": n}]));
        }
        member.socket.expect_silence().await;
    }
    ann.socket.expect_silence().await;
}

/// A16: a Redis that comes back empty-handed finds gateways that agree again.
#[tokio::test]
async fn presence_agrees_again_after_redis_was_gone() {
    let mut redis = Redis::start().await;
    let (a, b) = tokio::join!(gateway_on(&redis), gateway_on(&redis));
    let mut ann = Watcher::join(&a, "room", "ann").await;
    let ben = Watcher::join(&b, "room", "ben").await;
    ann.until(&[("ann", 1), ("ben", 1)]).await;
    redis.kill().await;
    // Nobody hears of either while Redis is away.
    drop(ben);
    let mut cid = Watcher::join(&b, "room", "cid").await;
    redis.restart().await;
    ann.until(&[("ann", 1), ("cid", 1)]).await;
    cid.until(&[("ann", 1), ("cid", 1)]).await;
}
