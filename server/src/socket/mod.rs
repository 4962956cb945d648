//! `GET /websocket`: from the handshake to the last frame.
//!
//! [`upgrade`](self::upgrade) decides whether there will be a socket, [`transport`] moves frames,
//! [`session`] is the connection's state machine and knows no socket.

mod session;
mod transport;
mod upgrade;

pub(crate) use upgrade::upgrade;
