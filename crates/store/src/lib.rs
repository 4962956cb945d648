//! What must last: users, sessions, API keys, signing keys, issued tokens, revocations, channel
//! definitions, activity. In SQLite inside the binary, or in PostgreSQL.
//!
//! One set of statements serves both databases: they keep to what both understand, number their
//! parameters as `$1`, and hold times as milliseconds since 1970 and lists as JSON text. Every
//! statement is prepared when the store is opened, so a column that is missing is found at the
//! start and not by a request. Secrets come here as hashes or sealed; the store never sees one.
//!
//! The store is not on the way of an event: gateways keep in memory what they must know, and read it
//! anew when [`Store::revision`] has grown. Losing the store stops changes, not the traffic.

mod activity;
mod api_keys;
mod backup;
mod definitions;
mod ending;
mod error;
mod keys;
mod migrations;
mod nonces;
mod open;
mod revision;
mod revocations;
mod sessions;
mod statements;
mod tokens;
mod users;

pub use activity::{Activity, ActivityQuery, PrincipalCount, PrincipalsAfter, Repeat};
pub use api_keys::{ApiKey, ApiKeyQuery};
pub use backup::BackupError;
pub use definitions::StoredDefinition;
pub use ending::{Ended, Ending, Issuer, TokensGo};
pub use error::StoreError;
pub use keys::{KeyState, SigningKey};
pub use open::{OpenError, Place, Status, Store, StoreConfig};
pub use revocations::{Revocation, RevocationKind};
pub use sessions::{ListedSession, Session, SessionBounds, SessionQuery};
pub use tokens::{TokenQuery, TokenRecord};
pub use users::{User, UserChange, UserQuery};

/// A new identifier: unique, and later ones sort behind earlier ones (UUID version 7, RFC 9562).
pub fn new_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}
