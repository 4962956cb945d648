//! Broadcasts to channels so large that several threads write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};
use tidegate_hub::{
    Connection, ConnectionDetails, Crew, Definitions, Hub, Join, JoinOptions, Limits, ManualClock,
};
use tidegate_protocol::{Event, Payload, Ref, Serializer, Standing, Topic};

const MEMBERS: usize = 2_000;
const EVENTS: u64 = 200;

fn member(hub: &Hub, topic: &Topic, serializer: Serializer) -> Arc<Connection> {
    let details = ConnectionDetails {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 1,
        user_agent: None,
    };
    let connection = hub.connect(details, Some(serializer)).unwrap();
    let join = Join {
        topic: topic.clone(),
        join_ref: Ref::from_text("1"),
        reference: Ref::from_text("1"),
        user: "u".to_owned(),
        key: None,
        standing: Standing::Anonymous,
        grant: None,
        metadata: Map::new(),
        options: JoinOptions {
            no_presence: true,
            ..JoinOptions::default()
        },
    };
    hub.join(&connection, serializer, join).unwrap();
    connection
}

/// The numbers of the events that wait for a connection.
fn numbers(connection: &Connection) -> Vec<u64> {
    std::iter::from_fn(|| connection.outbox.pop())
        .flat_map(|frame| frame.messages().collect::<Vec<_>>())
        .filter_map(|(_, content)| {
            let frame: Value = serde_json::from_slice(&content).unwrap();
            // An array in version 2, an object in version 1.
            let payload = frame.get(4).or_else(|| frame.get("payload"))?;
            payload["n"].as_u64()
        })
        .collect()
}

/// S2, blueprint (the hot path): several threads write to a large channel, and every member gets every
/// event once and in order, in its own serializer, while others come and go.
#[test]
fn a_large_channel_keeps_its_order_on_several_threads() {
    let definitions = Definitions::new([], 10).unwrap();
    let hub = Hub::new(
        Limits::default(),
        definitions,
        Arc::new(ManualClock::default()),
    )
    .with_crew(Crew::new(4).unwrap());
    let topic = Topic::new("large").unwrap();
    let event = Event::new("e").unwrap();
    let versions = [Serializer::V1, Serializer::V2];
    let members: Vec<_> = (0..MEMBERS)
        .map(|n| member(&hub, &topic, versions[n % 2]))
        .collect();

    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let passer_by = member(&hub, &topic, Serializer::V2);
                hub.disconnect(&passer_by);
            }
        });
        for n in 0..EVENTS {
            let payload = Payload::Json(format!(r#"{{"n":{n}}}"#).into());
            hub.deliver(&topic, &event, &payload);
            // Now one by one, now some together.
            if n % 7 < 4 {
                hub.flush();
            }
        }
        hub.flush();
        over.store(true, Ordering::Relaxed);
    });

    let all: Vec<_> = (0..EVENTS).collect();
    for connection in &members {
        assert_eq!(numbers(connection), all);
    }
    assert!(hub.stats.deliveries.get() >= (MEMBERS as u64) * EVENTS);
}
