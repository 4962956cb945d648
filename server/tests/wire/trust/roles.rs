//! Channels for roles, and channels with a push rate of their own (section 3; P14, G6).

use serde_json::{Value, json};

use super::{Asks, gateway, member, refused, removed, signs_in};
use crate::gateway::{Gateway, PASSWORD};
use crate::http_api::request;
use crate::socket::{ok, refused as refusal};

async fn define(admin: &Asks<'_>, definition: Value) {
    admin.ok("PUT", "/definitions", definition).await;
}

async fn token_with(asks: &Asks<'_>, id: &str, roles: &[&str]) -> String {
    let wanted = json!({"id": id, "channels": ["desk:*"], "roles": roles});
    let issued = asks.ok("POST", "/auth/token", wanted).await;
    let listed: Vec<&str> = issued["info"]["roles"]
        .as_array()
        .map(|roles| roles.iter().map(|role| role.as_str().unwrap()).collect())
        .unwrap_or_default();
    assert_eq!(listed, roles);
    issued["token"].as_str().unwrap().to_owned()
}

/// G6: who has none of the roles goes when the channel becomes theirs, and is told; others stay.
#[tokio::test]
async fn a_channel_becomes_that_of_a_role() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (gateway(&folder).await, gateway(&folder).await);
    let admin = Asks::admin(&here).await;
    let plain = token_with(&admin, "bob", &[]).await;
    let editor = token_with(&admin, "ed", &["editor", "night"]).await;
    let mut goes = member(&here, "desk:1", &plain).await;
    let mut far = member(&there, "desk:1", &plain).await;
    let mut stays = member(&here, "desk:1", &editor).await;
    let mut definition = json!({
        "pattern": "desk:*", "join": "roles", "join_roles": ["editor", "chief"],
        "push": "roles", "push_roles": ["chief"],
    });
    define(&admin, definition.clone()).await;
    assert_eq!(removed(&mut goes).await, "role needed");
    assert_eq!(removed(&mut far).await, "role needed");
    assert_eq!(refused(&there, "desk:1", &plain).await, "role needed");
    assert_eq!(refused(&there, "desk:2", &editor).await, Value::Null);
    let frames = stays.settle().await;
    assert!(!frames.iter().any(|f| f[3] == "phx_close"), "{frames:?}");

    // It reads; a newer token lets it push, and the one after takes that away again.
    let push = |n: &str| json!(["1", n, "desk:1", "say", {}]);
    let mute = stays.ask(push("2")).await;
    assert_eq!(
        mute,
        refusal(json!("1"), json!("2"), "desk:1", "push not allowed")
    );
    for (n, roles, reason) in [
        ("3", &["chief"][..], ""),
        ("5", &["editor"], "push not allowed"),
    ] {
        let token = token_with(&admin, "ed", roles).await;
        let renewal = json!(["1", n, "desk:1", "access_token", {"access_token": token}]);
        assert_eq!(stays.ask(renewal).await, ok(json!("1"), json!(n), "desk:1"));
        let reply = stays.ask(push("9")).await;
        assert_eq!(
            reply[4]["response"]["reason"].as_str().unwrap_or(""),
            reason
        );
    }
    // A token without the role renews nothing.
    let renewal = json!(["1", "7", "desk:1", "access_token", {"access_token": plain}]);
    let reply = stays.ask(renewal).await;
    assert_eq!(reply[4]["response"]["reason"], "role needed");

    // The definition comes back as it was said, and says what is wrong with others.
    definition["presence"] = json!("full");
    let all = admin.ok("GET", "/definitions", Value::Null).await;
    let found = all
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["pattern"] == "desk:*")
        .unwrap();
    assert_eq!(found["join_roles"], definition["join_roles"]);
    assert_eq!(found["push_roles"], definition["push_roles"]);
    for (wrong, words) in [
        (json!({"pattern": "a", "join": "roles"}), "join_roles"),
        (json!({"pattern": "a", "push": "roles"}), "push_roles"),
        (json!({"pattern": "a", "join_roles": ["x"]}), "join_roles"),
        (
            json!({"pattern": "a", "join": "roles", "join_roles": ["a b"]}),
            "spaces",
        ),
        (
            json!({"pattern": "a", "join": "roles", "join_roles": vec!["x"; 17]}),
            "16 roles",
        ),
        (
            json!({"pattern": "a", "push_rate": {"pushes": 0, "seconds": 1}}),
            "push_rate",
        ),
        (
            json!({"pattern": "a", "push_rate": {"pushes": 1, "seconds": 3601}}),
            "push_rate",
        ),
    ] {
        let (status, problem) = admin.ask("PUT", "/definitions", wrong).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            status == 422 && detail.contains(words),
            "{words}: {problem}"
        );
    }
}

/// Section 3: nobody gives away a role of the gateway that it has not; other roles are words.
#[tokio::test]
async fn roles_of_the_gateway_are_given_by_who_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let key = json!({"name": "program", "role": "operator"});
    let key = admin.ok("POST", "/auth/api-keys", key).await;
    let operator = Asks::bearer(&gateway, key["key"].as_str().unwrap());
    token_with(&operator, "a", &["viewer", "operator", "boss"]).await;
    let wanted = json!({"channels": ["desk:1"], "roles": ["admin"]});
    let (status, problem) = operator.ask("POST", "/auth/token", wanted).await;
    assert_eq!(status, 403, "{problem}");
    token_with(&admin, "a", &["admin"]).await;
    for roles in [
        json!(["a b"]),
        json!([""]),
        json!(vec!["a"; 101]),
        json!("editor"),
    ] {
        let wanted = json!({"channels": ["desk:1"], "roles": roles});
        assert_eq!(admin.ask("POST", "/auth/token", wanted).await.0, 422);
    }
}

/// Section 3: who has signed in gets a token for a channel of its role, where others get none at all.
#[tokio::test]
async fn users_join_the_channels_of_their_role() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let flags = [
        "--host",
        "0.0.0.0",
        "--data-dir",
        dir,
        "--admin-password",
        PASSWORD,
    ];
    let gateway = Gateway::with(&flags, "").await;
    let admin = Asks::admin(&gateway).await;
    let (name, password) = ("vera", "a long enough passphrase");
    let user = json!({"name": name, "password": password, "role": "viewer"});
    admin.ok("POST", "/auth/users", user).await;
    for (pattern, role) in [
        ("desk:look", "viewer"),
        ("desk:steer", "operator"),
        ("open:*", "viewer"),
    ] {
        let definition = json!({"pattern": pattern, "join": "roles", "join_roles": [role]});
        define(&admin, definition).await;
    }
    let cookie = signs_in(&gateway, name, password).await.unwrap();
    let asks = async |headers: &[(&str, &str)], channel: &str| {
        let body = json!({"channel": channel, "id": name});
        request(&gateway, "POST", "/token", headers, Some(&body)).await
    };
    let viewer = [("cookie", cookie.as_str()), ("x-tidegate-request", "1")];
    for (headers, channel, expected) in [
        (&viewer[..], "desk:look", 200),
        (&viewer[..], "desk:steer", 403),
        (&viewer[..], "desk:*", 403),
        (&viewer[..], "open:1", 200),
        // Under the pattern there may be a channel that is not for its role.
        (&viewer[..], "open:*", 403),
        (&viewer[..], "elsewhere", 403),
        (&viewer[..1], "desk:look", 403),
        (&[], "desk:look", 403),
    ] {
        let (status, answer) = asks(headers, channel).await;
        assert_eq!(status, expected, "{channel}: {answer}");
    }
    let (_, answer) = asks(&viewer, "desk:look").await;
    member(&gateway, "desk:look", answer["token"].as_str().unwrap()).await;
}

/// P14: a channel's own rate counts what a connection pushes there, and there alone, however
/// often it leaves and comes back.
#[tokio::test]
async fn a_push_rate_of_a_channel() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let slow = json!({
        "pattern": "desk:slow", "push_rate": {"pushes": 2, "seconds": 3600}, "presence": "off",
    });
    define(&admin, slow.clone()).await;
    let token = token_with(&admin, "ed", &[]).await;
    let mut socket = member(&gateway, "desk:slow", &token).await;
    let push = |topic: &str| json!(["1", "2", topic, "say", {}]);
    for reason in [Value::Null, Value::Null, json!("too many pushes")] {
        let reply = socket.ask(push("desk:slow")).await;
        assert_eq!(reply[4]["response"]["reason"], reason, "{reply}");
    }
    socket
        .send(json!(["1", "3", "desk:slow", "phx_leave", {}]))
        .await;
    while socket.next().await[3] != "phx_close" {}
    for topic in ["desk:slow", "desk:fast"] {
        let join = json!(["1", "4", topic, "phx_join", {"token": token}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
    }
    socket.settle().await;
    let reply = socket.ask(push("desk:slow")).await;
    assert_eq!(reply[4]["response"]["reason"], "too many pushes");
    for _ in 0..5 {
        let reply = socket.ask(push("desk:fast")).await;
        assert_eq!(reply, ok(json!("1"), json!("2"), "desk:fast"));
    }
    // Another connection has a count of its own; a new rate holds at once.
    let mut other = member(&gateway, "desk:slow", &token).await;
    assert_eq!(other.ask(push("desk:slow")).await[4]["status"], "ok");
    let mut faster = slow;
    faster["push_rate"]["pushes"] = json!(3);
    define(&admin, faster).await;
    assert_eq!(socket.ask(push("desk:slow")).await[4]["status"], "ok");
}
