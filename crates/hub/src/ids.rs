//! Names for things that the gateway makes: connections, anonymous users, presence refs.

use rand::RngExt;
use rand::distr::Alphanumeric;

/// `length` random characters of `A-Za-z0-9`: 12 of them carry 71 bits.
pub fn random_id(length: usize) -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(length)
        .map(char::from)
        .collect()
}
