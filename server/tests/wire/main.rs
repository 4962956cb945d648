//! The wire contract against the real binary, over real sockets and a real Redis client.
//!
//! A test reads as a conversation: connect, send a frame, expect a frame. What must not happen is
//! shown by something that happens after it: a marker on the bus, a heartbeat on the socket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]
#![allow(
    unreachable_pub,
    reason = "the modules of a test are its private parts"
)]

mod admin_topic;
mod attacks;
mod bad_input;
mod bus_tap;
mod closing;
mod cluster;
mod command_line;
mod commands;
mod descriptors;
mod documents;
mod drain;
mod events;
mod gateway;
mod http_api;
mod joining;
mod limits;
mod log;
mod long_poll;
mod members;
mod metrics;
mod openapi;
mod overflow;
mod peers;
mod plugins;
#[allow(dead_code, reason = "shared with the tests of the store")]
#[path = "../../../crates/store/tests/contract/postgres.rs"]
mod postgres;
mod presence;
mod proxies;
mod publish;
mod pushing;
mod rate_limits;
mod redis_bus;
mod secrets;
mod signed;
mod socket;
mod stamps;
mod store_lost;
mod supabase;
mod system;
mod tokens;
mod trust;
mod unix_socket;
mod walk;
