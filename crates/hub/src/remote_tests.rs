//! What is known of other gateways, message by message.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::Map;
use tidegate_protocol::presence::Meta;

use super::*;

fn member(phx_ref: &str) -> PeerMember {
    PeerMember {
        topic: Topic::new("room").unwrap(),
        user: "ann".into(),
        key: None,
        hidden: false,
        off: false,
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
        off: member.off,
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
    assert_eq!(remote.shown(&topic), remote.count(&topic));
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
    assert!(remote.expire(5999, 5000).is_empty());
    let expired = remote.expire(6000, 5000);
    let [(name, heard_at, moved)] = &expired[..] else {
        panic!("one is gone: {expired:?}");
    };
    assert_eq!((name.as_str(), *heard_at, moved.left.len()), ("a", 1000, 2));
    assert!(known(&remote).is_empty());
    assert_eq!(remote.nodes(), 1);
    remote.renew(20_000);
    assert!(remote.expire(20_001, 5000).is_empty());
    assert_eq!(remote.nodes(), 1);
    // It was heard first at 4000, and a new lease is no sign of life.
    assert!(remote.has_before("c", 4000) && !remote.has_before("a", 4000));
    assert!(!remote.has_before("c", 3999));
    assert!(remote.heard_before("c", 4000, 4000) && !remote.heard_before("c", 4000, 4001));
}

#[test]
fn there_is_room_for_so_many() {
    let remote = Remote::default();
    let refs: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let refs: Vec<&str> = refs.iter().map(String::as_str).collect();
    // What does not fit is left out, and the rest is not asked for again and again.
    let moved = told(&remote, 1, &refs, 0);
    assert_eq!((moved.joined.len(), moved.refused), (10, 2));
    assert!(!remote.alive("a", 1, 0).ask);
    let moved = change(&remote, 2, join("one more"));
    assert_eq!((moved.refused, moved.ask), (1, false));
    assert_eq!(known(&remote).len(), 10);
    assert!(
        change(&remote, 3, PeerChange::Leave("one more".into()))
            .left
            .is_empty()
    );
    assert_eq!(
        change(&remote, 4, PeerChange::Leave("0".into())).left.len(),
        1
    );
    assert_eq!(change(&remote, 5, join("late")).joined.len(), 1);
    // All others than before: who is gone makes room for them.
    let others: Vec<String> = (0..10).map(|n| format!("other {n}")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let moved = told(&remote, 6, &others, 0);
    assert_eq!(
        (moved.joined.len(), moved.left.len(), moved.refused),
        (10, 10, 0)
    );
    assert_eq!(known(&remote).len(), 10);
}

/// In parts, too: the parts that come first are those that hold.
#[test]
fn parts_beyond_the_room_are_left_out() {
    let remote = Remote::default();
    let part = |edges, refs: std::ops::Range<usize>| {
        let members = refs.map(|n| member(&n.to_string())).collect();
        remote.all("a", 1, edges, members, 0, 10, track)
    };
    assert_eq!(part((true, false), 0..6).refused, 0);
    assert_eq!(part((false, false), 6..12).refused, 0);
    let moved = part((false, true), 12..15);
    assert_eq!((moved.joined.len(), moved.refused), (10, 5));
    assert!(!remote.alive("a", 1, 0).ask);
}

/// Members of channels without presence are known, and not shown, until that changes.
#[test]
fn who_is_without_presence_is_known_and_not_shown() {
    let remote = Remote::default();
    let topic = Topic::new("room").unwrap();
    let all = |number, off| {
        let member = PeerMember { off, ..member("x") };
        remote.all("a", number, (true, true), vec![member], 0, 10, track)
    };
    assert_eq!(all(1, true).joined.len(), 1);
    assert_eq!((remote.of(&topic).len(), remote.shown(&topic)), (0, 0));
    assert_eq!((remote.count(&topic), remote.members()), (1, 1));
    let moved = all(2, false);
    assert_eq!((moved.left.len(), moved.joined.len()), (1, 1));
    assert_eq!((remote.of(&topic).len(), remote.shown(&topic)), (1, 1));
    let moved = all(3, true);
    assert_eq!((moved.left.len(), moved.joined.len()), (1, 1));
    assert_eq!((remote.of(&topic).len(), remote.shown(&topic)), (0, 0));
    assert_eq!((remote.count(&topic), remote.members()), (1, 1));
    assert_eq!(remote.bye("a").left.len(), 1);
    assert_eq!((remote.count(&topic), remote.members()), (0, 0));
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
