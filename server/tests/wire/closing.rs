//! How sockets end (A14, A15).

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::Gateway;

/// A14: a silent socket is closed, a heartbeat keeps it.
#[tokio::test]
async fn a_silent_socket_is_closed() {
    let gateway = Gateway::with(
        &["--idle-seconds", "1", "--admin-password", "open sesame"],
        "",
    )
    .await;
    let mut silent = gateway.connect().await;
    assert_eq!(silent.closed().await, (1001, "idle".to_owned()));
}

/// A14: 1009 for a frame above the limit.
#[tokio::test]
async fn a_frame_that_is_too_large_closes_with_1009() {
    let flags = [
        "--max-frame-bytes",
        "2048",
        "--admin-password",
        "open sesame",
    ];
    let gateway = Gateway::with(&flags, "").await;
    let mut tap = gateway.tap().await;
    let mut socket = gateway.connect().await;
    let fits = json!([null, "1", "phoenix", "heartbeat", {"pad": "x".repeat(1900)}]);
    assert_eq!(socket.ask(fits).await[4]["status"], "ok");
    socket
        .send(json!([null, "2", "phoenix", "heartbeat", {"pad": "x".repeat(3000)}]))
        .await;
    assert_eq!(socket.closed().await, (1009, "frame too large".to_owned()));
    tap.expect_silence().await;
}

/// RFC 6455: an unmasked frame is a protocol error, text that is no UTF-8 is 1007.
#[tokio::test]
async fn frames_that_break_the_standard_close_the_socket() {
    let gateway = Gateway::start().await;
    let mut unmasked = gateway.connect().await;
    unmasked.send_raw(b"\x81\x02hi").await;
    assert_eq!(unmasked.closed().await.0, 1002);
    let mut reserved = gateway.connect().await;
    reserved.send_raw(b"\x83\x80\x00\x00\x00\x00").await;
    assert_eq!(reserved.closed().await.0, 1002);
    let mut not_utf8 = gateway.connect().await;
    not_utf8.send_raw(b"\x81\x82\x00\x00\x00\x00\xff\xfe").await;
    assert_eq!(not_utf8.closed().await.0, 1007);
}

/// RFC 6455, section 5.5.1: a close frame is answered with its own code, and with none where it has
/// none; 1000 is never the gateway's word.
#[tokio::test]
async fn a_close_is_answered_with_its_own_code() {
    let gateway = Gateway::start().await;
    let mut without = gateway.connect().await;
    without.send_raw(b"\x88\x80\x00\x00\x00\x00").await;
    assert_eq!(without.next_message().await, Message::Close(None));
    for code in [1000u16, 1001, 4321] {
        let mut socket = gateway.connect().await;
        let [high, low] = code.to_be_bytes();
        socket.send_raw(&[0x88, 0x82, 0, 0, 0, 0, high, low]).await;
        assert_eq!(socket.closed().await, (code, String::new()));
    }
}

/// Whoever closes while much is under way gets what was begun whole, and the answer behind it.
#[tokio::test]
async fn a_close_is_answered_behind_what_was_begun() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    let mut tap = gateway.tap().await;
    let body = format!("\"{}\"", "x".repeat(64 * 1024));
    // More than the buffers of the two sockets hold, less than the queue does.
    for _ in 0..110 {
        tap.publish("to:room:big", &body).await;
    }
    socket.send_raw(b"\x88\x80\x00\x00\x00\x00").await;
    while let Message::Text(text) = socket.next_message().await {
        let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(frame.is_array());
    }
}

/// RFC 6455, section 7.1.1: what a client says too much does not cost it the reason of its end.
#[tokio::test]
async fn the_reason_arrives_whatever_the_client_goes_on_saying() {
    let gateway = Gateway::start().await;
    let mut socket = gateway.connect().await;
    let reserved = b"\x83\x80\x00\x00\x00\x00";
    socket.send_raw(&reserved.repeat(40_000)).await;
    assert_eq!(socket.closed().await.0, 1002);
}

/// A14: on SIGTERM every socket is told to come back, and the gateway ends.
#[tokio::test]
async fn a_stop_tells_every_socket_to_come_back() {
    let mut gateway = Gateway::start().await;
    let mut socket = gateway.joined("room", "alice").await;
    gateway.terminate().await;
    assert_eq!(socket.closed().await, (1012, "server restart".to_owned()));
    let ended = tokio::time::timeout(crate::gateway::PATIENCE, gateway.child.wait()).await;
    assert!(ended.unwrap().unwrap().success());
}

/// A15: who does not read is closed as a slow consumer; who does gets everything, in order.
#[tokio::test]
async fn a_slow_reader_is_closed_and_harms_nobody() {
    let flags = [
        "--queue-bytes",
        "65536",
        "--jwt-secret",
        crate::gateway::SECRET,
        "--admin-password",
        "open sesame",
    ];
    let gateway = Gateway::with(&flags, "").await;
    let mut good = gateway.joined("room", "good").await;
    let mut slow = gateway.joined("room", "slow").await;
    good.until_presence_diff("room").await;
    let mut tap = gateway.tap().await;
    tap.expect_silence().await;
    let body = format!("\"{}\"", "x".repeat(8192));
    let mut left = false;
    // Until the socket buffers of the slow one are full, and its queue after them.
    for n in 0..10_000 {
        tap.publish("to:room:big", &body).await;
        let mut frame = good.next().await;
        if frame[3] == "presence_diff" {
            assert!(frame[4]["leaves"]["slow"].is_object(), "{frame}");
            left = true;
            frame = good.next().await;
        }
        assert_eq!(frame[3], "big", "message {n}");
        if left {
            break;
        }
    }
    assert!(left, "the slow reader is gone");
    good.expect_silence().await;
    // However late it reads: it gets what was under way, and is then told.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(slow.closed().await, (1008, "slow consumer".to_owned()));
}
