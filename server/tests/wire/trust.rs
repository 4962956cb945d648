//! Keys, tokens, users, sessions, API keys and what is remembered of them (P7, P10 to P13, P16).

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::gateway::{Gateway, PASSWORD, PATIENCE, token};
use crate::http_api::{raw, request, sign_in};
use crate::socket::Socket;

const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// Somebody who uses the API: by a session's cookie, or by a key.
struct Asks<'a> {
    gateway: &'a Gateway,
    header: (&'static str, String),
}

impl<'a> Asks<'a> {
    async fn admin(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            header: ("cookie", sign_in(gateway, PASSWORD).await),
        }
    }

    fn bearer(gateway: &'a Gateway, key: &str) -> Self {
        Self {
            gateway,
            header: ("authorization", format!("Bearer {key}")),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let path = format!("/api/v1{path}");
        let headers = [(self.header.0, self.header.1.as_str()), HERE];
        let body = (!body.is_null()).then_some(&body);
        request(self.gateway, method, &path, &headers, body).await
    }

    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    async fn issue(&self, id: &str, channel: &str) -> (String, String) {
        let wanted = json!({"id": id, "channels": [channel]});
        let issued = self.ok("POST", "/auth/token", wanted).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&issued["token"]), text(&issued["info"]["jti"]))
    }
}

/// A gateway with a folder of its own and no shared secret.
async fn gateway(folder: &tempfile::TempDir) -> Gateway {
    let folder = folder.path().to_str().unwrap();
    Gateway::with(&["--data-dir", folder, "--admin-password", PASSWORD], "").await
}

async fn join(socket: &mut Socket, topic: &str, token: &str) -> Value {
    socket
        .send(json!(["1", "1", topic, "phx_join", {"token": token}]))
        .await;
    loop {
        let frame = socket.next().await;
        if frame[3] == "phx_reply" {
            return frame[4]["response"]["reason"].clone();
        }
    }
}

async fn member(gateway: &Gateway, topic: &str, token: &str) -> Socket {
    let mut socket = gateway.connect().await;
    assert_eq!(join(&mut socket, topic, token).await, Value::Null);
    socket
}

/// Waits for the end of the membership, and gives its reason.
async fn removed(socket: &mut Socket) -> Value {
    timeout(PATIENCE, async {
        loop {
            let frame = socket.next().await;
            if frame[3] == "phx_close" {
                return frame[4]["reason"].clone();
            }
        }
    })
    .await
    .unwrap()
}

async fn refused(gateway: &Gateway, topic: &str, token: &str) -> Value {
    join(&mut gateway.connect().await, topic, token).await
}

/// P10, P13: what an issued token says, and what is said of it.
#[tokio::test]
async fn an_issued_token_is_listed_and_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let wanted =
        json!({"id": "alice", "channels": ["room:*", "news"], "allow": ["join"], "seconds": 60});
    let issued = admin.ok("POST", "/auth/token", wanted).await;
    let token = issued["token"].as_str().unwrap();
    let listed = admin.ok("GET", "/auth/tokens?id=alice", Value::Null).await;
    assert_eq!(listed["items"], json!([issued["info"]]));
    assert_eq!(issued["info"]["issued_by"], "admin");
    let said = admin
        .ok("POST", "/auth/introspect", json!({"token": token}))
        .await;
    assert_eq!(said["active"], true);
    assert_eq!(
        (&said["sub"], &said["iss"]),
        (&json!("alice"), &json!("tidegate"))
    );
    assert_eq!(said["scope"], "room:* news");
    assert_eq!(said["jti"], issued["info"]["jti"]);
    assert_eq!(said["kid"], issued["info"]["kid"]);
    let said = admin
        .ok("POST", "/auth/introspect", json!({"token": "a.b.c"}))
        .await;
    assert_eq!(said, json!({"active": false, "reason": "invalid token"}));

    // It allows joining, and no more.
    let mut socket = member(&gateway, "room:1", token).await;
    let push = json!(["1", "2", "room:1", "say", {}]);
    let reply = socket.ask(push).await;
    assert_eq!(
        reply[4]["response"]["reason"], "push not allowed",
        "{reply}"
    );
    for (wanted, status) in [
        (json!({"channels": []}), 422),
        (json!({"channels": ["a\nb"]}), 422),
        (json!({"channels": ["a"], "seconds": 0}), 422),
        (json!({"channels": ["a"], "role": "admin"}), 422),
    ] {
        let (answer, problem) = admin.ask("POST", "/auth/token", wanted).await;
        assert_eq!(answer, status, "{problem}");
    }
}

/// P11: after a rotation everybody stays and old tokens open doors; after one at once, nobody does.
#[tokio::test]
async fn keys_rotate_with_and_without_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let (old, _) = admin.issue("alice", "room").await;
    let mut alice = member(&gateway, "room", &old).await;
    admin.ok("POST", "/auth/keys/rotate", json!({})).await;
    let keys = admin.ok("GET", "/auth/keys", Value::Null).await;
    let states: Vec<_> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["state"])
        .collect();
    assert_eq!(states, ["current", "previous"]);
    assert_eq!(keys[1]["tokens"], 1);
    let (new, _) = admin.issue("bob", "room").await;
    let mut bob = member(&gateway, "room", &new).await;
    assert_eq!(refused(&gateway, "room", &old).await, Value::Null);
    alice.settle().await;

    // What still checks can be ended by itself.
    let kid = keys[1]["kid"].as_str().unwrap();
    admin
        .ok("DELETE", &format!("/auth/keys/{kid}"), Value::Null)
        .await;
    assert_eq!(removed(&mut alice).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &old).await, "token revoked");
    let current = keys[0]["kid"].as_str().unwrap();
    let (status, _) = admin
        .ask("DELETE", &format!("/auth/keys/{current}"), Value::Null)
        .await;
    assert_eq!(status, 409);

    admin
        .ok("POST", "/auth/keys/rotate", json!({"immediate": true}))
        .await;
    assert_eq!(removed(&mut bob).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &new).await, "token revoked");
}

/// P12: by token, by subject, by key; on every gateway that shares the store.
#[tokio::test]
async fn a_revoked_token_fails_everywhere_and_its_members_go() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (gateway(&folder).await, gateway(&folder).await);
    let admin = Asks::admin(&here).await;
    let (token, jti) = admin.issue("alice", "room").await;
    let (other, _) = admin.issue("alice", "room").await;
    let mut near = member(&here, "room", &token).await;
    let mut far = member(&there, "room", &token).await;
    let mut stays = member(&there, "room", &other).await;
    admin
        .ok("DELETE", &format!("/auth/tokens/{jti}"), Value::Null)
        .await;
    // The very next join.
    assert_eq!(refused(&here, "room", &token).await, "token revoked");
    assert_eq!(removed(&mut near).await, "token revoked");
    assert_eq!(removed(&mut far).await, "token revoked");
    assert_eq!(refused(&there, "room", &token).await, "token revoked");
    let left = stays.settle().await;
    assert!(
        !left.iter().any(|frame| frame[3] == "phx_close"),
        "{left:?}"
    );

    admin
        .ok("POST", "/auth/revoke", json!({"subject": "alice"}))
        .await;
    assert_eq!(removed(&mut stays).await, "token revoked");
    assert_eq!(refused(&here, "room", &other).await, "token revoked");
    // What is issued afterwards is good, there too.
    let (new, _) = admin.issue("alice", "room").await;
    assert_eq!(refused(&there, "room", &new).await, Value::Null);
    admin
        .ok("POST", "/auth/revoke", json!({"token": new}))
        .await;
    assert_eq!(refused(&here, "room", &new).await, "token revoked");
    for wanted in [
        json!({}),
        json!({"jti": "a", "kid": "b"}),
        json!({"token": "x"}),
    ] {
        assert_eq!(admin.ask("POST", "/auth/revoke", wanted).await.0, 422);
    }
    assert_eq!(
        admin
            .ask("DELETE", "/auth/tokens/none", Value::Null)
            .await
            .0,
        404
    );
}

/// Tokens that programs sign with the shared secret have no name: they go with their subject.
#[tokio::test]
async fn a_plain_token_goes_with_its_subject() {
    let gateway = Gateway::start().await;
    let admin = Asks::admin(&gateway).await;
    let plain = token("alice", "room");
    let mut alice = member(&gateway, "room", &plain).await;
    assert_eq!(
        admin
            .ask("POST", "/auth/revoke", json!({"token": plain}))
            .await
            .0,
        422
    );
    admin
        .ok("POST", "/auth/revoke", json!({"subject": "alice"}))
        .await;
    assert_eq!(removed(&mut alice).await, "token revoked");
    assert_eq!(refused(&gateway, "room", &plain).await, "token revoked");
    assert_eq!(
        refused(&gateway, "room", &token("bob", "room")).await,
        Value::Null
    );

    // The secret has leaked: nothing that it signs is taken any more.
    let mut bob = member(&gateway, "room", &token("bob", "room")).await;
    admin
        .ok("POST", "/auth/keys/rotate", json!({"immediate": true}))
        .await;
    assert_eq!(removed(&mut bob).await, "token revoked");
    assert_eq!(
        refused(&gateway, "room", &token("bob", "room")).await,
        "invalid token"
    );
    let (new, _) = admin.issue("bob", "room").await;
    assert_eq!(refused(&gateway, "room", &new).await, Value::Null);
}

/// A member is told before its token ends, may show a newer one, and goes when it does not.
#[tokio::test]
async fn a_member_goes_with_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let short = json!({"id": "alice", "channels": ["room"], "seconds": 2});
    let issued = admin.ok("POST", "/auth/token", short).await;
    let short = issued["token"].as_str().unwrap();
    let mut alice = member(&gateway, "room", short).await;
    let mut renews = member(&gateway, "room", short).await;
    for socket in [&mut alice, &mut renews] {
        let told = loop {
            let frame = socket.next().await;
            if frame[3] == "token_expiring" {
                break frame;
            }
        };
        assert!(told[4]["seconds"].as_u64().unwrap() <= 2, "{told}");
    }
    let (long, _) = admin.issue("alice", "room").await;
    renews
        .send(json!(["1", "2", "room", "access_token", {"token": long}]))
        .await;
    assert_eq!(removed(&mut alice).await, "token expired");
    let left = renews.settle().await;
    assert!(
        !left.iter().any(|frame| frame[3] == "phx_close"),
        "{left:?}"
    );
}

/// Every role against routes of each kind, and what a request without a right is answered.
#[tokio::test]
async fn roles_and_routes() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let mut keys = Vec::new();
    for role in ["viewer", "operator", "admin"] {
        let made = admin
            .ok(
                "POST",
                "/auth/api-keys",
                json!({"name": role.to_owned() + "-key", "role": role}),
            )
            .await;
        keys.push(made["key"].as_str().unwrap().to_owned());
    }
    let _member = member(&gateway, "room", &admin.issue("alice", "room").await.0).await;
    let definition = json!({"pattern": "mine", "join": "public"});
    let user = json!({"name": "somebody", "role": "viewer", "password": "short"});
    // For viewer, operator, admin.
    for (method, path, body, expected) in [
        ("GET", "/overview", Value::Null, [200, 200, 200]),
        ("GET", "/channels", Value::Null, [200, 200, 200]),
        ("GET", "/channels/room", Value::Null, [200, 200, 200]),
        (
            "GET",
            "/channels/room/members",
            Value::Null,
            [200, 200, 200],
        ),
        ("GET", "/connections", Value::Null, [200, 200, 200]),
        ("GET", "/definitions", Value::Null, [200, 200, 200]),
        ("GET", "/auth/sessions", Value::Null, [200, 200, 200]),
        (
            "POST",
            "/channels/room/events",
            json!({"event": "e", "payload": 1}),
            [403, 200, 200],
        ),
        ("DELETE", "/channels/none", Value::Null, [403, 404, 404]),
        (
            "DELETE",
            "/channels/room/members/none",
            Value::Null,
            [403, 404, 404],
        ),
        ("DELETE", "/connections/none", Value::Null, [403, 404, 404]),
        (
            "POST",
            "/auth/token",
            json!({"channels": ["a"]}),
            [403, 200, 200],
        ),
        (
            "POST",
            "/auth/token",
            json!({"channels": ["admin"]}),
            [403, 403, 200],
        ),
        (
            "POST",
            "/auth/token",
            json!({"channels": ["a"], "allow": ["admin"]}),
            [403, 403, 200],
        ),
        ("GET", "/auth/tokens", Value::Null, [403, 200, 200]),
        ("DELETE", "/auth/tokens/none", Value::Null, [403, 404, 404]),
        (
            "POST",
            "/auth/introspect",
            json!({"token": "x"}),
            [403, 200, 200],
        ),
        (
            "POST",
            "/auth/revoke",
            json!({"jti": "none"}),
            [403, 404, 404],
        ),
        ("PUT", "/definitions", definition, [403, 403, 200]),
        ("DELETE", "/definitions/none", Value::Null, [403, 403, 404]),
        ("GET", "/auth/keys", Value::Null, [403, 403, 200]),
        ("POST", "/auth/keys/rotate", json!({}), [403, 403, 200]),
        ("DELETE", "/auth/keys/none", Value::Null, [403, 403, 404]),
        ("GET", "/auth/users", Value::Null, [403, 403, 200]),
        ("POST", "/auth/users", user, [403, 403, 422]),
        ("PUT", "/auth/users/none", json!({}), [403, 403, 404]),
        ("DELETE", "/auth/users/none", Value::Null, [403, 403, 404]),
        (
            "DELETE",
            "/auth/sessions/none",
            Value::Null,
            [404, 404, 404],
        ),
        ("GET", "/auth/api-keys", Value::Null, [403, 403, 200]),
        (
            "POST",
            "/auth/api-keys",
            json!({"name": "A b", "role": "viewer"}),
            [403, 403, 422],
        ),
        (
            "DELETE",
            "/auth/api-keys/none",
            Value::Null,
            [403, 403, 404],
        ),
        ("GET", "/activity", Value::Null, [403, 403, 200]),
        ("GET", "/activity/export", Value::Null, [403, 403, 200]),
        ("GET", "/activity/principals", Value::Null, [403, 403, 200]),
    ] {
        for (key, expected) in keys.iter().zip(expected) {
            let asks = Asks::bearer(&gateway, key);
            let (status, answer) = asks.ask(method, path, body.clone()).await;
            assert_eq!(status, expected, "{method} {path} {}: {answer}", &key[..8]);
        }
        let api = format!("/api/v1{path}");
        let (status, _) = request(&gateway, method, &api, &[HERE], Some(&body)).await;
        assert_eq!(status, 401, "{method} {path}");
    }
    let bad = [("authorization", "Bearer tgk_guess")];
    let (status, head, _) = raw(&gateway, "GET", "/api/v1/overview", &bad, None).await;
    assert_eq!(status, 401);
    assert!(
        head.contains(r#"www-authenticate: Bearer error="invalid_token""#),
        "{head}"
    );

    // A revoked key is none, in the very next request.
    let listed = admin.ok("GET", "/auth/api-keys", Value::Null).await;
    let of_viewer = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "viewer-key");
    let id = of_viewer.unwrap()["id"].as_str().unwrap();
    admin
        .ok("DELETE", &format!("/auth/api-keys/{id}"), Value::Null)
        .await;
    let viewer = Asks::bearer(&gateway, &keys[0]);
    assert_eq!(viewer.ask("GET", "/overview", Value::Null).await.0, 401);
    // A token that allows it is an administrator's; another one is not.
    let wanted = json!({"id": "ops", "channels": ["a"], "allow": ["admin"]});
    let issued = admin.ok("POST", "/auth/token", wanted).await;
    let by_token = Asks::bearer(&gateway, issued["token"].as_str().unwrap());
    by_token.ok("GET", "/auth/users", Value::Null).await;
    let plain = admin.issue("alice", "admin").await.0;
    assert_eq!(
        Asks::bearer(&gateway, &plain)
            .ask("GET", "/overview", Value::Null)
            .await
            .0,
        401
    );
}

async fn signs_in(gateway: &Gateway, name: &str, password: &str) -> Result<String, u16> {
    let body = json!({"name": name, "password": password});
    let (status, head, _) = raw(gateway, "POST", "/api/v1/session", &[HERE], Some(&body)).await;
    if status != 200 {
        return Err(status);
    }
    let line = head
        .lines()
        .find(|line| line.starts_with("set-cookie: "))
        .unwrap();
    let cookie = line["set-cookie: ".len()..].split(';').next().unwrap();
    Ok(cookie.to_owned())
}

/// Users sign in by name, may do what their role says, and are out when they are put out.
#[tokio::test]
async fn users_sign_in_and_are_put_out() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let new = json!({"name": "olga", "role": "operator", "password": "correct horse"});
    let olga = admin.ok("POST", "/auth/users", new.clone()).await;
    assert_eq!(admin.ask("POST", "/auth/users", new).await.0, 409);
    let id = olga["id"].as_str().unwrap();
    assert_eq!(signs_in(&gateway, "olga", "wrong").await, Err(401));
    let by_cookie = |cookie: String| Asks {
        gateway: &gateway,
        header: ("cookie", cookie),
    };
    let asks = by_cookie(signs_in(&gateway, "olga", "correct horse").await.unwrap());
    let session = asks.ok("GET", "/session", Value::Null).await;
    assert_eq!(
        (&session["principal"], &session["role"]),
        (&json!("user:olga"), &json!("operator"))
    );
    assert_eq!(asks.ask("GET", "/auth/users", Value::Null).await.0, 403);
    // She sees her own session, and cannot end that of another.
    let own = asks.ok("GET", "/auth/sessions", Value::Null).await;
    assert_eq!(own.as_array().unwrap().len(), 1);
    let all = admin.ok("GET", "/auth/sessions", Value::Null).await;
    let of_admin = all
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["principal"] == "admin")
        .unwrap();
    let path = format!("/auth/sessions/{}", of_admin["id"].as_str().unwrap());
    assert_eq!(asks.ask("DELETE", &path, Value::Null).await.0, 404);

    let path = format!("/auth/users/{id}");
    admin.ok("PUT", &path, json!({"role": "admin"})).await;
    asks.ok("GET", "/auth/users", Value::Null).await;
    admin
        .ok("PUT", &path, json!({"password": "battery staple"}))
        .await;
    assert_eq!(asks.ask("GET", "/overview", Value::Null).await.0, 401);
    assert_eq!(signs_in(&gateway, "olga", "correct horse").await, Err(401));
    let asks = by_cookie(signs_in(&gateway, "olga", "battery staple").await.unwrap());
    admin.ok("PUT", &path, json!({"disabled": true})).await;
    assert_eq!(asks.ask("GET", "/overview", Value::Null).await.0, 401);
    assert_eq!(signs_in(&gateway, "olga", "battery staple").await, Err(401));
    admin.ok("DELETE", &path, Value::Null).await;
    assert_eq!(admin.ask("DELETE", &path, Value::Null).await.0, 404);
}

/// P7: users, sessions, keys and definitions survive a restart, a removed definition stays removed.
#[tokio::test]
async fn what_is_stored_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let cookie;
    let token;
    {
        let mut gateway = gateway(&folder).await;
        let admin = Asks::admin(&gateway).await;
        cookie = admin.header.1.clone();
        token = admin.issue("alice", "room").await.0;
        let definition = json!({"pattern": "mine", "join": "public"});
        admin.ok("PUT", "/definitions", definition).await;
        admin
            .ok("DELETE", "/definitions/flights", Value::Null)
            .await;
        gateway.terminate().await;
        timeout(PATIENCE, gateway.child.wait())
            .await
            .unwrap()
            .unwrap();
    }
    let gateway = gateway(&folder).await;
    let admin = Asks {
        gateway: &gateway,
        header: ("cookie", cookie),
    };
    let definitions = admin.ok("GET", "/definitions", Value::Null).await;
    let patterns: Vec<_> = definitions
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|d| d["pattern"].as_str())
        .collect();
    assert!(
        patterns.contains(&"mine") && !patterns.contains(&"flights"),
        "{patterns:?}"
    );
    assert_eq!(refused(&gateway, "room", &token).await, Value::Null);
    let mut anonymous = gateway.connect().await;
    let reply = anonymous
        .ask(json!(["1", "1", "mine", "phx_join", {}]))
        .await;
    assert_eq!(reply[4]["status"], "ok", "{reply}");
}

/// P16: who did what is there, found and exported; no secret is, there or in the store's files.
#[tokio::test]
async fn what_was_done_is_remembered_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(&folder).await;
    let admin = Asks::admin(&gateway).await;
    let (token, _) = admin.issue("alice", "room").await;
    let new = json!({"name": "olga", "role": "viewer", "password": "correct horse"});
    admin.ok("POST", "/auth/users", new).await;
    let made = admin
        .ok(
            "POST",
            "/auth/api-keys",
            json!({"name": "script", "role": "viewer"}),
        )
        .await;
    let key = made["key"].as_str().unwrap();
    assert_eq!(signs_in(&gateway, "olga", "wrong horse").await, Err(401));
    assert_eq!(signs_in(&gateway, "mistyped secret", "x").await, Err(401));
    let script = Asks::bearer(&gateway, key);
    assert_eq!(
        script.ask("DELETE", "/channels/room", Value::Null).await.0,
        403
    );
    admin
        .ok("POST", "/auth/introspect", json!({"token": token}))
        .await;
    // Records are written a moment later.
    let found = timeout(PATIENCE, async {
        loop {
            let found = admin
                .ok("GET", "/activity?refused=true&search=ROOM", Value::Null)
                .await;
            if found["items"]
                .as_array()
                .is_some_and(|items| !items.is_empty())
            {
                return found;
            }
        }
    });
    let found = found.await.unwrap();
    let record = &found["items"][0];
    assert_eq!(record["principal"], "key:script");
    assert_eq!(record["action"], "DELETE /api/v1/channels/{topic}");
    assert_eq!(record["target"], "/api/v1/channels/room");
    assert_eq!(
        (&record["status"], &record["outcome"]),
        (&json!(403), &json!("This needs the role operator."))
    );
    assert_eq!(record["address"], "127.0.0.1");
    let tried = admin
        .ok("GET", "/activity?refused=true&search=sign", Value::Null)
        .await;
    let tried: Vec<_> = tried["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["principal"].as_str().unwrap())
        .collect();
    assert_eq!(tried, ["user:(nobody)", "user:olga"]);
    let of_admin = admin
        .ok("GET", "/activity?principal=admin&search=olga", Value::Null)
        .await;
    assert_eq!(
        of_admin["items"][0]["outcome"],
        "Added user olga as viewer."
    );
    let counts = admin.ok("GET", "/activity/principals", Value::Null).await;
    let script = counts
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["principal"] == "key:script");
    assert_eq!(
        (&script.unwrap()["answered"], &script.unwrap()["refused"]),
        (&json!(0), &json!(1))
    );

    let headers = [("cookie", admin.header.1.as_str())];
    let (status, head, lines) =
        raw(&gateway, "GET", "/api/v1/activity/export", &headers, None).await;
    assert!(
        status == 200 && head.contains("application/jsonl"),
        "{head}"
    );
    assert!(lines.contains("Added user olga as viewer."), "{lines}");

    let cookie = admin.header.1.split_once('=').unwrap().1;
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap();
        for secret in [
            PASSWORD,
            "correct horse",
            "mistyped secret",
            token.as_str(),
            key,
            cookie,
        ] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in {}", entry.path().display());
        }
    }
}

/// P20, P11: the command line works on the store, whether a gateway runs or not.
#[tokio::test]
async fn commands_work_on_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let run = async |args: &[&str]| {
        let output = crate::gateway::command()
            .args(args)
            .args(["--data-dir", dir])
            .output()
            .await
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let token = run(&["token", "room", "alice"]).await;
    let gateway = gateway(&folder).await;
    let mut alice = member(&gateway, "room", &token).await;
    let copy = folder.path().join("copy.db");
    run(&["backup", copy.to_str().unwrap()]).await;
    assert!(copy.metadata().unwrap().len() > 0);
    run(&["rotate-key", "--immediate"]).await;
    // A gateway that runs learns of it by itself.
    assert_eq!(removed(&mut alice).await, "token revoked");
    let token = run(&["token", "room", "alice"]).await;
    assert_eq!(refused(&gateway, "room", &token).await, Value::Null);
}
