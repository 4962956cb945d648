//! The yardstick of the benchmarks: what the kernel itself costs.
//!
//! One thread, one epoll. It takes WebSocket handshakes, so that the same load generator can
//! drive it, and then does the least that a server can do for each row of the benchmark:
//!
//! - a message that is put in with `POST /inject` is written to every socket: the frame is
//!   prepared once, one `write` per socket. With `frames_per_call` above 1, messages that wait
//!   are written together, that many in one call;
//! - a frame from a client is read, unmasked and answered with a prepared reply.
//!
//! No server that speaks WebSocket over plain sockets does less, so figures are told as a ratio
//! to it.

mod batch;
mod connection;
mod frame;
mod request;
mod server;

pub use server::Server;
