//! A18: every limit has its answer.

use serde_json::json;

use crate::gateway::{Gateway, SECRET, token};
use crate::socket::refused;

async fn with(flag: &str, value: &str) -> Gateway {
    Gateway::with(
        &[
            "--jwt-secret",
            SECRET,
            "--admin-password",
            "open sesame",
            flag,
            value,
        ],
        "",
    )
    .await
}

#[tokio::test]
async fn channels_per_connection() {
    let gateway = with("--max-channels-per-connection", "2").await;
    let mut socket = gateway.joined("room", "alice").await;
    assert_eq!(
        socket.ask(json!(["2", "2", "host", "phx_join", {}])).await[4]["status"],
        "ok"
    );
    let answer = socket
        .ask(json!(["3", "3", "flights", "phx_join", {}]))
        .await;
    assert_eq!(
        answer,
        refused(
            json!("3"),
            json!("3"),
            "flights",
            "too many channels joined"
        )
    );
    let again = socket.ask(json!(["4", "4", "host", "phx_join", {}])).await;
    assert_eq!(again[4]["status"], "ok", "joining again is not one more");
}

#[tokio::test]
async fn channels_in_all() {
    let gateway = with("--max-channels", "1").await;
    let _first = gateway.joined("room", "alice").await;
    let mut second = gateway.connect().await;
    let answer = second.ask(json!(["1", "1", "host", "phx_join", {}])).await;
    assert_eq!(
        answer,
        refused(json!("1"), json!("1"), "host", "too many topics")
    );
    let again = second
        .ask(json!(["1", "1", "room", "phx_join", {"token": token("b", "room")}]))
        .await;
    assert_eq!(again[4]["status"], "ok");
}

#[tokio::test]
async fn pushes_per_second() {
    let gateway = with("--pushes-per-second", "5").await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut refusals = 0;
    for n in 0..50 {
        let answer = socket.ask(json!(["1", n, "room", "event", {}])).await;
        if answer[4]["status"] == "error" {
            assert_eq!(
                answer,
                refused(json!("1"), json!(n), "room", "too many pushes")
            );
            refusals += 1;
        }
    }
    assert!(refusals > 0);
    socket.expect_silence().await;
}

#[tokio::test]
async fn joins_per_second() {
    let gateway = with("--joins-per-second", "5").await;
    let mut socket = gateway.connect().await;
    let mut reasons = Vec::new();
    for n in 0..20 {
        let answer = socket.ask(json!(["1", n, "room", "phx_join", {}])).await;
        reasons.push(answer[4]["response"]["reason"].as_str().unwrap().to_owned());
    }
    assert_eq!(reasons[0], "unauthorized");
    assert!(
        reasons.contains(&"too many joins".to_owned()),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn connections_in_all_and_from_one_address() {
    for flag in ["--max-connections", "--max-connections-per-address"] {
        let gateway = with(flag, "1").await;
        let mut first = gateway.connect().await;
        first.expect_silence().await;
        let mut second = gateway.connect().await;
        assert_eq!(
            second.closed().await,
            (1013, "too many connections".to_owned()),
            "{flag}"
        );
        drop(first);
        // The place is free again as soon as the first is gone.
        loop {
            let mut third = gateway.connect().await;
            third
                .send(json!([null, "1", "phoenix", "heartbeat", {}]))
                .await;
            if third.next_message().await.is_text() {
                break;
            }
        }
    }
}
