//! What carries events between gateways and plugins: in-process or Redis.
//!
//! The gateway is written against [`Bus`] and [`Sink`] alone. Two implementations stand behind
//! them: [`InProcess`], a broker of its own that lets stock Redis clients in through a listener,
//! and [`Redis`], which uses a real Redis or Valkey so that many gateways act as one.
//!
//! # Names
//!
//! `to:<topic>:<event>` travels to clients, `from:<topic>:<event>` comes from them; the event
//! begins after the last colon. Topics are literal: no character of a client's topic ever
//! becomes a pattern, because the gateway never subscribes to a topic at all.
//!
//! # One subscription
//!
//! A gateway subscribes once, to the pattern `to:*`, and finds the channel by itself:
//!
//! - Nothing published after a join reply can be missed, for a join changes nothing on the bus.
//! - A join costs no round trip, and a hundred thousand channels cost Redis one pattern to match
//!   for each gateway instead of a hundred thousand channels to look up.
//! - A reconnect has one thing to subscribe again.
//!
//! What the gateway itself publishes on `to:` (events from administrators, relayed pushes) comes
//! back through the same subscription, so that every gateway on one Redis, this one included,
//! learns of it in the same way; the in-process broker does the same.
//!
//! # Order
//!
//! The order of one publisher is kept for each of its topics, from end to end. Between
//! publishers there is no order.

mod broker;
mod bus;
mod glob;
mod in_process;
mod listener;
mod local;
mod publishing;
mod queue;
mod redis_bus;

pub use bus::{Bus, BusError, Counters, Inbound, Kind, Sink, StartError, Status};
pub use glob::Glob;
pub use in_process::{InProcess, InProcessConfig, Limits};
pub use local::{Local, LocalMessage};
pub use publishing::Publishing;
pub use redis_bus::{Redis, RedisConfig};
