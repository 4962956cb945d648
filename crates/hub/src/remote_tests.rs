//! What is known of other gateways, message by message.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Map;
use tidegate_protocol::presence::Meta;

use super::*;

fn member(phx_ref: &str) -> PeerMember {
    PeerMember {
        topic: Topic::new("room").unwrap(),
        user: "ann".into(),
        key: None,
        hidden: false,
        connection: "c1".into(),
        meta: Meta {
            phx_ref: phx_ref.into(),
            phx_ref_prev: None,
            online_at: 0,
            extra: Map::new(),
        },
    }
}

fn track(member: PeerMember) -> RemoteMember {
    RemoteMember {
        tracked: Tracked {
            sequence: 0,
            user: member.user.into(),
            key: None,
            hidden: false,
            meta: Arc::new(member.meta),
        },
        connection: member.connection,
    }
}

fn join(phx_ref: &str) -> PeerChange {
    PeerChange::Join(member(phx_ref))
}

fn told(remote: &Remote, number: u64, refs: &[&str], now: u64) -> Moved {
    let members = refs.iter().map(|phx_ref| member(phx_ref)).collect();
    remote.all("a", number, (true, true), members, now, 10, track)
}

fn change(remote: &Remote, number: u64, change: PeerChange) -> Moved {
    remote.changes("a", number, vec![change], 0, 10, track)
}

fn known(remote: &Remote) -> Vec<String> {
    let topic = Topic::new("room").unwrap();
    assert_eq!(remote.of(&topic).len(), remote.count(&topic));
    assert_eq!(remote.members(), remote.count(&topic));
    remote
        .of(&topic)
        .iter()
        .map(|t| t.meta.phx_ref.clone())
        .collect()
}

#[test]
fn nobody_is_believed_before_telling_everything() {
    let remote = Remote::default();
    assert!(remote.alive("a", 0, 0).ask);
    assert!(change(&remote, 1, join("x")).ask);
    assert_eq!(told(&remote, 1, &["x", "y"], 0).joined.len(), 2);
    assert!(!remote.alive("a", 1, 0).ask);
    assert_eq!(
        change(&remote, 2, PeerChange::Leave("x".into())).left.len(),
        1
    );
    assert_eq!(known(&remote), ["y"]);
}

#[test]
fn a_gap_is_noticed_and_what_was_known_stands() {
    let remote = Remote::default();
    told(&remote, 1, &["x"], 0);
    assert!(change(&remote, 3, join("z")).ask);
    assert!(change(&remote, 4, join("w")).ask);
    assert_eq!(known(&remote), ["x"]);
    let moved = told(&remote, 4, &["z", "w"], 0);
    assert_eq!((moved.joined.len(), moved.left.len()), (2, 1));
    assert_eq!(known(&remote), ["w", "z"]);
    // What came before everything was told is passed over.
    let moved = change(&remote, 4, join("late"));
    assert!(!moved.ask && moved.joined.is_empty());
    assert!(remote.alive("a", 5, 0).ask);
}

#[test]
fn who_is_silent_takes_its_members_along() {
    let remote = Remote::default();
    told(&remote, 1, &["x", "y"], 1000);
    remote.alive("b", 0, 4000);
    assert!(remote.expire(5999, 5000).left.is_empty());
    assert_eq!(remote.expire(6000, 5000).left.len(), 2);
    assert!(known(&remote).is_empty());
    assert_eq!(remote.nodes(), 1);
    remote.renew(20_000);
    assert!(remote.expire(20_001, 5000).left.is_empty());
    assert_eq!(remote.nodes(), 1);
    assert!(remote.has_before("c") && !remote.has_before("a"));
}

#[test]
fn there_is_room_for_so_many() {
    let remote = Remote::default();
    let refs: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let refs: Vec<&str> = refs.iter().map(String::as_str).collect();
    assert_eq!(told(&remote, 1, &refs, 0).refused, 12);
    told(&remote, 1, &refs[..10], 0);
    assert_eq!(change(&remote, 2, join("one more")).refused, 1);
    assert_eq!(known(&remote).len(), 10);
}

#[test]
fn parts_hold_once_the_last_has_come() {
    let remote = Remote::default();
    remote.all("a", 3, (true, false), vec![member("lost")], 0, 10, track);
    remote.all("a", 4, (true, false), vec![member("x")], 0, 10, track);
    assert!(known(&remote).is_empty());
    remote.all("a", 4, (false, true), vec![member("y")], 0, 10, track);
    assert_eq!(known(&remote), ["x", "y"]);
    assert_eq!(remote.bye("a").left.len(), 2);
    assert_eq!(remote.nodes(), 0);
}
