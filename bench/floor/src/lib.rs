//! The yardstick of the benchmarks: what the kernel itself costs.
//!
//! One thread, one epoll. It takes WebSocket handshakes, so that the same load generator can
//! drive it, and then writes each message that is put in with `POST /inject` to every socket:
//! the frame is prepared once, one `write` per socket, nothing is parsed. No server that speaks
//! WebSocket over plain sockets does less for a broadcast, so figures are told as a ratio to it.

mod frame;
mod request;
mod server;

pub use server::Server;
