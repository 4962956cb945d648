//! `GET /websocket`: from the handshake to the last frame; and `/longpoll` for those without one.
//!
//! [`upgrade`] decides whether there will be a socket, [`transport`] moves bytes,
//! [`session`] is the connection's state machine and knows no socket;
//! [`join_payload`], [`renewal`] and [`own_events`] are parts of it.

mod client_cookie;
mod join_payload;
pub(crate) mod longpoll;
mod own_events;
mod push_rates;
mod renewal;
mod session;
mod stamp;
mod stream;
mod transport;
pub(crate) mod upgrade;

pub(crate) use client_cookie::ClientCounters;
pub(crate) use longpoll::LongPolls;
pub(crate) use upgrade::{ConnectParams, handshake};
