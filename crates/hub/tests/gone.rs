//! A connection that has ended leaves nothing behind, whatever is still being done for it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Barrier};

use serde_json::Map;
use tidegate_hub::{
    Connection, ConnectionDetails, Definitions, Hub, Join, JoinError, JoinOptions, Lifecycle,
    Limits, ManualClock,
};
use tidegate_protocol::{Ref, Serializer, Standing, Topic};

fn hub() -> Hub {
    let definitions = Definitions::new([], 10).unwrap();
    let clock = Arc::new(ManualClock::default());
    Hub::new(Limits::default(), definitions, clock)
}

fn connect(hub: &Hub) -> Arc<Connection> {
    let details = ConnectionDetails {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 1,
        user_agent: None,
    };
    hub.connect(details, Some(Serializer::V2)).unwrap()
}

fn join(hub: &Hub, connection: &Arc<Connection>, topic: &str) -> Result<Vec<Lifecycle>, JoinError> {
    let join = Join {
        topic: Topic::new(topic).unwrap(),
        join_ref: Ref::from_text("1"),
        reference: Ref::from_text("1"),
        user: "u".to_owned(),
        key: None,
        standing: Standing::Admin,
        grant: None,
        metadata: Map::new(),
        options: JoinOptions::default(),
    };
    hub.join(connection, Serializer::V2, join)
}

fn is_empty(hub: &Hub) -> bool {
    (hub.member_count(), hub.channel_count()) == (0, 0) && hub.channel("room").is_none()
}

#[test]
fn who_has_gone_joins_nothing() {
    let hub = hub();
    let gone = connect(&hub);
    join(&hub, &gone, "room").unwrap();
    assert_eq!(hub.disconnect(&gone).len(), 1);
    for topic in ["room", "other", "admin", "admin:watch:room"] {
        assert_eq!(join(&hub, &gone, topic), Err(JoinError::Gone));
    }
    assert!(is_empty(&hub));
    // Others are none the worse for it, and no administrator is believed to listen.
    let other = connect(&hub);
    join(&hub, &other, "room").unwrap();
    assert!(join(&hub, &gone, "room").is_err());
    assert_eq!(hub.channel("room").unwrap().member_count(), 1);
    hub.disconnect(&other);
    assert!(is_empty(&hub));
}

/// A long poll's frames are handled by one request while another finds that it has ended.
#[test]
fn a_join_and_an_end_at_the_same_time_leave_no_member() {
    let hub = hub();
    for _ in 0..500 {
        let connection = connect(&hub);
        let both = Barrier::new(2);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                both.wait();
                for topic in ["room", "a", "b", "c"] {
                    // Either is right.
                    let _ = join(&hub, &connection, topic);
                }
            });
            both.wait();
            hub.disconnect(&connection);
        });
        assert!(is_empty(&hub));
    }
}
