//! Members go when their tokens end or are revoked, and are told before.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tidegate_hub::{
    Connection, ConnectionDetails, Definitions, ExpiryRules, Grant, Hub, Join, JoinOptions, Limits,
    ManualClock,
};
use tidegate_protocol::{
    Allow, Definition, JoinRule, Ref, Serializer, Standing, Topic, TopicPattern,
};

const RULES: ExpiryRules = ExpiryRules {
    warn_before: 60,
    leeway: 5,
};

fn hub() -> Hub {
    let definitions = Definitions::new([], 10).unwrap();
    Hub::new(
        Limits::default(),
        definitions,
        Arc::new(ManualClock::default()),
    )
}

fn grant(jti: &str, expires_at: u64) -> Arc<Grant> {
    Arc::new(Grant::new(
        Some(jti),
        None,
        Some(1),
        expires_at,
        Allow::MEMBER,
    ))
}

/// A member without presence, so that nothing comes but what is looked for.
fn member(hub: &Hub, user: &str, grant: Option<Arc<Grant>>) -> Arc<Connection> {
    let details = ConnectionDetails {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 1,
        user_agent: None,
    };
    let connection = hub.connect(details, Some(Serializer::V2)).unwrap();
    let join = Join {
        topic: Topic::new("room").unwrap(),
        join_ref: Ref::from_text("1"),
        reference: Ref::from_text("1"),
        user: user.to_owned(),
        key: None,
        standing: Standing::Token,
        grant,
        metadata: Map::new(),
        options: JoinOptions {
            no_presence: true,
            ..JoinOptions::default()
        },
    };
    hub.join(&connection, Serializer::V2, join).unwrap();
    told(&connection);
    connection
}

/// Events and their payloads that were queued since it was asked last.
fn told(connection: &Connection) -> Vec<(String, Value)> {
    std::iter::from_fn(|| connection.outbox.pop())
        .flat_map(|frame| frame.messages().collect::<Vec<_>>())
        .map(|(_, content)| {
            let frame: Value = serde_json::from_slice(&content).unwrap();
            (frame[3].as_str().unwrap().to_owned(), frame[4].clone())
        })
        .collect()
}

fn ended(reason: &str) -> Vec<(String, Value)> {
    vec![("phx_close".to_owned(), json!({ "reason": reason }))]
}

#[test]
fn a_member_is_told_once_and_then_goes() {
    let hub = hub();
    let (short, long, endless) = (
        member(&hub, "short", Some(grant("1", 1_000))),
        member(&hub, "long", Some(grant("2", 2_000))),
        member(&hub, "endless", None),
    );
    assert!(hub.expire(939, RULES).is_empty());
    assert_eq!(told(&short), []);
    for now in [940, 941, 1_004] {
        assert!(hub.expire(now, RULES).is_empty());
    }
    let soon = (
        "token_expiring".to_owned(),
        json!({"exp": 1_000, "seconds": 60}),
    );
    assert_eq!(told(&short), [soon]);
    assert_eq!(hub.expire(1_005, RULES).len(), 1);
    assert_eq!(told(&short), ended("token expired"));
    assert_eq!(told(&long), []);
    // The next one is found although nobody joined since.
    assert!(hub.expire(1_940, RULES).is_empty());
    assert_eq!(told(&long).len(), 1);
    assert_eq!(hub.expire(2_005, RULES).len(), 1);
    assert_eq!(told(&long), ended("token expired"));
    assert!(hub.expire(u64::MAX, RULES).is_empty());
    assert_eq!(told(&endless), []);
}

#[test]
fn whoever_wants_no_warning_gets_none() {
    let hub = hub();
    let rules = ExpiryRules {
        warn_before: 0,
        ..RULES
    };
    let alice = member(&hub, "alice", Some(grant("1", 1_000)));
    assert!(hub.expire(1_004, rules).is_empty());
    assert_eq!(told(&alice), []);
    assert_eq!(hub.expire(1_005, rules).len(), 1);
    assert_eq!(told(&alice), ended("token expired"));
}

#[test]
fn a_newer_token_counts_from_when_it_is_shown() {
    let hub = hub();
    let alice = member(&hub, "alice", Some(grant("1", 1_000)));
    hub.expire(950, RULES);
    assert_eq!(told(&alice).len(), 1);
    let newer = grant("2", 2_000);
    assert!(hub.renew(&alice, "room", Standing::Token, Some(&newer)));
    assert!(hub.expire(1_500, RULES).is_empty());
    assert_eq!(told(&alice), []);
    hub.expire(1_940, RULES);
    assert_eq!(told(&alice).len(), 1);
    assert_eq!(hub.expire(2_005, RULES).len(), 1);
}

/// P12.
#[test]
fn a_revoked_token_takes_its_member_along() {
    let hub = hub();
    let (one, two) = (
        member(&hub, "alice", Some(grant("1", 1_000))),
        member(&hub, "alice", Some(grant("2", 1_000))),
    );
    let gone = hub.revoke(|grant, user| {
        user == "alice" && grant.is_some_and(|grant| grant.jti.as_deref() == Some("1"))
    });
    assert_eq!(gone.len(), 1);
    assert_eq!(told(&one), ended("token revoked"));
    assert_eq!(told(&two), []);
}

/// G6: who was let in while the definition changed, and so was no member yet when it was looked for
/// those who must go, goes when it is asked once more; who may stay notices nothing.
#[test]
fn who_was_let_in_by_rules_of_before_is_judged_once_more() {
    let hub = hub();
    let before = hub.definitions.changes();
    let definition = Definition {
        pattern: Some(TopicPattern::new("room").unwrap()),
        join: JoinRule::Admin,
        ..Definition::fallback()
    };
    hub.define(definition).unwrap();
    assert_ne!(hub.definitions.changes(), before);
    // Admitted by what held before.
    let late = member(&hub, "late", Some(grant("t", 1_000)));
    assert!(!hub.judge(&late, "room").is_empty());
    assert_eq!(told(&late), ended("unauthorized"));
    assert_eq!(hub.member_count(), 0);
    hub.undefine(&TopicPattern::new("room").unwrap()).unwrap();
    let stays = member(&hub, "stays", Some(grant("t", 1_000)));
    assert!(hub.judge(&stays, "room").is_empty());
    assert!(hub.judge(&stays, "elsewhere").is_empty());
    assert_eq!(hub.member_count(), 1);
}
