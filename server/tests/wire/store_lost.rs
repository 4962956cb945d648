//! The store over HTTP: busy, lost, silent, and back, on a real PostgreSQL (P8, P21).

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET};
use crate::http_api::{raw, request, sign_in};
use crate::metrics::Scrape;
use crate::postgres::{self, Server};

const HERE: (&str, &str) = ("x-tidegate-request", "1");

async fn on(url: &str, flags: &[&str]) -> Gateway {
    let common = [
        "--jwt-secret",
        SECRET,
        "--admin-password",
        PASSWORD,
        "--database-url",
        url,
    ];
    Gateway::with(&[&common[..], flags].concat(), "").await
}

/// Asks until the answer has this status; gives its head.
async fn until(gateway: &Gateway, cookie: &str, status: u16) -> String {
    let asking = async {
        loop {
            let headers = [("cookie", cookie)];
            let path = "/api/v1/auth/users";
            let (now, head, body) = raw(gateway, "GET", path, &headers, None).await;
            assert!([200, 503].contains(&now), "{body}");
            if now == status {
                return head;
            }
        }
    };
    timeout(PATIENCE, asking).await.unwrap()
}

/// A pushed event is answered and comes out on the bus: the traffic goes on.
async fn traffic_goes_on(gateway: &Gateway, topic: &str) {
    let mut tap = gateway.tap().await;
    let mut socket = gateway.joined(topic, "alice").await;
    let answer = socket
        .ask(json!(["1", "p", topic, "event", {"n": 1}]))
        .await;
    assert_eq!(answer[4]["status"], "ok", "{answer}");
    loop {
        let (channel, body) = tap.next().await;
        if channel == format!("from:{topic}:event") {
            assert_eq!(body, json!({"n": 1}).to_string().as_bytes());
            return;
        }
    }
}

/// P8: an exhausted pool is 503 with Retry-After in bounded time; the one who waits for the lock is
/// told too; afterwards everything works, and no connection is lost over thousands of requests.
#[tokio::test]
async fn a_full_pool_is_an_answer() {
    let server = Server::start().await;
    let url = postgres::create(&server.url("postgres")).await;
    let flags = ["--store-connections", "2", "--store-wait-ms", "300"];
    let gateway = on(&url, &flags).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let admin = [("cookie", cookie.as_str()), HERE];
    sqlx::any::install_default_drivers();
    let raw_pool = sqlx::AnyPool::connect(&url).await.unwrap();
    let mut holding = raw_pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE definitions, users IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *holding)
        .await
        .unwrap();
    let began = Instant::now();
    let ask = async || {
        let headers = [("cookie", cookie.as_str())];
        raw(&gateway, "GET", "/api/v1/auth/users", &headers, None).await
    };
    let answers = futures::future::join_all((0..6).map(|_| ask())).await;
    for (status, head, body) in answers {
        assert_eq!(status, 503, "{body}");
        assert!(head.contains("retry-after: "), "{head}");
    }
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    traffic_goes_on(&gateway, "room").await;
    holding.commit().await.unwrap();
    until(&gateway, &cookie, 200).await;
    let wanted = json!({"pattern": "later:*", "join": "public"});
    let (status, _) = request(
        &gateway,
        "PUT",
        "/api/v1/definitions",
        &admin,
        Some(&wanted),
    )
    .await;
    assert_eq!(status, 200);
    for _ in 0..3_000 {
        let (status, _, _) = ask().await;
        assert_eq!(status, 200);
    }
    let scrape = Scrape::of(&gateway).await;
    assert!(scrape.value("tidegate_store_connections", &[]) <= 2.0);
}

/// P21: a store that dies is 503 where it is needed, everything else goes on; it comes back without a
/// restart, and what waited is written.
#[tokio::test]
async fn a_store_that_dies_and_comes_back() {
    let mut server = Server::start().await;
    let url = postgres::create(&server.url("postgres")).await;
    let flags = ["--store-connections", "2", "--store-wait-ms", "500"];
    let gateway = on(&url, &flags).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    let admin = [("cookie", cookie.as_str()), HERE];
    traffic_goes_on(&gateway, "before").await;
    server.kill().await;
    let head = until(&gateway, &cookie, 503).await;
    assert!(head.contains("retry-after: "), "{head}");
    traffic_goes_on(&gateway, "meanwhile").await;
    let (status, _) = request(&gateway, "GET", "/api/v1/overview", &admin, None).await;
    assert_eq!(status, 200, "what needs no store is answered");
    let wanted = json!({"pattern": "later:*", "join": "public"});
    let (status, _) = request(
        &gateway,
        "PUT",
        "/api/v1/definitions",
        &admin,
        Some(&wanted),
    )
    .await;
    assert_eq!(status, 503, "changes have to wait");
    let (status, _) = request(&gateway, "DELETE", "/api/v1/channels/nobody", &admin, None).await;
    assert_eq!(status, 404);
    let seen = async { while Scrape::of(&gateway).await.value("tidegate_store_up", &[]) != 0.0 {} };
    timeout(PATIENCE, seen).await.unwrap();
    let live = raw(&gateway, "GET", "/healthz", &[], None).await.0;
    assert_eq!(live, 200, "a lost store is no reason to restart");

    server.run().await;
    until(&gateway, &cookie, 200).await;
    let (status, _) = request(
        &gateway,
        "PUT",
        "/api/v1/definitions",
        &admin,
        Some(&wanted),
    )
    .await;
    assert_eq!(status, 200);
    let kept = async {
        loop {
            let path = "/api/v1/activity?refused=true&search=nobody";
            let (status, found) = request(&gateway, "GET", path, &admin, None).await;
            if status == 200 && found["items"][0]["status"] == 404 {
                return;
            }
        }
    };
    timeout(PATIENCE, kept).await.unwrap();
    assert_eq!(
        Scrape::of(&gateway).await.value("tidegate_store_up", &[]),
        1.0
    );
    traffic_goes_on(&gateway, "after").await;
}

/// P21: a store that says nothing any more, as behind a cable that was pulled, keeps nobody waiting.
#[tokio::test]
async fn a_store_that_falls_silent() {
    let server = Server::start().await;
    let url = postgres::create(&server.url("postgres")).await;
    let flags = ["--store-wait-ms", "500", "--request-seconds", "2"];
    let gateway = on(&url, &flags).await;
    let cookie = sign_in(&gateway, PASSWORD).await;
    until(&gateway, &cookie, 200).await;
    signal_all(&server, "STOP").await;
    let began = Instant::now();
    let head = until(&gateway, &cookie, 503).await;
    assert!(head.contains("retry-after: "), "{head}");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    traffic_goes_on(&gateway, "meanwhile").await;
    let noticed = async {
        while Scrape::of(&gateway).await.value("tidegate_store_up", &[]) > 0.0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, noticed).await.unwrap();
    signal_all(&server, "CONT").await;
    until(&gateway, &cookie, 200).await;
    let admin = [("cookie", cookie.as_str()), HERE];
    let wanted = json!({"pattern": "later:*", "join": "public"});
    let made = async {
        loop {
            let path = "/api/v1/definitions";
            let (status, answer): (u16, Value) =
                request(&gateway, "PUT", path, &admin, Some(&wanted)).await;
            if status == 200 {
                return answer;
            }
        }
    };
    timeout(PATIENCE, made).await.unwrap();
}

/// Sends a signal to the server and to each of its processes.
async fn signal_all(server: &Server, name: &str) {
    let pid = server.pid().to_string();
    let children = Command::new("pgrep")
        .args(["-P", &pid])
        .output()
        .await
        .unwrap();
    let children = String::from_utf8(children.stdout).unwrap();
    let pids = children.lines().chain([pid.as_str()]);
    let sent = Command::new("kill").args(["-s", name]).args(pids).status();
    assert!(sent.await.unwrap().success());
}
