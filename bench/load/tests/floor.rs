//! The load generator against the floor: what goes in comes out, and what is wrong is said.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::{Command, Output};

use serde_json::Value;

/// A floor in a thread of the test, which ends with it.
fn floor(frames_per_call: usize) -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let frames_per_call = NonZeroUsize::new(frames_per_call).unwrap();
        let address = ([127, 0, 0, 1], 0).into();
        let mut server = tidegate_floor::Server::bind(address, frames_per_call).unwrap();
        sender.send(server.address().unwrap()).unwrap();
        server.run()
    });
    receiver.recv().unwrap()
}

fn load(mode: &str, address: SocketAddr, arguments: &str) -> Output {
    let (address, pid) = (address.to_string(), std::process::id().to_string());
    Command::new(env!("CARGO_BIN_EXE_tidegate-load"))
        .args([mode, "--target", "floor", "--address", &address])
        .args(["--pid", &pid])
        .args(arguments.split(' '))
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
    let arguments = "--clients 20 --messages 50 --warm-up 5 --bytes 5000";
    let figures = figures(&load("subscribers", floor(1), arguments));
    assert_eq!(figures["deliveries"], 1000);
    assert_eq!(figures["lost"], 0);
    assert_eq!(figures["out_of_order"], 0);
    let latency = &figures["latency"];
    assert!(latency["p50_us"].as_f64() <= latency["p99_us"].as_f64());
    assert!(latency["p50_us"].as_f64().unwrap() > 0.0);
}

/// A backlog: messages that are written together arrive as those that are written one by one,
/// whether the batch divides the backlog or not.
#[test]
fn a_backlog_arrives_however_it_is_written() {
    for frames_per_call in [1, 5, 8, 32, 100] {
        let arguments = "--clients 20 --messages 500 --warm-up 0 --in-flight 32";
        let figures = figures(&load("subscribers", floor(frames_per_call), arguments));
        assert_eq!(figures["deliveries"], 10_000, "{frames_per_call} per call");
        assert_eq!(figures["lost"], 0);
        assert_eq!(figures["out_of_order"], 0);
    }
}

/// A steady rate takes the time that it should.
#[test]
fn a_rate_is_kept() {
    let arguments = "--clients 5 --messages 50 --warm-up 1 --rate 100";
    let figures = figures(&load("subscribers", floor(1), arguments));
    assert_eq!(figures["deliveries"], 250);
    assert!(figures["delivering_seconds"].as_f64().unwrap() >= 0.48);
}

/// Idle connections have a price in bytes.
#[test]
fn idle_connections_are_counted() {
    let figures = figures(&load("idle", floor(1), "--clients 200"));
    assert_eq!(figures["connections"], 200);
    assert!(figures["private_after"].as_u64() > Some(0));
}

/// Each push is answered, and so is each join.
#[test]
fn pushes_and_joins_are_answered() {
    let pushes = "--clients 7 --requests 1000 --warm-up 3 --bytes 300";
    let pushes = figures(&load("push", floor(1), pushes));
    assert_eq!(pushes["requests"], 1000);
    let joins = "--clients 100 --in-flight 30 --part 10";
    let joins = figures(&load("joins", floor(1), joins));
    assert_eq!(joins["members"], 100);
    assert!(joins["last_per_second"].as_f64().unwrap() > 0.0);
}

/// A run that cannot be is a sentence and a failure, never figures.
#[test]
fn failures_are_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = taken.local_addr().unwrap();
    drop(taken);
    for (mode, arguments, sentence) in [
        ("subscribers", "--clients 2", "could not connect"),
        ("subscribers", "--bytes 10", "must have at least"),
        ("subscribers", "--topic a\"b", "letters, digits"),
        ("joins", "--target gateway", "cannot be used multiple"),
        ("push", "--clients 2", "could not connect"),
    ] {
        let output = load(mode, closed, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(said.contains(sentence), "{said}");
    }
}
