//! What members get and what is counted when nobody reads (A15).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::{Map, Value};
use tidegate_hub::{
    Connection, ConnectionDetails, Definitions, Drop, Hub, Join, JoinOptions, Limits, ManualClock,
};
use tidegate_protocol::{
    Close, Definition, Event, Overflow, Payload, PresenceMode, Ref, Serializer, Standing, Topic,
    TopicPattern,
};

/// Channels named after their policies, and room for eight frames.
fn hub() -> Hub {
    let defined = [
        ("close", Overflow::Close),
        ("oldest", Overflow::DropOldest),
        ("latest", Overflow::LatestOnly),
    ];
    let defined = defined.map(|(topic, overflow)| Definition {
        pattern: Some(TopicPattern::new(topic).unwrap()),
        presence: PresenceMode::Off,
        overflow,
        ..Definition::fallback()
    });
    let limits = Limits {
        queue_frames: 8,
        ..Limits::default()
    };
    let definitions = Definitions::new(defined, 10).unwrap();
    Hub::new(limits, definitions, Arc::new(ManualClock::default()))
}

/// A connection that reads nothing, and has joined these channels.
fn stalled(hub: &Hub, topics: &[&str]) -> Arc<Connection> {
    let details = ConnectionDetails {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 1,
        user_agent: None,
    };
    let connection = hub.connect(details, Some(Serializer::V2)).unwrap();
    for topic in topics {
        let join = Join {
            topic: Topic::new(topic).unwrap(),
            join_ref: Ref::from_text("1"),
            reference: Ref::from_text("1"),
            user: "u".to_owned(),
            key: None,
            standing: Standing::Anonymous,
            grant: None,
            metadata: Map::new(),
            options: JoinOptions::default(),
        };
        hub.join(&connection, Serializer::V2, join).unwrap();
    }
    connection
}

fn send(hub: &Hub, topic: &str, events: std::ops::Range<u64>) {
    let (topic, event) = (Topic::new(topic).unwrap(), Event::new("e").unwrap());
    for n in events {
        hub.deliver(&topic, &event, &Payload::Json(n.to_string().into()));
        hub.flush();
    }
}

/// The events that wait for a connection.
fn read(connection: &Connection) -> Vec<(String, u64)> {
    std::iter::from_fn(|| connection.outbox.pop())
        .filter_map(|frame| {
            let (_, content) = frame.messages().next()?;
            let frame: Value = serde_json::from_slice(&content).unwrap();
            Some((frame[2].as_str()?.to_owned(), frame[4].as_u64()?))
        })
        .collect()
}

fn dropped(hub: &Hub, topic: &str) -> u64 {
    let channel = hub.channel(topic).unwrap();
    hub.channel_info(&channel).dropped
}

/// A15: a channel that drops its oldest protects its reader beside a channel that does not.
#[test]
fn one_channel_makes_room_for_another() {
    let hub = hub();
    let slow = stalled(&hub, &["oldest", "latest", "close"]);
    send(&hub, "oldest", 0..20);
    send(&hub, "latest", 0..5);
    send(&hub, "close", 0..3);
    assert_eq!(slow.outbox.closing(), None);
    let counts = ["oldest", "latest", "close"].map(|topic| dropped(&hub, topic));
    assert_eq!(counts, [16, 4, 0]);
    assert_eq!(hub.stats.drops(Drop::Oldest), 16);
    assert_eq!(hub.stats.drops(Drop::NotLatest), 4);
    assert_eq!(hub.stats.drops(Drop::SlowConsumer), 0);
    let expected = [
        ("oldest", 16),
        ("oldest", 17),
        ("oldest", 18),
        ("oldest", 19),
        ("latest", 4),
        ("close", 0),
        ("close", 1),
        ("close", 2),
    ];
    assert_eq!(read(&slow), expected.map(|(t, n)| (t.to_owned(), n)));
}

/// A15: what a closed slow consumer does not get is counted: what waited, over whatever channel, what
/// found no room, and what came before it had left. Nothing is counted for its leaving.
#[test]
fn a_closed_reader_has_all_that_it_missed_counted() {
    let hub = hub();
    let slow = stalled(&hub, &["latest", "close"]);
    send(&hub, "latest", 0..2);
    // The ninth frame finds no room; three more come.
    send(&hub, "close", 0..11);
    assert_eq!(slow.outbox.closing(), Some(Close::SlowConsumer));
    assert_eq!((dropped(&hub, "latest"), dropped(&hub, "close")), (2, 11));
    assert_eq!(hub.stats.drops(Drop::NotLatest), 1);
    assert_eq!(hub.stats.drops(Drop::SlowConsumer), 12);
    hub.disconnect(&slow);
    assert_eq!(hub.stats.drops(Drop::SlowConsumer), 12);
    assert_eq!(hub.stats.closes(Some(Close::SlowConsumer)), 1);
}
