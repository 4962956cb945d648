//! The tokens by which anonymous clients are known again (G8).
//!
//! A token holds 128 random bits and the time at which it was made, sealed under the key file. It is
//! not kept anywhere: whoever asks for a million of them fills nothing. What others see of a client
//! is a hash of the random bits; nobody finds the token by it.

use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use tidegate_protocol::ClientId;

use crate::seal::{Seal, SealError};

const RANDOM_BYTES: usize = 16;
/// What such tokens are sealed under: no other secret can be passed off as one.
const NAME: &str = "anonymous client";
/// A longer text is none of ours.
const MAX_TOKEN_BYTES: usize = 200;

/// Makes and knows them.
#[derive(Debug, Clone)]
pub struct ClientTokens {
    seal: Seal,
    life: u64,
}

/// A client that is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownClient {
    /// Its public name.
    pub id: ClientId,
    /// Since when, in seconds since 1970.
    pub since: u64,
}

/// Why a client is not known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientUnknown {
    /// The gateway, or one with the same key file, has not made this.
    Invalid,
    /// Its time is over.
    Expired,
}

impl ClientTokens {
    /// Which are good for so many seconds.
    pub fn new(seal: Seal, life: u64) -> Self {
        Self { seal, life }
    }

    /// For how many seconds they are good.
    pub fn life(&self) -> u64 {
        self.life
    }

    /// A token for a client that was never here.
    pub fn make(&self, now: u64) -> Result<(KnownClient, String), SealError> {
        let random: [u8; RANDOM_BYTES] = rand::rng().random();
        let token = [&random[..], &now.to_be_bytes()].concat();
        let token = self.seal.seal(NAME, &token)?;
        let client = KnownClient {
            id: id_of(&random),
            since: now,
        };
        Ok((client, token))
    }

    /// Whose token this is.
    pub fn know(&self, token: &str, now: u64) -> Result<KnownClient, ClientUnknown> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(ClientUnknown::Invalid);
        }
        let invalid = |_| ClientUnknown::Invalid;
        let opened = self.seal.open(NAME, token).map_err(invalid)?;
        let (random, since) = opened
            .split_at_checked(RANDOM_BYTES)
            .ok_or(ClientUnknown::Invalid)?;
        let since = u64::from_be_bytes(since.try_into().map_err(|_| ClientUnknown::Invalid)?);
        if since.saturating_add(self.life) <= now {
            return Err(ClientUnknown::Expired);
        }
        let id = id_of(random);
        Ok(KnownClient { id, since })
    }
}

fn id_of(random: &[u8]) -> ClientId {
    let mut hash = Sha256::new();
    hash.update(b"tidegate client\0");
    hash.update(random);
    let hash: [u8; 32] = hash.finalize().into();
    let mut bits = [0; 8];
    bits.copy_from_slice(&hash[..8]);
    ClientId::new(u64::from_be_bytes(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn tokens() -> ClientTokens {
        ClientTokens::new(Seal::new(&Secret::random()), 100)
    }

    /// G8: the same client until the time is over, and nobody else's token.
    #[test]
    fn a_client_is_known_until_its_time_is_over() {
        let tokens = tokens();
        let (client, token) = tokens.make(1_000).unwrap();
        assert_eq!(tokens.know(&token, 1_000), Ok(client));
        assert_eq!(tokens.know(&token, 1_099), Ok(client));
        assert_eq!(tokens.know(&token, 1_100), Err(ClientUnknown::Expired));
        assert_ne!(tokens.make(1_000).unwrap().0.id, client.id);
        assert_eq!(client.id.to_string().len(), 16);
    }

    /// G8: made up, changed, sealed under another key or for another purpose.
    #[test]
    fn a_token_cannot_be_made_up() {
        let tokens = tokens();
        let (_, token) = tokens.make(1_000).unwrap();
        let swap = |c| if c == 'A' { "B" } else { "A" };
        let mut forged = vec![
            String::new(),
            "x".repeat(10_000),
            token[1..].to_owned(),
            self::tokens().make(1_000).unwrap().1,
            tokens.seal.seal("another purpose", &[0; 24]).unwrap(),
            tokens.seal.seal(NAME, &[0; 23]).unwrap(),
            tokens.seal.seal(NAME, &[0; 25]).unwrap(),
        ];
        for (at, c) in token.char_indices().take(80) {
            let mut changed = token.clone();
            changed.replace_range(at..=at, swap(c));
            forged.push(changed);
        }
        for token in forged {
            assert_eq!(
                tokens.know(&token, 1_000),
                Err(ClientUnknown::Invalid),
                "{token}"
            );
        }
    }
}
