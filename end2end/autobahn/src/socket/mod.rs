//! The gateway's handshake and its socket loop, as they are; the session is the echo.

mod client_cookie;
pub(crate) mod session;
#[path = "../../../../server/src/socket/stream.rs"]
mod stream;
#[path = "../../../../server/src/socket/transport.rs"]
mod transport;
#[path = "../../../../server/src/socket/upgrade.rs"]
mod upgrade;

pub(crate) use upgrade::upgrade;
