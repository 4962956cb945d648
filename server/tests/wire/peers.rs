//! T6: gateways that die, stand still, come late, have too much to tell; and what shows of it.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::bus_tap::BusTap;
use crate::cluster::{Watcher, listening};
use crate::gateway::PATIENCE;
use crate::metrics::{Scrape, until};
use crate::redis_bus::{Redis, gateway_on, gateway_with};
use crate::trust::Asks;

/// The shortest there is.
const SHORT_LEASE: [&str; 2] = ["--peer-lease-seconds", "6"];

impl BusTap {
    /// Until somebody's member comes or goes, as the name says.
    async fn until_lifecycle(&mut self, name: &str, user: &str) -> Vec<(String, Value)> {
        let mut before = Vec::new();
        loop {
            let (got, body) = self.next().await;
            let body: Value = serde_json::from_slice(&body).unwrap();
            if got == name && body["id"] == user {
                return before;
            }
            before.push((got, body));
        }
    }
}

/// A10: whatever presence a channel has, backends learn of the end of its members.
#[tokio::test]
async fn members_without_presence_leave_with_their_gateway() {
    let redis = Redis::start().await;
    let config = "[[channels]]\npattern = \"quiet\"\npresence = \"off\"\n";
    let (a, b) = tokio::join!(
        gateway_with(&redis, &SHORT_LEASE, config),
        gateway_with(&redis, &SHORT_LEASE, config)
    );
    listening(&redis, 2).await;
    let _ben = Watcher::join(&b, "quiet", "ben").await;
    let mut ann = Watcher::join(&a, "quiet", "ann").await;
    until(&a, "tidegate_remote_members", &[], 1.0).await;
    let mut tap = BusTap::open(&redis.address()).await;
    b.signal("KILL").await;
    tap.until_lifecycle("from:quiet:phx_leave", "ben").await;
    let scrape = Scrape::of(&a).await;
    for (metric, value) in [
        ("peers", 0.0),
        ("peers_lost_total", 1.0),
        ("remote_members", 0.0),
    ] {
        assert_eq!(scrape.value(&format!("tidegate_{metric}"), &[]), value);
    }
    ann.socket.expect_silence().await;
}

/// A10, A12: a gateway that stood still for longer than the lease was given up. When it goes on it
/// gives up nobody, and its members are back for clients and for backends.
#[tokio::test]
async fn a_gateway_that_stood_still_is_back_with_its_members() {
    let redis = Redis::start().await;
    let (a, b) = tokio::join!(
        gateway_with(&redis, &SHORT_LEASE, ""),
        gateway_with(&redis, &SHORT_LEASE, "")
    );
    let mut ann = Watcher::join(&a, "room", "ann").await;
    let mut ben = Watcher::join(&b, "room", "ben").await;
    for watcher in [&mut ann, &mut ben] {
        watcher.until(&[("ann", 1), ("ben", 1)]).await;
    }
    let mut tap = BusTap::open(&redis.address()).await;
    b.signal("STOP").await;
    ann.until(&[("ann", 1)]).await;
    tap.until_lifecycle("from:room:phx_leave", "ben").await;
    b.signal("CONT").await;
    ann.until(&[("ann", 1), ("ben", 1)]).await;
    let others = tap.until_lifecycle("from:room:phx_join", "ben").await;
    assert!(others.is_empty(), "{others:?}");
    // Nobody was gone for those who stood still.
    let mut cid = Watcher::join(&a, "room", "cid").await;
    let all = [("ann", 1), ("ben", 1), ("cid", 1)];
    for watcher in [&mut ann, &mut ben, &mut cid] {
        watcher.until(&all).await;
    }
    assert!(ben.missed.is_empty(), "{:?}", ben.missed);
    let lost = Scrape::of(&b).await.value("tidegate_peers_lost_total", &[]);
    assert_eq!(lost, 0.0);
    let others = tap.until_lifecycle("from:room:phx_join", "cid").await;
    let told = |(name, body): &(String, Value)| {
        (name.as_str(), body["id"].as_str()) != ("from:room:phx_join", Some("ben"))
    };
    assert!(!others.iter().any(told), "{others:?}");
}

/// A definition that changes while gateways run changes what others show of its members.
#[tokio::test]
async fn presence_that_is_switched_on_or_off_shows_everywhere() {
    let redis = Redis::start().await;
    let (a, b) = tokio::join!(gateway_on(&redis), gateway_on(&redis));
    let mut ann = Watcher::join(&a, "room", "ann").await;
    let _ben = Watcher::join(&b, "room", "ben").await;
    ann.until(&[("ann", 1), ("ben", 1)]).await;
    let admin = Asks::admin(&b).await;
    let define = async |presence: &str| {
        let definition = json!({"pattern": "room", "presence": presence});
        admin.ok("PUT", "/definitions", definition).await;
    };
    define("off").await;
    ann.until(&[("ann", 1)]).await;
    define("full").await;
    ann.until(&[("ann", 1), ("ben", 1)]).await;
}

/// A client whose event reached backends alone has its `ok`; that others missed it is counted.
#[tokio::test]
async fn a_relayed_event_that_is_lost_is_counted() {
    let redis = Redis::start().await;
    let config = "[[channels]]\npattern = \"chat\"\nrelay = true\n";
    let gateway = gateway_with(&redis, &[], config).await;
    let mut ann = gateway.joined_when_up("chat", "ann").await;
    let lost = [("reason", "relay")];
    let counted = |scrape: &Scrape| scrape.value("tidegate_dropped_total", &lost);
    assert_eq!(counted(&Scrape::of(&gateway).await), 0.0);
    // Events of clients may be published, what gateways say to each other may not.
    let client = redis::Client::open(format!("redis://{}/", redis.address())).unwrap();
    let mut client = client.get_multiplexed_async_connection().await.unwrap();
    let rules = ["SETUSER", "default", "-publish", "(+publish &from:*)"];
    let mut set = redis::cmd("ACL");
    set.arg(&rules).exec_async(&mut client).await.unwrap();
    let push = json!(["1", "2", "chat", "say", {}]);
    assert_eq!(ann.ask(push).await[4]["status"], "ok");
    until(&gateway, "tidegate_dropped_total", &lost, 1.0).await;
}

/// A gateway with more members than fit into one message tells all of them.
#[tokio::test]
async fn everything_is_told_in_parts() {
    const MEMBERS: usize = 1_100;
    let redis = Redis::start().await;
    let room = [
        "--max-channels-per-connection",
        "2000",
        "--joins-per-second",
        "100000",
    ];
    let config = "[[channels]]\npattern = \"hall:*\"\njoin = \"public\"\n";
    let a = gateway_with(&redis, &room, config).await;
    let mut socket = a.connect().await;
    for n in 0..MEMBERS {
        let topic = format!("hall:{n}");
        let join = json!([n.to_string(), n.to_string(), topic, "phx_join", {}]);
        socket.send(join).await;
    }
    let mut joined = 0;
    while joined < MEMBERS {
        let frame = socket.next().await;
        if frame[3] == "phx_reply" {
            assert_eq!(frame[4]["status"], "ok", "{frame}");
            joined += 1;
        }
    }
    // It comes late, and asks.
    let b = gateway_on(&redis).await;
    until(&b, "tidegate_remote_members", &[], MEMBERS as f64).await;
}

/// Section 4: what became of a gateway among others.
#[tokio::test]
async fn other_gateways_show() {
    let mut redis = Redis::start().await;
    let (one, other) = tokio::join!(
        gateway_with(&redis, &["--max-remote-members", "1"], ""),
        gateway_on(&redis)
    );
    let members = [
        other.joined_when_up("room", "ann").await,
        other.joined_when_up("room", "ben").await,
    ];
    let no_room = [("reason", "remote_member")];
    let scrape = until(&one, "tidegate_dropped_total", &no_room, 1.0).await;
    assert_eq!(scrape.value("tidegate_peers", &[]), 1.0);
    assert_eq!(scrape.value("tidegate_remote_members", &[]), 1.0);
    assert_eq!(scrape.value("tidegate_bus_connects_total", &[]), 1.0);
    // Who joins there is shown its own gateway's member, and one of the two.
    let mut cid = one.connect().await;
    let token = crate::gateway::token("cid", "room");
    cid.ask(json!(["1", "1", "room", "phx_join", {"token": token}]))
        .await;
    let state = cid.next().await;
    assert_eq!(state[3], "presence_state");
    assert_eq!(state[4].as_object().unwrap().len(), 2, "{state}");
    let scrape = until(&other, "tidegate_remote_members", &[], 1.0).await;
    assert_eq!(scrape.value("tidegate_dropped_total", &no_room), 0.0);

    let published = [("outcome", "published")];
    until(&one, "tidegate_bus_events_total", &published, 1.0).await;
    redis.kill().await;
    let failed = [("outcome", "failed")];
    let mut push = async |n: f64| {
        let pushing = async {
            loop {
                let answer = cid.ask(json!(["1", "n", "room", "event", {}])).await;
                if answer[4]["status"] == "error" {
                    break;
                }
            }
        };
        timeout(PATIENCE, pushing).await.unwrap();
        until(&one, "tidegate_bus_events_total", &failed, n).await;
    };
    push(1.0).await;
    redis.restart().await;
    until(&one, "tidegate_bus_connects_total", &[], 2.0).await;
    drop(members);
}
