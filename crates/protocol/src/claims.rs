//! What a token says. The signature is the business of the `auth` crate.

use serde::{Deserialize, Serialize};

/// The claims of a Tidegate token, which are Tangram's: nothing more, nothing less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user; becomes the presence key.
    pub id: String,
    /// The topic that may be joined, or a `prefix:*` pattern.
    pub channel: String,
    /// When the token ends, in seconds since 1970.
    pub exp: u64,
}
