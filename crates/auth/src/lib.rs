//! Tokens, the admin credential, and what each principal may do.
//!
//! This crate decides; it does no HTTP and holds no socket. Secrets go in and never come out
//! again: nothing here prints one, and the types that hold one have no `Debug` that shows it.

mod access;
mod admin;
mod bearer;
mod secret;
mod throttle;
mod tokens;

pub use access::{Shown, TokenSource, admit, may_push};
pub use admin::{AdminAuth, AdminError, LINK_SECONDS, SESSION_SECONDS, Session};
pub use bearer::{Bearer, MIN_BEARER_BYTES};
pub use secret::{Secret, SecretError};
pub use throttle::Throttle;
pub use tokens::{LEEWAY_SECONDS, TokenError, Tokens};
