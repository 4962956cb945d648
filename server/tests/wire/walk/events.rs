//! What may be said in a socket, by whom.

use serde_json::{Value, json};

use super::Stage;
use crate::gateway::{SECRET, now, signed};
use crate::socket::Socket;

/// Who connects: nobody, tokens by what they allow, tokens that are no good.
#[rustfmt::skip]
fn tokens() -> Vec<(&'static str, Option<Value>)> {
    let rights = |allow: &[&str]| Some(json!({"allow": allow}));
    vec![
        ("anonymous", None),
        ("plain", Some(json!({}))),
        ("join", rights(&["join"])),
        ("join push", rights(&["join", "push"])),
        ("join presence", rights(&["join", "presence"])),
        ("push", rights(&["push"])),
        ("nothing", rights(&[])),
        ("admin", rights(&["admin"])),
        ("for admin", Some(json!({"channel": "admin"}))),
        ("elsewhere", Some(json!({"channel": "elsewhere"}))),
        ("expired", Some(json!({"exp": now() - 60}))),
        ("forged", Some(json!({"secret": "another secret"}))),
        ("editor", Some(json!({"roles": ["editor"]}))),
        ("chief", Some(json!({"roles": ["x", "editor", "chief"]}))),
    ]
}

fn token(of: &Value, topic: &str) -> String {
    let mut claims = json!({"id": "walker", "channel": topic, "exp": now() + 600});
    let mut secret = SECRET;
    for (name, value) in of.as_object().unwrap() {
        if name == "secret" {
            secret = value.as_str().unwrap();
        } else {
            claims[name] = value.clone();
        }
    }
    signed(&claims, secret, jsonwebtoken::Algorithm::HS256)
}

/// The reason of a refusal, or `ok`.
async fn outcome(socket: &mut Socket, frame: Value) -> String {
    let reference = frame[1].clone();
    socket.send(frame).await;
    loop {
        let frame = socket.next().await;
        if frame[3] == "phx_reply" && frame[1] == reference {
            let reason = &frame[4]["response"]["reason"];
            return reason.as_str().unwrap_or("ok").to_owned();
        }
    }
}

/// The topics, and how they are defined.
const TOPICS: [&str; 7] = [
    "public", "announce", "token", "spoken", "staff", "admins", "admin",
];

async fn define(stage: &Stage) {
    for (pattern, join, push) in [
        ("public", "public", "member"),
        ("announce", "public", "nobody"),
        ("token", "token", "token"),
        ("spoken", "token", "admin"),
        ("admins", "admin", "admin"),
    ] {
        let wanted = json!({"pattern": pattern, "join": join, "push": push});
        stage.does("PUT", "/definitions", wanted).await;
    }
    let staff = json!({
        "pattern": "staff", "join": "roles", "join_roles": ["editor", "reader"],
        "push": "roles", "push_roles": ["chief"],
    });
    stage.does("PUT", "/definitions", staff).await;
}

const U: &str = "unauthorized";
const I: &str = "invalid token";
const E: &str = "token expired";
const R: &str = "role needed";
const O: &str = "token is for another channel";

/// Joins, row by row: who, and what `public`, `announce`, `token`, `spoken`, `staff`, `admins` and
/// `admin` answer.
#[rustfmt::skip]
const JOINS: [(&str, [&str; 7]); 14] = [
    ("anonymous",     ["ok", "ok", U,    U,    U,    U,    U]),
    ("plain",         ["ok", "ok", "ok", "ok", R,    O,    "ok"]),
    ("join",          ["ok", "ok", "ok", "ok", R,    O,    "ok"]),
    ("join push",     ["ok", "ok", "ok", "ok", R,    O,    "ok"]),
    ("join presence", ["ok", "ok", "ok", "ok", R,    O,    "ok"]),
    ("push",          [U,    U,    U,    U,    U,    U,    "ok"]),
    ("nothing",       [U,    U,    U,    U,    U,    U,    "ok"]),
    ("admin",         ["ok", "ok", "ok", "ok", "ok", "ok", "ok"]),
    ("for admin",     [O,    O,    O,    O,    O,    O,    "ok"]),
    ("elsewhere",     [O,    O,    O,    O,    O,    O,    O]),
    ("expired",       [E,    E,    E,    E,    E,    E,    E]),
    ("forged",        [I,    I,    I,    I,    I,    I,    I]),
    ("editor",        ["ok", "ok", "ok", "ok", "ok", O,    "ok"]),
    ("chief",         ["ok", "ok", "ok", "ok", "ok", O,    "ok"]),
];

const P: &str = "push not allowed";
const N: &str = "unmatched topic";

/// Pushes of whoever has joined. On the topic `admin` nobody pushes an event that reaches anybody.
#[rustfmt::skip]
const PUSHES: [(&str, [&str; 6]); 14] = [
    ("anonymous",     ["ok", P,    N,    N,    N,    N]),
    ("plain",         ["ok", P,    "ok", P,    N,    N]),
    ("join",          [P,    P,    P,    P,    N,    N]),
    ("join push",     ["ok", P,    "ok", P,    N,    N]),
    ("join presence", [P,    P,    P,    P,    N,    N]),
    ("push",          [N,    N,    N,    N,    N,    N]),
    ("nothing",       [N,    N,    N,    N,    N,    N]),
    ("admin",         ["ok", P,    "ok", "ok", "ok", "ok"]),
    ("for admin",     [N,    N,    N,    N,    N,    N]),
    ("elsewhere",     [N,    N,    N,    N,    N,    N]),
    ("expired",       [N,    N,    N,    N,    N,    N]),
    ("forged",        [N,    N,    N,    N,    N,    N]),
    ("editor",        ["ok", P,    "ok", P,    P,    N]),
    ("chief",         ["ok", P,    "ok", P,    "ok", N]),
];

/// Presence and a renewal, of members of `token` and of `public`.
#[rustfmt::skip]
const OWN: [(&str, [&str; 4]); 14] = [
    // presence_update on public, on token; access_token with its own token there
    ("anonymous",     ["ok", N,    "token is for another user", N]),
    ("plain",         ["ok", "ok", "ok", "ok"]),
    ("join",          [P,    P,    "ok", "ok"]),
    ("join push",     [P,    P,    "ok", "ok"]),
    ("join presence", ["ok", "ok", "ok", "ok"]),
    ("push",          [N,    N,    N,    N]),
    ("nothing",       [N,    N,    N,    N]),
    ("admin",         [P,    P,    "ok", "ok"]),
    ("for admin",     [N,    N,    N,    N]),
    ("elsewhere",     [N,    N,    N,    N]),
    ("expired",       [N,    N,    N,    N]),
    ("forged",        [N,    N,    N,    N]),
    ("editor",        ["ok", "ok", "ok", "ok"]),
    ("chief",         ["ok", "ok", "ok", "ok"]),
];

/// Section 3: joins, pushes, presence, renewals and leaves, of everybody on every kind of channel.
#[tokio::test]
async fn every_event_answers_everybody_as_the_tables_say() {
    let stage = Stage::set().await;
    define(&stage).await;
    for (row, (who, shown)) in tokens().into_iter().enumerate() {
        let mut socket = stage.gateway.connect().await;
        let payload = |topic: &str| match &shown {
            None => json!({}),
            Some(of) => json!({"token": token(of, topic)}),
        };
        assert_eq!((JOINS[row].0, PUSHES[row].0, OWN[row].0), (who, who, who));
        for (topic, expected) in TOPICS.iter().zip(JOINS[row].1) {
            // On the topic itself: each claims what it can.
            let join = json!(["1", format!("j{topic}"), topic, "phx_join", payload(topic)]);
            let said = outcome(&mut socket, join).await;
            assert_eq!(said, expected, "{who} joins {topic}");
        }
        for (topic, expected) in TOPICS.iter().zip(PUSHES[row].1) {
            let push = json!(["1", format!("p{topic}"), topic, "say", {}]);
            let said = outcome(&mut socket, push).await;
            assert_eq!(said, expected, "{who} pushes to {topic}");
            for event in ["phx_error", "presence_state", "phx_reply"] {
                let push = json!(["1", format!("{event}{topic}"), topic, event, {}]);
                let said = outcome(&mut socket, push).await;
                let expected = if expected == N { N } else { "reserved event" };
                assert_eq!(said, expected, "{who} forges {event} on {topic}");
            }
        }
        let renewal = |topic: &str| {
            let plain = json!({});
            json!({"token": token(shown.as_ref().unwrap_or(&plain), topic)})
        };
        for (n, (topic, event)) in [
            ("public", "presence_update"),
            ("token", "presence_update"),
            ("public", "access_token"),
            ("token", "access_token"),
        ]
        .into_iter()
        .enumerate()
        {
            let said = if event == "access_token" {
                renewal(topic)
            } else {
                json!({"a": 1})
            };
            let said = outcome(
                &mut socket,
                json!(["1", format!("o{n}"), topic, event, said]),
            )
            .await;
            assert_eq!(said, OWN[row].1[n], "{who}: {event} on {topic}");
        }
        for topic in TOPICS {
            let leave = json!(["1", format!("l{topic}"), topic, "phx_leave", {}]);
            assert_eq!(
                outcome(&mut socket, leave).await,
                "ok",
                "{who} leaves {topic}"
            );
        }
    }
}

/// Section 3: watching is for who shows a token for `admin`, and for nobody else.
#[tokio::test]
async fn watching_is_for_administrators() {
    let stage = Stage::set().await;
    for (who, shown) in tokens() {
        for topic in ["admin:watch:room", "admin:watch:admin", "admin:x"] {
            let mut socket = stage.gateway.connect().await;
            let payload = match &shown {
                None => json!({}),
                Some(of) => json!({"token": token(of, topic)}),
            };
            let join = json!(["1", "1", topic, "phx_join", payload]);
            let said = outcome(&mut socket, join).await;
            let expected = match who {
                "admin" | "for admin" => "ok",
                "anonymous" | "push" | "nothing" => U,
                "expired" => E,
                "forged" => I,
                _ => O,
            };
            assert_eq!(said, expected, "{who} on {topic}");
        }
    }
}

/// P13: the token of a socket that is for another channel lets nobody push to a public one, whatever
/// roles it carries; shown for the channel it is for, the roles count.
#[tokio::test]
async fn the_roles_of_another_channel_do_not_count() {
    let stage = Stage::set().await;
    let news = json!({
        "pattern": "news", "join": "public", "push": "roles", "push_roles": ["editor"],
    });
    stage.does("PUT", "/definitions", news).await;
    let editor = json!({"roles": ["editor"]});
    for (of, expected) in [("room", P), ("news", "ok")] {
        let query = format!("vsn=2.0.0&userToken={}", token(&editor, of));
        let port = stage.gateway.port;
        let mut socket = Socket::open(port, &query, &[]).await.unwrap();
        let join = json!(["1", "1", "news", "phx_join", {}]);
        assert_eq!(outcome(&mut socket, join).await, "ok", "{of}");
        let push = json!(["1", "2", "news", "say", {}]);
        assert_eq!(outcome(&mut socket, push).await, expected, "{of}");
    }
}
