//! Presence states and diffs agree, whatever the interleaving (A12).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tidegate_hub::{
    Connection, ConnectionDetails, Definitions, Hub, Join, JoinOptions, Limits, ManualClock,
};
use tidegate_protocol::presence::{Diff, Presences, State};
use tidegate_protocol::{Definition, PresenceMode, Ref, Serializer, Standing, Topic, TopicPattern};

fn hub(clock: &ManualClock) -> Hub {
    let definitions = Definitions::new([], 10).unwrap();
    Hub::new(Limits::default(), definitions, Arc::new(clock.clone()))
}

fn connect(hub: &Hub) -> Arc<Connection> {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let details = ConnectionDetails {
        address,
        port: 1,
        user_agent: None,
    };
    hub.connect(details, Some(Serializer::V2)).unwrap()
}

fn join(hub: &Hub, connection: &Arc<Connection>, user: usize, reference: &str) {
    let request = Join {
        topic: Topic::new("room").unwrap(),
        join_ref: Ref::from_text(reference),
        reference: Ref::from_text(reference),
        user: format!("user{user}"),
        key: None,
        standing: Standing::Token,
        grant: None,
        metadata: Map::new(),
        options: JoinOptions::default(),
    };
    hub.join(connection, Serializer::V2, request).unwrap();
}

/// Everything that was queued for a connection, parsed.
fn drain(connection: &Connection) -> Vec<Value> {
    std::iter::from_fn(|| connection.outbox.pop())
        .flat_map(|frame| frame.messages().collect::<Vec<_>>())
        .map(|(text, content)| {
            assert!(text, "no binary frames here");
            serde_json::from_slice(&content).unwrap()
        })
        .collect()
}

/// One client: its connection, and what it believes.
struct Client {
    connection: Arc<Connection>,
    user: usize,
    join_ref: usize,
    joined: bool,
    shown: bool,
    believes: Presences,
}

impl Client {
    fn read(&mut self) {
        for frame in drain(&self.connection) {
            let payload = frame[4].clone();
            match frame[3].as_str().unwrap() {
                "presence_state" => self
                    .believes
                    .apply_state(serde_json::from_value(payload).unwrap()),
                "presence_diff" => self
                    .believes
                    .apply_diff(serde_json::from_value(payload).unwrap()),
                _ => {}
            }
        }
    }
}

/// The order of a user's metas means nothing.
fn sorted(mut state: State) -> State {
    for entry in state.values_mut() {
        entry.metas.sort_by(|a, b| a.phx_ref.cmp(&b.phx_ref));
    }
    state
}

/// What a newcomer is shown: the truth.
fn truth(hub: &Hub) -> State {
    let connection = connect(hub);
    join(hub, &connection, 999, "1");
    let frames = drain(&connection);
    let state = frames
        .iter()
        .find(|frame| frame[3] == "presence_state")
        .unwrap();
    let mut state: State = serde_json::from_value(state[4].clone()).unwrap();
    hub.disconnect(&connection);
    state.remove("user999");
    sorted(state)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]


    #[test]
    fn every_member_believes_the_truth(steps in prop::collection::vec((0..5_usize, 0..7_u8, 0..80_u64), 1..60)) {
        let clock = ManualClock::default();
        let hub = hub(&clock);
        let mut clients: Vec<_> = (0..5)
            .map(|n| Client {
                connection: connect(&hub),
                // Two of the clients are the same user.
                user: n % 4,
                join_ref: 0,
                joined: false,
                shown: false,
                believes: Presences::default(),
            })
            .collect();
        for (who, what, ms) in steps {
            clock.advance(ms);
            let client = &mut clients[who];
            match what {
                0..=2 => {
                    client.read();
                    client.join_ref += 1;
                    client.believes.reset();
                    join(&hub, &client.connection, client.user, &client.join_ref.to_string());
                    client.joined = true;
                    client.shown = true;
                }
                3 => {
                    hub.leave(&client.connection, "room");
                    client.joined = false;
                }
                4 if client.joined => {
                    let metadata = json!({"at": ms}).as_object().unwrap().clone();
                    hub.update_presence(&client.connection, "room", metadata);
                    client.shown = true;
                }
                5 if client.joined => {
                    hub.hide_presence(&client.connection, "room");
                    client.shown = false;
                }
                _ => hub.flush_presence(),
            }
        }
        clock.advance(1000);
        hub.flush_presence();
        let truth = truth(&hub);
        clock.advance(1000);
        hub.flush_presence();
        let mut members = 0;
        for client in clients.iter_mut().filter(|client| client.joined) {
            client.read();
            members += usize::from(client.shown);
            prop_assert_eq!(&sorted(client.believes.state().clone()), &truth);
        }
        prop_assert_eq!(truth.values().map(|entry| entry.metas.len()).sum::<usize>(), members);
    }
}

/// A12: what happens within the interval is one diff; who came and went in it is not mentioned.
#[test]
fn changes_within_the_interval_are_one_diff() {
    let clock = ManualClock::default();
    clock.advance(1_000_000);
    let hub = hub(&clock);
    let first = connect(&hub);
    join(&hub, &first, 0, "1");
    drain(&first);
    let others: Vec<_> = (1..100)
        .map(|user| {
            let other = connect(&hub);
            join(&hub, &other, user, "1");
            other
        })
        .collect();
    assert!(drain(&first).is_empty(), "held back");
    clock.advance(hub.limits().presence_interval_ms);
    hub.flush_presence();
    let frames = drain(&first);
    assert_eq!(frames.len(), 1);
    let diff: Diff = serde_json::from_value(frames[0][4].clone()).unwrap();
    assert_eq!((diff.joins.len(), diff.leaves.len()), (99, 0));
    drop(others);
}

/// A definition that changes shows presence to those who could not see it before.
#[test]
fn presence_appears_when_the_definition_says_so() {
    let clock = ManualClock::default();
    let hub = hub(&clock);
    let define = |presence| {
        let pattern = Some(TopicPattern::new("room").unwrap());
        hub.define(Definition {
            pattern,
            presence,
            ..Definition::fallback()
        })
        .unwrap();
    };
    define(PresenceMode::Off);
    let connection = connect(&hub);
    join(&hub, &connection, 1, "1");
    let events = |frames: Vec<Value>| -> Vec<String> {
        frames
            .iter()
            .map(|frame| frame[3].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(events(drain(&connection)), ["phx_reply"]);
    define(PresenceMode::Count);
    assert_eq!(events(drain(&connection)), ["presence_count"]);
    define(PresenceMode::Full);
    assert_eq!(events(drain(&connection)), ["presence_state"]);
}
