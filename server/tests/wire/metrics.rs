//! Health and metrics, read as Prometheus reads them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Duration, timeout};

use crate::gateway::{Gateway, PASSWORD, PATIENCE, SECRET};
use crate::http_api::{raw, request, sign_in};
use crate::redis_bus::{Redis, gateway_on};

/// Reads the page on its standard input with Prometheus's own parser, as JSON.
const PARSER: &str = "
import json, sys
from prometheus_client.parser import text_string_to_metric_families
samples = [
    [family.name, family.type, sample.name, sample.labels, sample.value]
    for family in text_string_to_metric_families(sys.stdin.read())
    for sample in family.samples
]
json.dump(samples, sys.stdout)
";

pub fn python() -> OsString {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/python");
    match std::env::var_os("TIDEGATE_PYTHON") {
        Some(python) => python,
        None if venv.exists() => venv.into(),
        None => "python3".into(),
    }
}

/// What one scrape told.
pub struct Scrape(Vec<(String, String, String, Value, f64)>);

impl Scrape {
    pub async fn of(gateway: &Gateway) -> Self {
        Self::with(gateway, &[]).await
    }

    pub async fn with(gateway: &Gateway, headers: &[(&str, &str)]) -> Self {
        let (status, head, page) = raw(gateway, "GET", "/metrics", headers, None).await;
        assert_eq!(status, 200, "{page}");
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        let mut child = Command::new(python())
            .args(["-c", PARSER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python is installed");
        let mut input = child.stdin.take().unwrap();
        input.write_all(page.as_bytes()).await.unwrap();
        drop(input);
        let output = timeout(PATIENCE, child.wait_with_output()).await;
        let output = output.unwrap().unwrap();
        assert!(output.status.success(), "{page}");
        Self(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// The value of a sample; labels that are not asked for may be anything.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |l: &Value| labels.iter().all(|(label, value)| l[label] == *value);
        let mut found = self.0.iter().filter(|s| s.2 == name && fits(&s.3));
        let value = found
            .next()
            .unwrap_or_else(|| panic!("{name} {labels:?}"))
            .4;
        assert!(found.next().is_none(), "{name} {labels:?} is one");
        value
    }

    /// Every value that a label of a sample has.
    pub fn labels(&self, name: &str, label: &str) -> Vec<String> {
        let samples = self.0.iter().filter(|sample| sample.2 == name);
        samples
            .map(|sample| sample.3[label].as_str().unwrap().to_owned())
            .collect()
    }

    /// Every family with its type, as the page names it.
    pub fn families(&self) -> Vec<(String, String)> {
        let mut all: Vec<_> = self
            .0
            .iter()
            .map(|(family, kind, ..)| {
                // The parser takes the ending of a counter off its family.
                let end = if kind == "counter" { "_total" } else { "" };
                (format!("{family}{end}"), kind.clone())
            })
            .collect();
        all.sort();
        all.dedup();
        all
    }
}

/// Scrapes until it is so.
pub async fn until(gateway: &Gateway, name: &str, labels: &[(&str, &str)], least: f64) -> Scrape {
    let scraping = async {
        loop {
            let scrape = Scrape::of(gateway).await;
            if scrape.value(name, labels) >= least {
                return scrape;
            }
        }
    };
    timeout(PATIENCE, scraping)
        .await
        .unwrap_or_else(|_| panic!("{name} {labels:?}"))
}

async fn with(flags: &[&str]) -> Gateway {
    let common = ["--jwt-secret", SECRET, "--admin-password", PASSWORD];
    Gateway::with(&[&common[..], flags].concat(), "").await
}

/// Section 4: what happened is what is told.
#[tokio::test]
async fn a_scrape_tells_what_happened() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let answer = socket
        .ask(json!(["1", "2", "room", "said", {"a": 1}]))
        .await;
    assert_eq!(answer[4]["status"], "ok");
    let refused = socket
        .ask(json!(["2", "3", "room2", "phx_join", {"token": "x"}]))
        .await;
    assert_eq!(refused[4]["status"], "error");
    let mut tap = gateway.tap().await;
    tap.publish("to:room:update", "1").await;
    socket.expect_event("room", "update").await;
    let (_, poll) = request(&gateway, "GET", "/longpoll?vsn=2.0.0", &[], None).await;
    assert_eq!(poll["status"], 410);

    let scrape = Scrape::of(&gateway).await;
    for (name, labels, value) in [
        ("tidegate_ready", None, 1.0),
        (
            "tidegate_connections",
            Some(("transport", "websocket")),
            1.0,
        ),
        ("tidegate_connections", Some(("transport", "longpoll")), 1.0),
        ("tidegate_channels", None, 1.0),
        ("tidegate_members", None, 1.0),
        ("tidegate_events_total", Some(("from", "clients")), 1.0),
        ("tidegate_events_total", Some(("from", "bus")), 1.0),
        ("tidegate_deliveries_total", None, 1.0),
        ("tidegate_refused_total", Some(("frame", "join")), 1.0),
        ("tidegate_dropped_total", Some(("reason", "refused")), 1.0),
        ("tidegate_bus_up", Some(("kind", "in-process")), 1.0),
        ("tidegate_bus_clients", None, 2.0),
        ("tidegate_fan_out_seconds_count", None, 1.0),
        ("tidegate_join_seconds_count", None, 1.0),
        ("tidegate_queue_bytes", None, 0.0),
    ] {
        let reason = ("reason", "invalid token");
        let mut labels: Vec<_> = labels.into_iter().collect();
        if name == "tidegate_refused_total" {
            labels.push(reason);
        }
        assert_eq!(scrape.value(name, &labels), value, "{name} {labels:?}");
    }
    // The join, the refused one, the push, the heartbeat of `joined`.
    assert_eq!(scrape.value("tidegate_round_trip_seconds_count", &[]), 4.0);
    let sum = scrape.value("tidegate_round_trip_seconds_sum", &[]);
    assert!(sum > 0.0 && sum < 60.0, "{sum}");
    assert!(scrape.value("process_resident_memory_bytes", &[]) > 1e6);
    assert!(scrape.value("process_start_time_seconds", &[]) > 1.7e9);
    drop(socket);
    until(
        &gateway,
        "tidegate_closed_total",
        &[("reason", "client")],
        1.0,
    )
    .await;
}

/// Section 4: open on this machine, else for who shows the token, and for administrators.
#[tokio::test]
async fn metrics_are_not_for_everybody() {
    let ask = async |gateway: &Gateway, headers: &[(&str, &str)]| {
        raw(gateway, "GET", "/metrics", headers, None).await
    };
    let open = with(&["--host", "0.0.0.0"]).await;
    let (status, head, body) = ask(&open, &[]).await;
    assert_eq!(status, 401, "{body}");
    assert!(head.contains("www-authenticate: Bearer"), "{head}");
    let cookie = sign_in(&open, PASSWORD).await;
    assert_eq!(ask(&open, &[("cookie", &cookie)]).await.0, 200);

    let token = "a token for the scraper";
    for host in ["127.0.0.1", "0.0.0.0"] {
        let gateway = with(&["--host", host, "--metrics-token", token]).await;
        assert_eq!(ask(&gateway, &[]).await.0, 401);
        let wrong = [("authorization", "Bearer another token of it")];
        assert_eq!(ask(&gateway, &wrong).await.0, 401);
        let bearer = format!("Bearer {token}");
        let right = [("authorization", bearer.as_str())];
        Scrape::with(&gateway, &right).await;
    }
}

/// Section 4: alive is not ready; what is not ready is said in words.
#[tokio::test]
async fn a_gateway_without_its_bus_lives_and_is_not_ready() {
    let mut redis = Redis::start().await;
    let gateway = gateway_on(&redis).await;
    let ready = async |wanted: u16| {
        let asking = async {
            loop {
                let (status, body) = request(&gateway, "GET", "/readyz", &[], None).await;
                if status == wanted {
                    return body;
                }
            }
        };
        timeout(PATIENCE, asking).await.unwrap()
    };
    assert_eq!(ready(200).await, json!({"status": "ok"}));
    redis.kill().await;
    let body = ready(503).await;
    assert_eq!(body["status"], "not ready");
    let why = body["not_ready"][0].as_str().unwrap();
    assert!(why.starts_with("The bus is down: "), "{why}");
    assert_eq!(request(&gateway, "GET", "/healthz", &[], None).await.0, 200);
    let scrape = Scrape::of(&gateway).await;
    assert_eq!(scrape.value("tidegate_ready", &[]), 0.0);
    assert_eq!(scrape.value("tidegate_bus_up", &[("kind", "redis")]), 0.0);
    redis.restart().await;
    ready(200).await;
    let mut socket = gateway.joined_when_up("room", "alice").await;
    socket.expect_silence().await;
    until(&gateway, "tidegate_bus_publish_seconds_count", &[], 1.0).await;
}

/// Section 4: each bound shows when it is reached.
#[tokio::test]
async fn a_bound_that_is_reached_shows() {
    let gateway = with(&[
        "--max-connections",
        "3",
        "--max-connections-per-address",
        "2",
        "--max-frame-bytes",
        "2048",
        "--max-channels",
        "1",
        "--max-errors",
        "1",
        "--idle-seconds",
        "3",
        "--http-head-seconds",
        "1",
    ])
    .await;
    let mut half = TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    half.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let _one = gateway.joined("room", "alice").await;
    let mut two = gateway.connect().await;
    assert_eq!(gateway.connect().await.closed().await.0, 1013);
    let refused = two
        .ask(json!(["1", "1", "room2", "phx_join", {"token": crate::gateway::token("a", "room2")}]))
        .await;
    assert_eq!(refused[4]["response"]["reason"], "too many topics");
    two.send(json!([null, "2", "phoenix", "x".repeat(3000), {}]))
        .await;
    assert_eq!(two.closed().await.0, 1009);
    let mut three = gateway.connect().await;
    three.send_text("nonsense").await;
    assert_eq!(three.closed().await.0, 1008);
    for (name, labels) in [
        (
            "tidegate_connections_refused_total",
            &[("bound", "address")][..],
        ),
        (
            "tidegate_closed_total",
            &[("reason", "too many connections")],
        ),
        (
            "tidegate_refused_total",
            &[("frame", "join"), ("reason", "too many topics")],
        ),
        ("tidegate_closed_total", &[("reason", "frame too large")]),
        ("tidegate_closed_total", &[("reason", "too many errors")]),
        ("tidegate_closed_total", &[("reason", "idle")]),
        ("tidegate_http_slow_heads_total", &[]),
    ] {
        until(&gateway, name, labels, 1.0).await;
    }
}

/// Section 4: who has to wait for a place shows, too.
#[tokio::test]
async fn full_places_show() {
    let gateway = with(&["--max-http-connections", "1"]).await;
    let held = TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    let waits = tokio::spawn({
        let port = gateway.port;
        async move {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(stream);
        }
    });
    waits.await.unwrap();
    drop(held);
    until(&gateway, "tidegate_http_full_total", &[], 1.0).await;
}

/// Section 4: what Redis clients of the in-process bus may do shows where it is too much.
#[tokio::test]
async fn bounds_of_redis_clients_show() {
    let gateway = with(&[
        "--bus-clients",
        "2",
        "--bus-output-bytes",
        "65536",
        "--bus-request-bytes",
        "40000",
    ])
    .await;
    let address = gateway.bus.clone().unwrap();
    let connect = async || TcpStream::connect(&address).await.unwrap();
    let rest = async |mut stream: TcpStream| {
        let mut bytes = Vec::new();
        // Closed, or reset because of what was not read.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
            .await
            .unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let cut = async |reason: &str| {
        let labels = [("reason", reason)];
        until(&gateway, "tidegate_bus_clients_cut_total", &labels, 1.0).await
    };
    let clients = async |count: f64| {
        let counting = async {
            while Scrape::of(&gateway)
                .await
                .value("tidegate_bus_clients", &[])
                != count
            {}
        };
        timeout(PATIENCE, counting).await.unwrap();
    };
    let (mut one, mut two) = (connect().await, connect().await);
    clients(2.0).await;
    let refused = rest(connect().await).await;
    assert_eq!(refused, "-ERR max number of clients reached\r\n");
    cut("too many").await;

    two.write_all(b"*2\r\n$4\r\nECHO\r\n$40000\r\n")
        .await
        .unwrap();
    let said = rest(two).await;
    assert!(said.contains("a request may have 40000 bytes"), "{said}");
    cut("protocol error").await;
    clients(1.0).await;

    let mut slow = connect().await;
    slow.write_all(b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n")
        .await
        .unwrap();
    let publish = format!(
        "*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$30000\r\n{}\r\n",
        "x".repeat(30_000)
    );
    let publishing = async {
        let mut answer = [0; 4];
        let mut heard = false;
        loop {
            one.write_all(publish.as_bytes()).await.unwrap();
            one.read_exact(&mut answer).await.unwrap();
            match &answer {
                b":1\r\n" => heard = true,
                // Once it is cut, nobody is there.
                b":0\r\n" if heard => return,
                b":0\r\n" => {}
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(PATIENCE, publishing).await.unwrap();
    let scrape = cut("too slow").await;
    drop(slow);
    let of = |outcome| scrape.value("tidegate_bus_events_total", &[("outcome", outcome)]);
    assert_eq!((of("refused"), of("failed")), (0.0, 0.0));
    let refused = scrape.value("tidegate_bus_subscriptions_refused_total", &[]);
    assert_eq!(refused, 0.0);
}

/// What is counted is what crossed the wire: of the gateway's frames all bytes, whatever they are and
/// whoever made the gateway send them; of the client's their content.
#[tokio::test]
async fn bytes_are_those_of_the_wire() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    let (mut sent, mut received) = (0, 0);
    let mut tap = gateway.tap().await;
    let payload = json!({"token": crate::gateway::token("alice", "room"), "presence": {"n": 1}});
    for (frame, answers) in [
        // The reply, the state, the diff.
        (json!(["1", "1", "room", "phx_join", payload]), 3),
        (
            json!([null, "2", "phoenix", "heartbeat", {"pad": "x".repeat(300)}]),
            1,
        ),
        (json!(["1", "3", "room", "said", {}]), 1),
        // An event of the bus after this one.
        (json!(["1", "4", "room", "said", {}]), 2),
        (json!(["1", "5", "room", "presence_update", {}]), 2),
        (json!("nonsense"), 1),
        (json!(["1", "6", "never", "said", {}]), 1),
        (json!(["1", "7", "room", "phx_leave", {}]), 2),
    ] {
        let text = frame.to_string();
        received += text.len();
        socket.send_text(&text).await;
        if frame[1] == "4" {
            tap.publish("to:room:news", format!("\"{}\"", "x".repeat(70_000)))
                .await;
        }
        for _ in 0..answers {
            let length = socket.next_text().await.len();
            sent += length
                + match length {
                    0..=125 => 2,
                    126..=0xffff => 4,
                    _ => 10,
                };
        }
    }
    // A pong without content, then a close frame with a code.
    socket.send_raw(b"\x89\x80\x00\x00\x00\x00").await;
    socket.send_raw(b"\x88\x82\x00\x00\x00\x00\x03\xe9").await;
    assert_eq!(socket.closed().await.0, 1001);
    sent += 2 + 4;
    let counted = async {
        loop {
            let scrape = Scrape::of(&gateway).await;
            let counted = [
                scrape.value("tidegate_sent_bytes_total", &[]),
                scrape.value("tidegate_received_bytes_total", &[]),
            ];
            // The last bytes are counted after the client has them.
            if counted[0] >= sent as f64 {
                return counted;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let counted = timeout(PATIENCE, counted).await.expect("all of them");
    assert_eq!(counted, [sent as f64, received as f64]);
}
