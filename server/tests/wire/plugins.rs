//! `/api/v1/plugins/<name>/...`: requests that plugins answer over the bus (P4, P5, S12, W28).

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::bus_tap::BusTap;
use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET};
use crate::http_api::{request, sign_in, with_body};
use crate::metrics::{Scrape, python};
use crate::redis_bus::{Redis, gateway_on};
use crate::trust::Asks;

const PROTOCOL: &str = include_str!("../../../docs/PROTOCOL.md");
const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// The example of the documentation, on this bus.
fn greeter(address: &str) -> Child {
    let example = PROTOCOL
        .split("```python\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|code| code.contains("from:plugin:greeter:request"))
        .expect("docs/PROTOCOL.md has the example");
    assert!(example.lines().count() <= 10, "{example}");
    let port = address.rsplit(':').next().unwrap();
    assert!(example.contains("port=2026"), "{example}");
    Command::new(python())
        .args(["-c", &example.replace("port=2026", &format!("port={port}"))])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("Python is installed")
}

/// Asks until the plugin listens.
async fn when_there(asks: &Asks<'_>, path: &str) -> Value {
    let asking = async {
        loop {
            let (status, answer) = asks.ask("GET", path, Value::Null).await;
            match status {
                200 => return answer,
                404 | 503 => tokio::task::yield_now().await,
                other => panic!("{other}: {answer}"),
            }
        }
    };
    timeout(PATIENCE, asking).await.expect("the plugin answers")
}

/// P4: ten lines of Python answer HTTP, on the gateway's own bus.
#[tokio::test]
async fn ten_lines_of_python_answer() {
    let gateway = Gateway::start().await;
    let admin = Asks::admin(&gateway).await;
    let (status, answer) = admin
        .ask("GET", "/plugins/greeter/hello", Value::Null)
        .await;
    assert_eq!(status, 404, "{answer}");
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("nobody listens"),
        "{answer}"
    );
    let _greeter = greeter(gateway.bus.as_deref().unwrap());
    let answer = when_there(&admin, "/plugins/greeter/hello?name=ann").await;
    assert_eq!(answer, json!({"hello": "ann"}));
}

/// T6: the plugin is on the Redis of all gateways, and each of them asks it.
#[tokio::test]
async fn a_plugin_answers_every_gateway_of_a_cluster() {
    let redis = Redis::start().await;
    let (a, b) = tokio::join!(gateway_on(&redis), gateway_on(&redis));
    let _greeter = greeter(&redis.address());
    for (gateway, name) in [(&a, "ann"), (&b, "ben"), (&a, "cid")] {
        let admin = Asks::admin(gateway).await;
        let answer = when_there(&admin, &format!("/plugins/greeter/x?name={name}")).await;
        assert_eq!(answer, json!({"hello": name}));
    }
    for gateway in [&a, &b] {
        let scrape = Scrape::of(gateway).await;
        let dropped = scrape.value("tidegate_plugin_replies_dropped_total", &[]);
        assert_eq!(
            dropped, 0.0,
            "what another gateway asked is no business of this one"
        );
    }
}

/// The next request that the gateway passes on.
async fn asked(bus: &mut BusTap, plugin: &str) -> Value {
    loop {
        let (name, body) = bus.next().await;
        if name == format!("from:plugin:{plugin}:request") {
            return serde_json::from_slice(&body).unwrap();
        }
    }
}

async fn reply(bus: &mut BusTap, plugin: &str, reply: &Value) {
    bus.publish(&format!("to:plugin:{plugin}:reply"), reply.to_string())
        .await;
}

async fn small(flags: &[&str]) -> Gateway {
    let common = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];
    Gateway::with(&[&common[..], flags].concat(), "").await
}

/// What goes along: method, path, query, body and who asks; never a cookie, a header or a token.
#[tokio::test]
async fn a_request_goes_along_without_its_secrets() {
    let gateway = Gateway::start().await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let mut bus = gateway.tap().await;
    let headers = [("cookie", cookie.as_str()), HERE, ("x-secret", "hidden")];
    let path = "/api/v1/plugins/p/a%20b/c?q=1&token=hidden&Access_Token=hidden";
    let body = Some(("application/json", r#"{"z":1.0,"a":[]}"#));
    let (answer, ()) = tokio::join!(with_body(&gateway, "PUT", path, &headers, body), async {
        let asked = asked(&mut bus, "p").await;
        assert!(!asked.to_string().contains("hidden"), "{asked}");
        assert!(
            !asked
                .to_string()
                .contains(cookie.split('=').nth(1).unwrap())
        );
        let id = asked["id"].clone();
        assert_eq!(
            asked,
            json!({"id": id, "method": "PUT", "path": "a b/c", "query": {"q": "1"},
                    "body": {"z": 1.0, "a": []}, "principal": "admin", "role": "admin"})
        );
        // Of another plugin, of no request, and no reply at all: none of them counts.
        reply(&mut bus, "other", &json!({"id": id, "body": "forged"})).await;
        reply(&mut bus, "p", &json!({"id": "guess", "body": "forged"})).await;
        bus.publish("to:plugin:p:reply", "nonsense").await;
        reply(
            &mut bus,
            "p",
            &json!({"id": id, "status": 201, "body": {"ok": true}}),
        )
        .await;
    });
    assert_eq!((answer.0, answer.2.as_str()), (201, r#"{"ok":true}"#));
    assert!(
        answer.1.contains("content-type: application/json"),
        "{}",
        answer.1
    );
}

/// W1, P2: a request that waits keeps nobody else waiting: two hundred clients get an event, and one of
/// them the reply to its push, while it is not answered.
#[tokio::test]
async fn a_request_that_waits_holds_nobody_up() {
    let flags = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];
    let quiet = "[[channels]]\npattern = \"room\"\njoin = \"token\"\npresence = \"off\"\n";
    let gateway = Gateway::with(&flags, quiet).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let mut bus = gateway.tap().await;
    let mut sockets = Vec::new();
    for n in 0..200 {
        let mut socket = gateway.connect().await;
        let token = crate::gateway::token(&format!("user{n}"), "room");
        let join = json!(["1", "1", "room", "phx_join", {"token": token}]);
        assert_eq!(socket.ask(join).await[4]["status"], "ok");
        sockets.push(socket);
    }
    let headers = [("cookie", cookie.as_str()), HERE];
    let waits = with_body(&gateway, "GET", "/api/v1/plugins/slow/a", &headers, None);
    let (answer, ()) = tokio::join!(waits, async {
        let asked = asked(&mut bus, "slow").await;
        bus.publish("to:room:news", r#"{"n":1}"#).await;
        for socket in &mut sockets {
            assert_eq!(
                socket.expect_event("room", "news").await[4],
                json!({"n": 1})
            );
        }
        let pushed = sockets[0].ask(json!(["1", "2", "room", "say", {}])).await;
        assert_eq!(pushed[4]["status"], "ok");
        // Only now is there an answer at all.
        reply(&mut bus, "slow", &json!({"id": asked["id"], "body": {}})).await;
    });
    assert_eq!(answer.0, 200);
}

/// An error of a plugin is an error like all others; what cannot be used is 502, silence 504 (S12).
#[tokio::test]
async fn errors_and_silence_have_their_answers() {
    let gateway = small(&["--plugin-seconds", "1", "--max-plugin-bytes", "1024"]).await;
    let admin = Asks::admin(&gateway).await;
    let mut bus = gateway.tap().await;
    let large = "x".repeat(2000);
    for (says, status, detail) in [
        (
            json!({"status": 418, "body": "I am a teapot"}),
            418,
            "I am a teapot.",
        ),
        (
            json!({"status": 409, "body": {"detail": "Twice."}}),
            409,
            "Twice.",
        ),
        (json!({"status": 500}), 500, "does not do this"),
        (json!({"status": 101}), 502, "no status"),
        (json!({"body": large}), 502, "more than 1024 bytes"),
    ] {
        let (answer, ()) = tokio::join!(admin.ask("GET", "/plugins/p/x", Value::Null), async {
            let mut says = says.clone();
            says["id"] = asked(&mut bus, "p").await["id"].clone();
            reply(&mut bus, "p", &says).await;
        });
        assert_eq!(answer.0, status, "{}", answer.1);
        assert!(
            answer.1["detail"].as_str().unwrap().contains(detail),
            "{}",
            answer.1
        );
        assert_eq!(answer.1["status"], status);
    }
    let (status, answer) = admin.ask("GET", "/plugins/p/x", Value::Null).await;
    assert_eq!(status, 504, "{answer}");
    let late = asked(&mut bus, "p").await;
    reply(&mut bus, "p", &json!({"id": late["id"], "body": "late"})).await;
    let large = json!({"text": large});
    assert_eq!(admin.ask("POST", "/plugins/p/x", large).await.0, 413);
    for name in ["P", "a.b", "..", "%2e%2e"] {
        let (status, _) = admin
            .ask("GET", &format!("/plugins/{name}/x"), Value::Null)
            .await;
        assert_eq!(status, 404, "{name}");
    }
    let scrape = Scrape::of(&gateway).await;
    let requests =
        |outcome| scrape.value("tidegate_plugin_requests_total", &[("outcome", outcome)]);
    assert_eq!(
        (
            requests("answered"),
            requests("unusable"),
            requests("silent")
        ),
        (3.0, 2.0, 1.0)
    );
    assert_eq!(
        scrape.value("tidegate_plugin_replies_dropped_total", &[]),
        1.0
    );
    assert_eq!(scrape.value("tidegate_plugin_requests", &[]), 0.0);
}

/// P14: so many wait, one more is told to come back.
#[tokio::test]
async fn only_so_many_wait() {
    let gateway = small(&["--max-plugin-requests", "1"]).await;
    let admin = Asks::admin(&gateway).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let mut bus = gateway.tap().await;
    let (first, ()) = tokio::join!(admin.ask("GET", "/plugins/p/x", Value::Null), async {
        let first = asked(&mut bus, "p").await;
        let headers = [("cookie", cookie.as_str())];
        let (status, head, _) =
            with_body(&gateway, "GET", "/api/v1/plugins/p/x", &headers, None).await;
        assert_eq!(status, 503);
        assert!(head.contains("retry-after: 1"), "{head}");
        reply(&mut bus, "p", &json!({"id": first["id"], "body": 1})).await;
    });
    assert_eq!(first, (200, json!(1)));
}

/// P5, P17: `/network` and its neighbours are asked of the plugin `host`; services take an
/// administrator, and the role goes along so that the plugin asks for it too.
#[tokio::test]
async fn addresses_of_the_host() {
    let gateway = Gateway::start().await;
    let admin = Asks::admin(&gateway).await;
    let mut bus = gateway.tap().await;
    let mut keys = Vec::new();
    for role in ["viewer", "operator"] {
        let wanted = json!({"name": role, "role": role});
        let made = admin.ok("POST", "/auth/api-keys", wanted).await;
        keys.push(made["key"].as_str().unwrap().to_owned());
    }
    let viewer = Asks::bearer(&gateway, &keys[0]);
    let operator = Asks::bearer(&gateway, &keys[1]);
    for (asks, method, address, path, role) in [
        (&viewer, "GET", "/network", "network", "viewer"),
        (&viewer, "GET", "/network/dns", "network/dns", "viewer"),
        (&viewer, "GET", "/bluetooth", "bluetooth", "viewer"),
        (&operator, "POST", "/utils/hash", "utils/hash", "operator"),
        (&admin, "GET", "/system/services/x", "services/x", "admin"),
        (
            &operator,
            "POST",
            "/plugins/host/services/x",
            "services/x",
            "operator",
        ),
    ] {
        let (answer, ()) = tokio::join!(asks.ask(method, address, json!({})), async {
            let asked = asked(&mut bus, "host").await;
            assert_eq!(
                (&asked["path"], &asked["role"]),
                (&json!(path), &json!(role))
            );
            reply(&mut bus, "host", &json!({"id": asked["id"], "body": path})).await;
        });
        assert_eq!(answer, (200, json!(path)), "{address}");
    }
    for (asks, method, address) in [
        (&viewer, "POST", "/utils/hash"),
        (&viewer, "GET", "/system/services/x"),
        (&operator, "POST", "/system/services/x"),
    ] {
        assert_eq!(
            asks.ask(method, address, json!({})).await.0,
            403,
            "{method} {address}"
        );
    }
    let (status, _) = request(&gateway, "GET", "/api/v1/network", &[HERE], None).await;
    assert_eq!(status, 401);
    // P17: what was refused is remembered, with who and where.
    let activity = async || admin.ok("GET", "/activity?refused=true", Value::Null).await;
    let recorded = async {
        while !activity().await["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|item| {
                item["target"] == "/api/v1/system/services/x" && item["principal"] == "key:operator"
            })
        {}
    };
    timeout(PATIENCE, recorded)
        .await
        .expect("the refusal is recorded");
}

/// W28: a plugin that says that it is there is listed.
#[tokio::test]
async fn plugins_that_say_so_are_listed() {
    let gateway = Gateway::start().await;
    let admin = Asks::admin(&gateway).await;
    let mut bus = gateway.tap().await;
    assert_eq!(admin.ok("GET", "/plugins", Value::Null).await, json!([]));
    let here = json!({"version": "1.2", "about": "Greets."});
    bus.publish("to:plugin:greeter:here", here.to_string())
        .await;
    bus.publish("to:plugin:Not A Name:here", here.to_string())
        .await;
    let listed = admin.ok("GET", "/plugins", Value::Null).await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(
        (&listed[0]["name"], &listed[0]["version"]),
        (&json!("greeter"), &json!("1.2"))
    );
}
