//! A gateway among others: what it tells them, and what it makes of their silence.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};
use tidegate_hub::{
    Answer, Change, Connection, ConnectionDetails, Definitions, Hub, Join, JoinOptions, Limits,
    ManualClock, ToTell,
};
use tidegate_protocol::peer::{PeerChange, PeerMember, Says};
use tidegate_protocol::presence::Meta;
use tidegate_protocol::{Definition, PresenceMode, Ref, Serializer, Standing, Topic, TopicPattern};

const LEASE: u64 = 10_000;
/// Names that come before and after every other.
const BEFORE: &str = "!";
const AFTER: &str = "~";

fn hub(clock: &ManualClock) -> Hub {
    let definitions = Definitions::new([], 10).unwrap();
    let hub = Hub::new(Limits::default(), definitions, Arc::new(clock.clone()));
    hub.join_cluster();
    hub
}

fn define(hub: &Hub, presence: PresenceMode) {
    let pattern = Some(TopicPattern::new("room").unwrap());
    hub.define(Definition {
        pattern,
        presence,
        ..Definition::fallback()
    })
    .unwrap();
}

fn member(hub: &Hub, user: &str) -> Arc<Connection> {
    let details = ConnectionDetails {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 1,
        user_agent: None,
    };
    let connection = hub.connect(details, Some(Serializer::V2)).unwrap();
    join(hub, &connection, user, "1");
    connection
}

fn join(hub: &Hub, connection: &Arc<Connection>, user: &str, reference: &str) {
    let join = Join {
        topic: Topic::new("room").unwrap(),
        join_ref: Ref::from_text(reference),
        reference: Ref::from_text(reference),
        user: user.to_owned(),
        key: None,
        standing: Standing::Token,
        grant: None,
        metadata: Map::new(),
        options: JoinOptions::default(),
    };
    hub.join(connection, Serializer::V2, join).unwrap();
}

/// What other gateways are told when they are told everything.
fn all_members(hub: &Hub) -> Vec<PeerMember> {
    let topics = hub.tell_all();
    topics.iter().flat_map(|t| hub.peer_members(t)).collect()
}

fn remote(user: &str, off: bool) -> PeerMember {
    PeerMember {
        topic: Topic::new("room").unwrap(),
        user: user.to_owned(),
        key: None,
        hidden: false,
        off,
        connection: format!("connection of {user}"),
        meta: Meta {
            phx_ref: format!("ref of {user}"),
            phx_ref_prev: None,
            online_at: 0,
            extra: Map::new(),
        },
    }
}

fn all(members: Vec<PeerMember>) -> Says {
    Says::All {
        number: 1,
        first: true,
        last: true,
        members,
    }
}

fn left(hub: &Hub) -> Vec<String> {
    let leaves = hub.expire_peers(LEASE).into_iter();
    leaves
        .map(|leave| {
            assert_eq!(leave.change, Change::Leave);
            leave.user
        })
        .collect()
}

/// What a member has been shown of presence and has not read.
fn shown(connection: &Connection) -> Vec<(String, Value)> {
    std::iter::from_fn(|| connection.outbox.pop())
        .flat_map(|frame| frame.messages().collect::<Vec<_>>())
        .map(|(_, content)| serde_json::from_slice::<Value>(&content).unwrap())
        .filter(|frame| frame[3].as_str().unwrap().starts_with("presence_"))
        .map(|frame| (frame[3].as_str().unwrap().to_owned(), frame[4].clone()))
        .collect()
}

/// A10: the gateway that would have told of a dead one's members dies too, and is found out later.
#[test]
fn leaves_are_told_though_who_would_tell_is_dead_as_well() {
    let clock = ManualClock::default();
    let hub = hub(&clock);
    hub.peer_says(BEFORE, all(vec![remote("ben", false)]));
    hub.peer_says(AFTER, all(vec![remote("ann", false)]));
    clock.advance(2_000);
    hub.peer_says(BEFORE, Says::Alive(1));
    clock.advance(LEASE - 1_000);
    assert!(left(&hub).is_empty());
    assert_eq!(hub.peer_count(), 1);
    clock.advance(2_000);
    assert_eq!(left(&hub), ["ann", "ben"]);
    assert!(left(&hub).is_empty(), "once");
}

/// A10: they are told once, by the gateway with the smallest name, where that one lives.
#[test]
fn leaves_are_left_to_a_smaller_name_that_lives() {
    let clock = ManualClock::default();
    let hub = hub(&clock);
    hub.peer_says(BEFORE, Says::Alive(0));
    hub.peer_says(AFTER, all(vec![remote("ann", false)]));
    for _ in 0..10 {
        clock.advance(LEASE / 5);
        hub.peer_says(BEFORE, Says::Alive(0));
        assert!(left(&hub).is_empty());
    }
    // It has had its time to tell; that it dies now changes nothing.
    clock.advance(LEASE);
    assert!(left(&hub).is_empty());
    assert_eq!(hub.peer_count(), 0);
}

/// A10: a gateway that died and was started again, under a name that comes first, knows nothing of
/// the members it had.
#[test]
fn leaves_are_not_left_to_who_came_after() {
    let clock = ManualClock::default();
    let hub = hub(&clock);
    hub.peer_says(AFTER, all(vec![remote("ann", false)]));
    clock.advance(LEASE / 2);
    hub.peer_says(BEFORE, all(vec![]));
    clock.advance(LEASE / 2);
    assert_eq!(left(&hub), ["ann"]);
    assert_eq!(hub.peer_count(), 1);
}

/// A10: who was given up and comes back is told so, by whoever has told backends.
#[test]
fn who_was_given_up_is_told_so() {
    let clock = ManualClock::default();
    let hub = hub(&clock);
    hub.peer_says(AFTER, all(vec![remote("ann", false)]));
    clock.advance(LEASE);
    assert_eq!(left(&hub), ["ann"]);
    let asks = |given_up| Answer::Ask { given_up };
    let tell = |backends| Answer::TellAll { backends };
    // What it says first when it finds its bus again.
    assert_eq!(hub.peer_says(AFTER, Says::Hello), tell(false));
    assert_eq!(hub.peer_says(AFTER, Says::Alive(1)), asks(true));
    assert_eq!(hub.peer_says(AFTER, Says::Alive(1)), asks(false));

    let ask = |node: &str, given_up| Says::Ask {
        node: node.to_owned(),
        given_up,
    };
    let own = hub.node().to_owned();
    assert_eq!(hub.peer_says(AFTER, ask(&own, false)), tell(false));
    assert_eq!(hub.peer_says(AFTER, ask(&own, true)), tell(true));
    assert_eq!(hub.peer_says(AFTER, ask("other", true)), Answer::None);
}

/// A10: backends that were told that members had left are told that these are here.
#[test]
fn backends_are_told_anew_who_is_here() {
    let hub = hub(&ManualClock::default());
    let (ann, _ben) = (member(&hub, "ann"), member(&hub, "ben"));
    let topics = hub.topics_of_clients();
    assert_eq!(topics, [Topic::new("room").unwrap()]);
    let told = RefCell::new(Vec::new());
    hub.tell_backends_anew(&topics[0], |changes| {
        let changes = changes.into_iter();
        told.borrow_mut()
            .extend(changes.map(|c| (c.change, c.user)));
        // Ann leaves in between, and her leave may be told before her join.
        hub.leave(&ann, "room");
    });
    let mut told = told.into_inner();
    told.sort_by(|a, b| a.1.cmp(&b.1));
    let of = |change, user: &str| (change, user.to_owned());
    assert_eq!(
        told,
        [
            of(Change::Join, "ann"),
            of(Change::Leave, "ann"),
            of(Change::Join, "ben"),
        ]
    );
}

/// A10: channels without presence have backends, too.
#[test]
fn members_without_presence_are_told_for_backends_alone() {
    let clock = ManualClock::default();
    let hub = hub(&clock);
    define(&hub, PresenceMode::Off);
    let own = member(&hub, "ann");
    let ToTell::Changes(changes) = hub.to_tell() else {
        panic!("peers are told");
    };
    assert!(matches!(&changes[..], [PeerChange::Join(ann)] if ann.off && ann.user == "ann"));
    assert!(matches!(&all_members(&hub)[..], [ann] if ann.off));
    hub.leave(&own, "room");
    assert!(matches!(hub.to_tell(), ToTell::Changes(changes) if changes.len() == 1));

    // Those of another gateway are nowhere to be seen here, whatever presence is here.
    define(&hub, PresenceMode::Count);
    let own = member(&hub, "ann");
    shown(&own);
    hub.peer_says(AFTER, all(vec![remote("ben", true)]));
    clock.advance(1_000);
    hub.flush_presence();
    for (event, payload) in shown(&own) {
        assert_eq!(
            (event.as_str(), &payload["count"]),
            ("presence_count", &1.into())
        );
    }
    define(&hub, PresenceMode::Full);
    let state = shown(&own);
    assert_eq!(state.len(), 1);
    assert_eq!(state[0].1.as_object().unwrap().len(), 1, "{state:?}");
    clock.advance(LEASE);
    assert_eq!(left(&hub), ["ben"]);
}

/// A definition that changes is told to other gateways, which know members by what they were.
#[test]
fn presence_that_comes_or_goes_is_told_anew() {
    let hub = hub(&ManualClock::default());
    define(&hub, PresenceMode::Off);
    let _ann = member(&hub, "ann");
    hub.to_tell();
    for (presence, off) in [
        (PresenceMode::Full, Some(false)),
        (PresenceMode::Count, None),
        (PresenceMode::Off, Some(true)),
    ] {
        define(&hub, presence);
        match off {
            Some(off) => {
                assert_eq!(hub.to_tell(), ToTell::All);
                assert_eq!(all_members(&hub)[0].off, off);
            }
            None => assert_eq!(hub.to_tell(), ToTell::Nothing),
        }
    }
    assert_eq!(hub.to_tell(), ToTell::Nothing);
}

/// More changes than can be kept are told as everything that there is.
#[test]
fn too_many_changes_are_told_as_everything() {
    let hub = hub(&ManualClock::default());
    let ann = member(&hub, "ann");
    for _ in 0..100_000 {
        hub.update_presence(&ann, "room", Map::new());
    }
    assert_eq!(hub.to_tell(), ToTell::All);
    assert_eq!(all_members(&hub).len(), 1);
    assert_eq!(hub.to_tell(), ToTell::Nothing);
}

/// A member that an administrator removes while it joins is not left behind on other gateways.
#[test]
fn a_member_is_told_before_it_is_told_to_be_gone() {
    const TRIES: usize = 20_000;
    let hub = Arc::new(hub(&ManualClock::default()));
    // The channel stays.
    let _ann = member(&hub, "ann");
    all_members(&hub);
    let ben = member(&hub, "ben");
    let mut here = HashSet::new();
    let joining = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let kicks = scope.spawn(|| {
            while joining.load(Ordering::Relaxed) {
                hub.leave(&ben, "room");
            }
        });
        for n in 0..TRIES {
            join(&hub, &ben, "ben", &n.to_string());
            while ben.outbox.pop().is_some() {}
        }
        joining.store(false, Ordering::Relaxed);
        kicks.join().unwrap();
    });
    hub.leave(&ben, "room");
    let ToTell::Changes(changes) = hub.to_tell() else {
        panic!("not too many");
    };
    for change in changes {
        match change {
            PeerChange::Join(member) => assert!(here.insert(member.meta.phx_ref)),
            PeerChange::Leave(phx_ref) => {
                assert!(here.remove(&phx_ref), "it was never told to be there");
            }
        }
    }
    assert!(here.is_empty(), "{here:?} stay");
}
