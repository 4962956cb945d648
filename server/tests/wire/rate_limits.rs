//! How often one may ask and push (P14), and the order in which a request is looked at (P18).

use std::collections::HashMap;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::time::{Duration, sleep, timeout};

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET, token};
use crate::http_api::{raw, request, sign_in};
use crate::metrics::Scrape;
use crate::socket::{Socket, refused};

const HERE: (&str, &str) = ("x-tidegate-request", "1");

async fn limited(flags: &[&str]) -> Gateway {
    let common = [
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
        "--trusted-proxy",
        "127.0.0.1",
        "--metrics-token",
        "a token for the metrics",
    ];
    Gateway::with(&[&common[..], flags].concat(), "").await
}

/// Header fields by their names in lower case; those of one name as a list.
fn fields(head: &str) -> HashMap<String, String> {
    let mut fields: HashMap<String, String> = HashMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        let field = fields.entry(name.to_ascii_lowercase()).or_default();
        if !field.is_empty() {
            *field += ", ";
        }
        *field += value;
    }
    fields
}

async fn scrape(gateway: &Gateway) -> Scrape {
    let headers = [("authorization", "Bearer a token for the metrics")];
    Scrape::with(gateway, &headers).await
}

/// P14: the (n+1)th request of an address is told when to come back, and then it may; whoever asks
/// from elsewhere notices nothing. That holds for each route before anything else is looked at.
#[tokio::test]
async fn an_address_asks_so_often_and_no_more() {
    let flags = ["--requests-per-address", "5", "--rate-window-seconds", "20"];
    let gateway = limited(&flags).await;
    let routes = [
        ("GET", "/api/v1/session"),
        ("GET", "/api/v1/overview"),
        ("POST", "/api/v1/session"),
        ("POST", "/token"),
        ("GET", "/login?link=x"),
        ("GET", "/api/v1/nothing"),
        ("POST", "/longpoll?token=nobody"),
    ];
    for (n, (method, path)) in routes.into_iter().enumerate() {
        let address = format!("203.0.113.{n}");
        let from = [("x-forwarded-for", address.as_str())];
        for n in 0..5 {
            let (status, head, _) = raw(&gateway, method, path, &from, None).await;
            assert_ne!(status, 429, "{method} {path}: {n}");
            let fields = fields(&head);
            assert_eq!(fields["ratelimit-policy"], "\"address\";q=5;w=20");
            let left = format!("\"address\";r={};t=", 4 - n);
            assert!(fields["ratelimit"].starts_with(&left), "{head}");
        }
        let (status, head, body) = raw(&gateway, method, path, &from, None).await;
        assert_eq!(status, 429, "{method} {path}");
        let fields = fields(&head);
        let wait: u64 = fields["retry-after"].parse().unwrap();
        assert!((1..=4).contains(&wait), "{head}");
        assert_eq!(fields["ratelimit"], format!("\"address\";r=0;t={wait}"));
        assert_eq!(fields["ratelimit-policy"], "\"address\";q=5;w=20");
        let said: Value = serde_json::from_str(&body).unwrap();
        if path.starts_with("/longpoll") {
            assert_eq!(
                said,
                json!({"status": 500}),
                "what phoenix.js comes back after"
            );
        } else {
            assert_eq!(fields["content-type"], "application/problem+json");
            assert_eq!(said["status"], 429);
        }
    }
    // A fifth of the window later one more may come.
    let from = [("x-forwarded-for", "203.0.113.0")];
    let again = async {
        while raw(&gateway, "GET", "/api/v1/session", &from, None).await.0 != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, again)
        .await
        .expect("the next window works");
    let refused = scrape(&gateway).await.value(
        "tidegate_rate_limited_total",
        &[("limit", "requests_per_address")],
    );
    assert!(refused >= routes.len() as f64, "{refused}");
}

/// Sockets, pages and health are not requests to the API.
#[tokio::test]
async fn what_is_not_counted() {
    let gateway = limited(&["--requests-per-address", "1"]).await;
    for _ in 0..5 {
        gateway.connect().await.expect_silence().await;
        for path in ["/healthz", "/readyz", "/"] {
            let (status, _, _) = raw(&gateway, "GET", path, &[], None).await;
            assert_eq!(status, 200, "{path}");
        }
    }
}

/// P14: a network of IPv6 is one customer.
#[tokio::test]
async fn ipv6_counts_by_network() {
    let gateway = limited(&["--requests-per-address", "2"]).await;
    let ask = async |address: &str| {
        let from = [("x-forwarded-for", address)];
        raw(&gateway, "GET", "/api/v1/session", &from, None).await.0
    };
    assert_eq!(ask("2001:db8:1:2::1").await, 200);
    assert_eq!(ask("2001:db8:1:2:ffff::9").await, 200);
    assert_eq!(ask("2001:db8:1:2:3:4:5:6").await, 429);
    assert_eq!(ask("2001:db8:1:3::1").await, 200);
}

/// P14: so often for a principal, whatever its address; others are not held up.
#[tokio::test]
async fn a_principal_asks_so_often_and_no_more() {
    let gateway = limited(&[
        "--requests-per-principal",
        "6",
        "--rate-window-seconds",
        "60",
    ])
    .await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let admin = [("cookie", cookie.as_str()), HERE];
    let mut keys = Vec::new();
    for name in ["one", "two"] {
        let wanted = json!({"name": name, "role": "viewer"});
        let made = request(
            &gateway,
            "POST",
            "/api/v1/auth/api-keys",
            &admin,
            Some(&wanted),
        )
        .await;
        keys.push(format!("Bearer {}", made.1["key"].as_str().unwrap()));
    }
    for n in 0..8 {
        let address = format!("203.0.113.{n}");
        let headers = [
            ("authorization", keys[0].as_str()),
            ("x-forwarded-for", address.as_str()),
        ];
        let (status, head, _) = raw(&gateway, "GET", "/api/v1/overview", &headers, None).await;
        let fields = fields(&head);
        if n < 6 {
            assert_eq!(status, 200, "{n}");
            let policies = "\"principal\";q=6;w=60, \"address\";q=50000;w=60";
            assert_eq!(fields["ratelimit-policy"], policies);
            assert!(fields["ratelimit"].contains(&format!("\"principal\";r={};", 5 - n)));
        } else {
            assert_eq!(status, 429, "{n}");
            assert!(fields["retry-after"].parse::<u64>().unwrap() >= 1);
        }
    }
    let headers = [("authorization", keys[1].as_str())];
    let (status, _, _) = raw(&gateway, "GET", "/api/v1/overview", &headers, None).await;
    assert_eq!(status, 200, "another key");
}

/// P18: who is not known is refused before any service is asked: nothing is recorded, and the store
/// has no more to do than without the flood.
#[tokio::test]
async fn an_unauthenticated_flood_reaches_no_service() {
    const FLOOD: u32 = 400;
    let gateway = limited(&[
        "--requests-per-address",
        "50",
        "--rate-window-seconds",
        "600",
    ])
    .await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let admin = [
        ("cookie", cookie.as_str()),
        ("x-forwarded-for", "203.0.113.1"),
    ];
    let calls = async || {
        scrape(&gateway)
            .await
            .value("tidegate_store_calls_total", &[])
    };
    let records = async || -> Vec<String> {
        let path = "/api/v1/activity?limit=200";
        let (_, found) = request(&gateway, "GET", path, &admin, None).await;
        let records = found["items"].as_array().unwrap().clone();
        let ids = records.iter().map(|record| record["action"].to_string());
        ids.filter(|action| !action.contains("/activity"))
            .collect::<Vec<_>>()
    };
    // The sign-in above is written down a moment later.
    let recorded = timeout(PATIENCE, async {
        loop {
            let recorded = records().await;
            if !recorded.is_empty() {
                return recorded;
            }
        }
    });
    let recorded = recorded.await.unwrap();
    let (before, began) = (calls().await, Instant::now());
    let mut statuses: HashMap<u16, u32> = HashMap::new();
    let routes = [
        ("POST", "/api/v1/auth/users"),
        ("GET", "/api/v1/activity"),
        ("POST", "/api/v1/auth/token"),
        ("DELETE", "/api/v1/definitions/room"),
    ];
    for n in 0..FLOOD {
        let (method, path) = routes[n as usize % routes.len()];
        let forged = [
            ("x-forwarded-for", "203.0.113.66"),
            ("authorization", "Bearer forged"),
            HERE,
        ];
        let body = json!({"name": "eve", "role": "admin", "password": "let me in now"});
        let body = (method == "POST").then_some(&body);
        let (status, _, _) = raw(&gateway, method, path, &forged, body).await;
        *statuses.entry(status).or_default() += 1;
    }
    let took = began.elapsed();
    let grown = calls().await - before;
    // What the gateway asks by itself, twice a second and now and then.
    let by_itself = took.as_secs_f64() * 5.0 + 20.0;
    assert!(grown < by_itself, "{grown} calls of the store in {took:?}");
    assert!(by_itself < f64::from(FLOOD), "{took:?}");
    let (unknown, held_up) = (statuses.remove(&401), statuses.remove(&429));
    assert!(statuses.is_empty(), "{statuses:?}");
    // As many as the limit says, and one more every twelve seconds.
    let let_in = 50..=51 + (took.as_secs() / 12) as u32;
    let unknown = unknown.unwrap_or_default();
    assert!(let_in.contains(&unknown), "{unknown} of {let_in:?}");
    assert!(held_up.is_some_and(|n| n > 200), "{held_up:?}");
    assert_eq!(records().await, recorded, "a stranger leaves no record");
}

/// P14: on sockets too: all connections of an address, and all of a user, share so many pushes.
#[tokio::test]
async fn pushes_of_an_address_and_of_a_user() {
    let flags = |limit: &'static str| [limit, "7", "--rate-window-seconds", "600"];
    // Two users from one address; one user from two addresses.
    for (limit, users, addresses, label) in [
        (
            "--pushes-per-address",
            ["alice", "bob"],
            ["203.0.113.1", "203.0.113.1"],
            "pushes_per_address",
        ),
        (
            "--pushes-per-principal",
            ["alice", "alice"],
            ["203.0.113.1", "203.0.113.2"],
            "pushes_per_principal",
        ),
    ] {
        let gateway = limited(&flags(limit)).await;
        let open = async |user: &str, address: &str| {
            let headers = [("x-forwarded-for", address)];
            let mut socket = Socket::open(gateway.port, "vsn=2.0.0", &headers)
                .await
                .unwrap();
            let join = json!(["1", "1", "room", "phx_join", {"token": token(user, "room")}]);
            socket.send(join).await;
            socket
        };
        let mut sockets = Vec::new();
        for (user, address) in users.into_iter().zip(addresses) {
            sockets.push(open(user, address).await);
        }
        let mut answered = 0;
        for n in 0..10 {
            let socket = &mut sockets[n % 2];
            socket.send(json!(["1", "p", "room", "event", {}])).await;
            let answer = loop {
                let frame = socket.next().await;
                if frame[1] == "p" {
                    break frame;
                }
            };
            if answer[4]["status"] == "ok" {
                answered += 1;
            } else {
                let reason = "too many pushes";
                assert_eq!(answer, refused(json!("1"), json!("p"), "room", reason));
            }
        }
        assert_eq!(answered, 7, "{limit}");
        let mut other = open("carol", "203.0.113.9").await;
        other.send(json!(["1", "p", "room", "event", {}])).await;
        loop {
            let frame = other.next().await;
            if frame[1] == "p" {
                assert_eq!(frame[4]["status"], "ok", "{limit}: somebody else");
                break;
            }
        }
        let refused = scrape(&gateway).await;
        let refused = refused.value("tidegate_rate_limited_total", &[("limit", label)]);
        assert_eq!(refused, 3.0);
    }
}

/// P14: a flood of addresses takes bounded memory, and goes when it is over.
#[tokio::test]
async fn a_flood_of_addresses_is_bounded() {
    let flags = ["--rate-limit-keys", "32", "--rate-window-seconds", "1"];
    let gateway = limited(&flags).await;
    let known = async || {
        let labels = [("limit", "requests_per_address")];
        let scrape = scrape(&gateway).await;
        (
            scrape.value("tidegate_rate_limit_keys", &labels),
            scrape.value("tidegate_rate_limit_forgotten_total", &labels),
        )
    };
    for n in 0..300 {
        let address = format!("203.0.{}.{}", n / 250, n % 250);
        let from = [("x-forwarded-for", address.as_str())];
        let (status, _, _) = raw(&gateway, "GET", "/api/v1/session", &from, None).await;
        assert_eq!(status, 200);
        if n % 50 == 49 {
            assert!(known().await.0 <= 32.0);
        }
    }
    assert!(known().await.1 > 0.0);
    let gone = async { while known().await.0 > 0.0 {} };
    timeout(PATIENCE, gone).await.unwrap();
}

/// Each token that anybody asks for is a row of the store: so many are kept, those of administrators
/// whatever happens.
#[tokio::test]
async fn open_tokens_are_bounded() {
    let common = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];
    let flags = [&common[..], &["--max-open-tokens", "10"]].concat();
    let gateway = Gateway::with(&flags, "").await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let admin = [("cookie", cookie.as_str()), HERE];
    let wanted = json!({"id": "kept", "channels": ["room"]});
    request(
        &gateway,
        "POST",
        "/api/v1/auth/token",
        &admin,
        Some(&wanted),
    )
    .await;
    for _ in 0..60 {
        let wanted = json!({"channel": "room"});
        let (status, _) = request(&gateway, "POST", "/token", &[], Some(&wanted)).await;
        assert_eq!(status, 200);
    }
    let bounded = async {
        loop {
            let path = "/api/v1/auth/tokens?limit=200";
            let (_, list) = request(&gateway, "GET", path, &admin, None).await;
            let items = list["items"].as_array().unwrap().clone();
            let issuers = items.iter().map(|item| item["issued_by"].as_str().unwrap());
            let open = issuers.filter(|issuer| *issuer == "anybody").count();
            let forgotten = Scrape::of(&gateway)
                .await
                .value("tidegate_open_tokens_forgotten_total", &[]);
            if open as f64 + forgotten == 60.0 && open <= 12 {
                assert!(items.iter().any(|item| item["id"] == "kept"));
                return;
            }
        }
    };
    timeout(PATIENCE, bounded).await.unwrap();
}

/// P16: a page that asks every second leaves one record, each of its requests counts, and every
/// refusal stands alone.
#[tokio::test]
async fn repeated_reads_are_one_record() {
    let gateway = limited(&[]).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let admin = [("cookie", cookie.as_str()), HERE];
    let wanted = json!({"name": "page", "role": "viewer"});
    let made = request(
        &gateway,
        "POST",
        "/api/v1/auth/api-keys",
        &admin,
        Some(&wanted),
    )
    .await;
    let key = format!("Bearer {}", made.1["key"].as_str().unwrap());
    let page = [("authorization", key.as_str())];
    for _ in 0..40 {
        request(&gateway, "GET", "/api/v1/overview", &page, None).await;
    }
    for _ in 0..3 {
        let (status, _) = request(&gateway, "DELETE", "/api/v1/channels/room", &page, None).await;
        assert_eq!(status, 403);
    }
    let counted = async {
        loop {
            let path = "/api/v1/activity/principals";
            let (_, counts) = request(&gateway, "GET", path, &admin, None).await;
            let counts = counts["items"].as_array().unwrap().clone();
            let of_page = counts.iter().find(|c| c["principal"] == "key:page");
            if of_page.is_some_and(|c| c["answered"] == 40 && c["refused"] == 3) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, counted).await.unwrap();
    let path = "/api/v1/activity?principal=key:page&limit=200";
    let (_, found) = request(&gateway, "GET", path, &admin, None).await;
    let records = found["items"].as_array().unwrap();
    let reads: Vec<_> = records.iter().filter(|r| r["status"] == 200).collect();
    let times: Vec<_> = reads.iter().map(|r| r["times"].as_u64().unwrap()).collect();
    // A minute may have ended meanwhile.
    assert!(
        times.len() <= 2 && times.iter().sum::<u64>() == 40,
        "{found}"
    );
    assert!(reads[0]["last_at"].as_u64() >= reads[0]["at"].as_u64());
    assert_eq!(records.iter().filter(|r| r["status"] == 403).count(), 3);
}
