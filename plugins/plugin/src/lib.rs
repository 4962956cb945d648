//! What the plugins here have in common, so that each holds its own idea and nothing else:
//! a [`Bus`] that outlives Redis going away, [`http`] for requests that a plugin answers, [`say`] for
//! sentences on standard error, and [`shutdown`], which resolves when the process is asked to end.
//!
//! It is a convenience over the `redis` crate, not a protocol: a plugin in any language needs
//! only a Redis client, `PUBLISH to:<topic>:<event>` and `SUBSCRIBE from:<topic>:<event>`.

mod backoff;
mod bus;
pub mod http;
mod keeper;
mod shutdown;
#[cfg(feature = "testing")]
pub mod testing;

use std::io::Write as _;

pub use bus::{Bus, BusUrlError, HEARD_BOUND, Message, PublishError};
pub use shutdown::shutdown;

/// Writes one line to standard error. A closed standard error is no reason to end, so a failure
/// to write is ignored.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
