//! `POST /api/v1/publish`: one event or many, for all or for some, once (S10, G3).

use serde_json::{Value, json};

use crate::gateway::{Gateway, PASSWORD, SECRET};
use crate::http_api::{raw, request, sign_in, with_body};
use crate::metrics::Scrape;
use crate::redis_bus::{Redis, gateway_on};
use crate::socket::Socket;
use crate::trust::Asks;

const HERE: (&str, &str) = ("x-tidegate-request", "1");

/// The next event of the topic that is none of presence.
async fn event(socket: &mut Socket) -> Value {
    loop {
        let frame = socket.next().await;
        if frame[3] != "presence_diff" {
            return frame;
        }
    }
}

/// The id of the socket's connection, as the reply to its join says it.
async fn joined(gateway: &Gateway, topic: &str, user: &str) -> (Socket, String) {
    let mut socket = gateway.connect().await;
    let token = crate::gateway::token(user, topic);
    let join = json!(["1", "1", topic, "phx_join", {"token": token}]);
    let reply = socket.ask(join).await;
    let id = reply[4]["response"]["id"].as_str().unwrap();
    let connection = id.split(':').next().unwrap().to_owned();
    while socket.next().await[3] != "presence_diff" {}
    (socket, connection)
}

/// One event, and a batch in its order; the payload's bytes are passed on as they came.
#[tokio::test]
async fn events_are_published_in_order_and_unchanged() {
    let gateway = Gateway::start().await;
    let mut member = gateway.joined("room", "ann").await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str()), HERE];
    let body = r#"{"topic":"room","event":"one","payload":{"b":1.50,"a":[ ]}}"#;
    let json_body = Some(("application/json", body));
    let (status, _, answer) =
        with_body(&gateway, "POST", "/api/v1/publish", &headers, json_body).await;
    assert_eq!(status, 200, "{answer}");
    let text = member.next_text().await;
    assert!(
        text.ends_with(r#","room","one",{"b":1.50,"a":[ ]}]"#),
        "{text}"
    );
    let batch: Vec<_> = (0..20)
        .map(|n| json!({"topic": "room", "event": "tick", "payload": n, "id": format!("t{n}")}))
        .collect();
    let admin = Asks::admin(&gateway).await;
    let answer = admin.ok("POST", "/publish", json!(batch)).await;
    for n in 0..20 {
        member.expect(json!([null, null, "room", "tick", n])).await;
        let one = &answer["events"][n];
        assert_eq!(
            (&one["outcome"], &one["members"], &one["id"]),
            (&json!("sent"), &json!(1), &json!(format!("t{n}")))
        );
    }
}

/// S10: who is named gets it, once on each connection and on every gateway; nobody else does; and
/// in order with what is for all.
#[tokio::test]
async fn events_reach_exactly_those_they_are_for() {
    let redis = Redis::start().await;
    let (a, b) = tokio::join!(gateway_on(&redis), gateway_on(&redis));
    let (mut ann, first) = joined(&a, "room", "ann").await;
    let (mut ann_too, second) = joined(&b, "room", "ann").await;
    let (mut ben, third) = joined(&b, "room", "ben").await;
    let admin = Asks::admin(&a).await;
    // Until both gateways listen to Redis and know of each other's members.
    loop {
        let ping = json!({"topic": "room", "event": "ping", "payload": 0});
        let (status, answer) = admin.ask("POST", "/publish", ping).await;
        if status == 200 && answer["events"][0]["members"] == 3 {
            break;
        }
    }
    let to =
        |event: &str, to: Value| json!({"topic": "room", "event": event, "payload": 1, "to": to});
    let batch = json!([
        to("users", json!({"users": ["ann", "nobody"]})),
        to("connections", json!({"connections": [third, "gone"]})),
        to("both", json!({"users": ["ben"], "connections": [first], "exclude": [second]})),
        to("exclude", json!({"exclude": [second]})),
        to("nobody", json!({"users": ["nobody"]})),
        {"topic": "room", "event": "all", "payload": 1},
    ]);
    let answer = admin.ok("POST", "/publish", batch).await;
    let members: Vec<_> = answer["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["members"].as_u64().unwrap())
        .collect();
    assert_eq!(members, [2, 1, 2, 2, 0, 3]);
    // `nobody` twice, and `gone`.
    let absent = Scrape::of(&a).await;
    let absent = absent.value("tidegate_dropped_total", &[("reason", "recipient")]);
    assert_eq!(absent, 3.0);
    for (socket, expected) in [
        (&mut ann, &["users", "both", "exclude", "all"][..]),
        (&mut ann_too, &["users", "all"]),
        (&mut ben, &["connections", "both", "exclude", "all"]),
    ] {
        let mut got = Vec::new();
        while got.last().is_none_or(|last| last != "all") {
            let frame = event(socket).await;
            if frame[3] != "ping" {
                got.push(frame[3].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(got, expected);
    }
}

/// A plugin names recipients in the same way, on the in-process bus too.
#[tokio::test]
async fn a_plugin_names_recipients() {
    let gateway = Gateway::start().await;
    let mut ann = gateway.joined("room", "ann").await;
    let mut ben = gateway.joined("room", "ben").await;
    ann.until_presence_diff("room").await;
    let mut bus = gateway.tap().await;
    let directed = |user: &str| json!({"topic": "room", "event": "for", "payload": user, "to": {"users": [user]}});
    bus.publish("to:tidegate:publish", directed("ann").to_string())
        .await;
    bus.publish("to:tidegate:publish", "nonsense").await;
    bus.publish("to:tidegate:publish", directed("ben").to_string())
        .await;
    ann.expect(json!([null, null, "room", "for", "ann"])).await;
    ben.expect(json!([null, null, "room", "for", "ben"])).await;
    ann.expect_silence().await;
}

/// A repeat is answered as the first was and delivers nothing: by the key of the request, by the id
/// of the event; another event of the name is refused; names of others are others.
#[tokio::test]
async fn repeats_deliver_nothing() {
    let gateway = Gateway::start().await;
    let mut member = gateway.joined("room", "ann").await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let publish = async |key: Option<&str>, body: Value| {
        let mut headers = vec![("cookie", cookie.as_str()), HERE];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let (status, head, body) =
            raw(&gateway, "POST", "/api/v1/publish", &headers, Some(&body)).await;
        (status, head.contains("idempotency-replayed: true"), body)
    };
    let tick = |n: u32| json!({"topic": "room", "event": "tick", "payload": n});
    let first = publish(Some("k1"), json!([tick(1), tick(2)])).await;
    let again = publish(Some("k1"), json!([tick(1), tick(2)])).await;
    assert_eq!(
        (first.0, first.1, again.0, again.1),
        (200, false, 200, true)
    );
    assert_eq!(first.2, again.2);
    assert_eq!(publish(Some("k1"), json!([tick(1)])).await.0, 422);
    assert_eq!(publish(Some(""), json!([tick(1)])).await.0, 422);
    let named = |n: u32| {
        let mut tick = tick(n);
        tick["id"] = json!("e1");
        tick
    };
    assert_eq!(publish(None, named(3)).await.0, 200);
    // In another request, beside an event that is new.
    let mixed = publish(None, json!([named(3), tick(4)])).await;
    assert_eq!((mixed.0, mixed.1), (200, false), "{}", mixed.2);
    assert_eq!(publish(None, named(5)).await.0, 422);
    assert_eq!(publish(None, json!([named(3), named(3)])).await.0, 422);
    let other = Asks::admin(&gateway).await;
    let key = json!({"name": "other", "role": "operator"});
    let key = other.ok("POST", "/auth/api-keys", key).await;
    let other = Asks::bearer(&gateway, key["key"].as_str().unwrap());
    other.ok("POST", "/publish", named(6)).await;
    for n in [1, 2, 3, 4, 6] {
        member.expect(json!([null, null, "room", "tick", n])).await;
    }
    member.expect_silence().await;
    let scrape = Scrape::of(&gateway).await;
    let events = |outcome| scrape.value("tidegate_publish_events_total", &[("outcome", outcome)]);
    assert_eq!((events("sent"), events("repeated")), (5.0, 3.0));
    assert_eq!(scrape.value("tidegate_publish_keys", &[]), 4.0);
}

/// S7: nothing of a request reaches anybody when any part of it is wrong; it says which and why.
#[tokio::test]
async fn a_request_is_good_as_a_whole_or_nothing() {
    let flags = [
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
        "--max-publish-events",
        "3",
        "--max-publish-bytes",
        "2000",
    ];
    let gateway = Gateway::with(&flags, "").await;
    let mut member = gateway.joined("room", "ann").await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let headers = [("cookie", cookie.as_str()), HERE];
    let good = r#"{"topic":"room","event":"tick","payload":1}"#;
    let large = format!(
        r#"{{"topic":"room","event":"tick","payload":"{}"}}"#,
        "x".repeat(2000)
    );
    let second = |event: &str| format!("[{good},{event}]");
    let many = format!("[{good},{good},{good},{good}]");
    for (body, status, says) in [
        (
            second(r#"{"topic":"room","event":"a:b","payload":1}"#),
            422,
            "Event 2",
        ),
        (
            second(r#"{"topic":"","event":"x","payload":1}"#),
            422,
            "a topic",
        ),
        (
            second(r#"{"topic":"admin","event":"x","payload":1}"#),
            422,
            "belongs to",
        ),
        (
            second(r#"{"topic":"plugin:host","event":"reply","payload":1}"#),
            422,
            "belongs to",
        ),
        (
            second(r#"{"topic":"tidegate","event":"publish","payload":1}"#),
            422,
            "belongs to",
        ),
        (
            second(r#"{"topic":"room","event":"phx_close","payload":1}"#),
            422,
            "belongs to",
        ),
        (second(r#"{"topic":"room","event":"x"}"#), 422, "payload"),
        (
            second(r#"{"topic":"room","event":"x","payload":1,"sender":"me"}"#),
            422,
            "sender",
        ),
        (
            second(r#"{"topic":"room","event":"x","payload":{"a":}}"#),
            400,
            "column",
        ),
        (
            second(r#"{"topic":"room","event":"x","payload":1,"to":{"user":[]}}"#),
            422,
            "user",
        ),
        (format!("{good} {good}"), 400, "trailing"),
        ("[]".to_owned(), 422, "1 to 3 events"),
        (many, 422, "1 to 3 events"),
        (large, 413, "2000 bytes"),
    ] {
        let json_body = Some(("application/json", body.as_str()));
        let (is, _, answer) =
            with_body(&gateway, "POST", "/api/v1/publish", &headers, json_body).await;
        assert_eq!(is, status, "{body}: {answer}");
        assert!(answer.contains(says), "{body}: {answer}");
    }
    let text = Some(("text/plain", good));
    let (status, ..) = with_body(&gateway, "POST", "/api/v1/publish", &headers, text).await;
    assert_eq!(status, 415);
    let (status, _) = request(&gateway, "POST", "/api/v1/publish", &[HERE], None).await;
    assert_eq!(status, 401);
    member.expect_silence().await;
    let scrape = Scrape::of(&gateway).await;
    let refused = |bound| scrape.value("tidegate_publish_refused_total", &[("bound", bound)]);
    assert_eq!((refused("events"), refused("bytes")), (1.0, 1.0));
    assert_eq!(scrape.value("tidegate_publish_keys", &[]), 0.0);
}
