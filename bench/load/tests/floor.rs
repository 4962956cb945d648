//! The load generator against the floor: what goes in comes out, and what is wrong is said.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::process::{Command, Output};

use serde_json::Value;

/// A floor in a thread of the test, which ends with it.
fn floor() -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut server = tidegate_floor::Server::bind(([127, 0, 0, 1], 0).into()).unwrap();
        sender.send(server.address().unwrap()).unwrap();
        server.run()
    });
    receiver.recv().unwrap()
}

fn load(mode: &str, address: SocketAddr, arguments: &[&str]) -> Output {
    let pid = std::process::id().to_string();
    Command::new(env!("CARGO_BIN_EXE_tidegate-load"))
        .args([
            mode,
            "--target",
            "floor",
            "--address",
            &address.to_string(),
            "--pid",
            &pid,
        ])
        .args(arguments)
        .output()
        .unwrap()
}

fn figures(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One in flight: every message reaches every subscriber, in order.
#[test]
fn every_message_reaches_every_subscriber() {
    let output = load(
        "subscribers",
        floor(),
        &[
            "--clients",
            "20",
            "--messages",
            "50",
            "--warm-up",
            "5",
            "--bytes",
            "5000",
        ],
    );
    let figures = figures(&output);
    assert_eq!(figures["deliveries"], 1000);
    assert_eq!(figures["lost"], 0);
    assert_eq!(figures["out_of_order"], 0);
    assert!(figures["p50_us"].as_f64() <= figures["p99_us"].as_f64());
    assert!(figures["p50_us"].as_f64().unwrap() > 0.0);
}

/// A steady rate takes the time that it should.
#[test]
fn a_rate_is_kept() {
    let output = load(
        "subscribers",
        floor(),
        &[
            "--clients",
            "5",
            "--messages",
            "50",
            "--warm-up",
            "1",
            "--rate",
            "100",
        ],
    );
    let figures = figures(&output);
    assert_eq!(figures["deliveries"], 250);
    assert!(figures["seconds"].as_f64().unwrap() >= 0.48, "{figures}");
}

/// Idle connections have a price in bytes.
#[test]
fn idle_connections_are_counted() {
    let figures = figures(&load("idle", floor(), &["--clients", "200"]));
    assert_eq!(figures["connections"], 200);
    assert!(figures["resident_after"].as_u64() > Some(0));
}

/// A run that cannot be is a sentence and a failure, never figures.
#[test]
fn failures_are_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = taken.local_addr().unwrap();
    drop(taken);
    for (arguments, sentence) in [
        (vec!["--clients", "2"], "could not connect"),
        (vec!["--bytes", "10"], "must have at least"),
        (vec!["--topic", "a\"b"], "letters, digits"),
    ] {
        let output = load("subscribers", closed, &arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(said.contains(sentence), "{said}");
    }
}
