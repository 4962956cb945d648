//! What an administrator is told of the channels that are there when it joins (A11).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::task::{Context, Waker};

use serde_json::{Map, Value};
use tidegate_hub::{
    Connection, ConnectionDetails, Definitions, Hub, Join, JoinOptions, Limits, ManualClock, Work,
};
use tidegate_protocol::{Ref, Serializer, Standing, Topic};

/// With as little room for a connection as there may be.
fn hub() -> Hub {
    let limits = Limits {
        queue_bytes: 4096,
        queue_frames: 16,
        channels_per_connection: usize::MAX,
        ..Limits::default()
    };
    let definitions = Definitions::new([], 10).unwrap();
    Hub::new(limits, definitions, Arc::new(ManualClock::default()))
}

fn connect(hub: &Hub) -> Arc<Connection> {
    let details = ConnectionDetails {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 1,
        user_agent: None,
    };
    hub.connect(details, Some(Serializer::V2)).unwrap()
}

fn join(hub: &Hub, connection: &Arc<Connection>, topic: &str) {
    let join = Join {
        topic: Topic::new(topic).unwrap(),
        join_ref: Ref::from_text("1"),
        reference: Ref::from_text("1"),
        user: "u".to_owned(),
        key: None,
        standing: Standing::Admin,
        grant: None,
        metadata: Map::new(),
        options: JoinOptions {
            no_presence: true,
            ..JoinOptions::default()
        },
    };
    hub.join(connection, Serializer::V2, join).unwrap();
    // It reads what is for it: only administrators are tried here.
    if topic != "admin" {
        while connection.outbox.pop().is_some() {}
    }
}

/// An administrator, and who it thinks is where.
struct Admin {
    connection: Arc<Connection>,
    listed: BTreeSet<String>,
    believes: BTreeMap<String, BTreeSet<String>>,
}

impl Admin {
    fn join(hub: &Hub) -> Self {
        let connection = connect(hub);
        join(hub, &connection, "admin");
        Self {
            connection,
            listed: BTreeSet::new(),
            believes: BTreeMap::new(),
        }
    }

    /// Reads what waits, and asks for more; `false` when there is no more.
    fn read(&mut self, hub: &Hub) -> bool {
        while let Some(frame) = self.connection.outbox.pop() {
            let (_, content) = frame.messages().next().unwrap();
            self.take(&serde_json::from_slice(&content).unwrap());
        }
        let context = &Context::from_waker(Waker::noop());
        match self.connection.outbox.flush(context).0 {
            Work::More => hub.feed(&self.connection),
            Work::None => return false,
            other => panic!("{other:?}"),
        }
        true
    }

    fn take(&mut self, frame: &Value) {
        let payload = &frame[4];
        let channel = || payload["channel"].as_str().unwrap().to_owned();
        let agent = || payload["agent"].as_str().unwrap().to_owned();
        match frame[3].as_str().unwrap() {
            "channel.list" => {
                assert!(self.listed.insert(channel()), "listed once: {frame}");
                let agents = payload["agents"].as_array().unwrap().iter();
                let agents = agents.map(|agent| agent.as_str().unwrap().to_owned());
                self.believes.insert(channel(), agents.collect());
            }
            "channel.add" => {
                self.believes.entry(channel()).or_default();
            }
            "channel.remove" => drop(self.believes.remove(&channel())),
            "channel.join" => {
                self.believes.entry(channel()).or_default().insert(agent());
            }
            "channel.leave" => {
                self.believes.entry(channel()).or_default().remove(&agent());
            }
            _ => {}
        }
    }
}

/// A11: however many channels there are and however little may wait, all of them are told, and what
/// happens meanwhile with them.
#[test]
fn however_many_channels_there_are_all_of_them_are_told() {
    let hub = hub();
    let members: Vec<_> = (0..3).map(|_| connect(&hub)).collect();
    let topic = |n: usize| format!("room:{n}");
    for n in 0..1000 {
        for member in &members {
            join(&hub, member, &topic(n));
        }
    }
    let mut admin = Admin::join(&hub);
    for step in 0.. {
        // The world goes on: here one goes, there one opens.
        match step {
            300.. => {}
            _ if step % 3 == 0 => drop(hub.leave(&members[0], &topic(3 * step))),
            _ if step % 3 == 1 => {
                for member in &members {
                    hub.leave(member, &topic(3 * step));
                }
            }
            _ => join(&hub, &members[0], &format!("new:{step}")),
        }
        if !admin.read(&hub) {
            break;
        }
    }
    assert_eq!(admin.connection.outbox.closing(), None);
    assert!(admin.listed.len() > 800, "{}", admin.listed.len());
    let mut truth = BTreeMap::new();
    let connections = members.iter().chain([&admin.connection]);
    for connection in connections {
        let id = &connection.id;
        for n in 0..1000 {
            for topic in [topic(n), format!("new:{n}"), "admin".to_owned()] {
                if connection.joined(&topic).is_some() {
                    let agents: &mut BTreeSet<_> = truth.entry(topic.clone()).or_default();
                    agents.insert(format!("{id}:{topic}:1"));
                }
            }
        }
    }
    assert_eq!(admin.believes, truth);
}

/// Where little may wait lists are cut before the connection is: names of the greatest length.
#[test]
fn long_lists_are_cut_where_little_may_wait() {
    let hub = hub();
    let topic = "\u{1F30A}".repeat(63);
    let members: Vec<_> = (0..120).map(|_| connect(&hub)).collect();
    for member in &members {
        join(&hub, member, &topic);
    }
    let mut admin = Admin::join(&hub);
    while admin.read(&hub) {}
    let agents = admin.believes[&topic].len();
    assert!((1..100).contains(&agents), "{agents}");
    hub.disconnect(&members[0]);
    while admin.read(&hub) {}
    assert_eq!(admin.connection.outbox.closing(), None);
}

/// Who leaves the topic, or for good, is told nothing more.
#[test]
fn who_has_left_is_told_nothing_more() {
    let hub = hub();
    let member = connect(&hub);
    for n in 0..100 {
        join(&hub, &member, &format!("room:{n}"));
    }
    // In whatever order they are told of.
    let rooms: Vec<_> = (0..100)
        .map(|n| hub.channel(&format!("room:{n}")).unwrap())
        .collect();
    let count = || rooms.iter().map(Arc::strong_count).sum::<usize>();
    let held = count();
    for gone in [false, true] {
        let mut admin = Admin::join(&hub);
        assert!(count() > held + 50, "those that are still to be told of");
        assert!(admin.read(&hub));
        match gone {
            true => drop(hub.disconnect(&admin.connection)),
            false => drop(hub.leave(&admin.connection, "admin")),
        }
        hub.feed(&admin.connection);
        while admin.read(&hub) {}
        assert!(admin.listed.len() < 50);
        // And keeps no channel any more.
        assert_eq!(count(), held);
    }
}
