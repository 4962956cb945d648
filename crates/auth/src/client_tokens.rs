//! The tokens by which anonymous clients are known again (G8).
//!
//! A token holds 128 random bits, the time at which it was made, and a MAC of both under the key file
//! (HMAC-SHA-256, RFC 2104). It is not kept anywhere: whoever asks for a million of them fills nothing.
//! What others see of a client is a hash of the random bits; nobody finds the token by it. Nothing in
//! it is secret from the client that holds it, so it is not encrypted: each new connection pays for
//! making one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use tidegate_protocol::ClientId;

use crate::secret::Secret;

const RANDOM_BYTES: usize = 16;
/// The random bits and eight bytes of time.
const SAID_BYTES: usize = RANDOM_BYTES + 8;
const MAC_BYTES: usize = 32;
const TOKEN_BYTES: usize = SAID_BYTES + MAC_BYTES;

/// Makes and knows them.
#[derive(Clone)]
pub struct ClientTokens {
    /// With the key in it.
    mac: Hmac<Sha256>,
    life: u64,
}

impl fmt::Debug for ClientTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ClientTokens");
        shown.field("life", &self.life).finish_non_exhaustive()
    }
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
    /// Under the content of the key file; they are good for so many seconds.
    pub fn new(key: &Secret, life: u64) -> Self {
        // A key of its own: nothing else that is made of the file can be passed off as a token.
        let mut hash = Sha256::new();
        hash.update(b"tidegate client token\0");
        hash.update(key.bytes());
        // A key shorter than a block is filled up with zeros (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&hash.finalize());
        Self {
            mac: Hmac::new(&block.into()),
            life,
        }
    }

    /// For how many seconds they are good.
    pub fn life(&self) -> u64 {
        self.life
    }

    /// A token for a client that was never here.
    pub fn make(&self, now: u64) -> (KnownClient, String) {
        let random: [u8; RANDOM_BYTES] = rand::rng().random();
        let mut token = [0; TOKEN_BYTES];
        let (said, mac) = token.split_at_mut(SAID_BYTES);
        said[..RANDOM_BYTES].copy_from_slice(&random);
        said[RANDOM_BYTES..].copy_from_slice(&now.to_be_bytes());
        mac.copy_from_slice(&self.over(said).finalize().into_bytes());
        let client = KnownClient {
            id: id_of(&random),
            since: now,
        };
        (client, URL_SAFE_NO_PAD.encode(token))
    }

    /// Whose token this is.
    pub fn know(&self, token: &str, now: u64) -> Result<KnownClient, ClientUnknown> {
        let mut bytes = [0; TOKEN_BYTES];
        match URL_SAFE_NO_PAD.decode_slice(token, &mut bytes) {
            Ok(TOKEN_BYTES) => {}
            _ => return Err(ClientUnknown::Invalid),
        }
        let (said, mac) = bytes.split_at(SAID_BYTES);
        // In constant time.
        let checked = self.over(said).verify_slice(mac);
        checked.map_err(|_| ClientUnknown::Invalid)?;
        let (random, since) = said.split_at(RANDOM_BYTES);
        let since = u64::from_be_bytes(since.try_into().map_err(|_| ClientUnknown::Invalid)?);
        if since.saturating_add(self.life) <= now {
            return Err(ClientUnknown::Expired);
        }
        let id = id_of(random);
        Ok(KnownClient { id, since })
    }

    fn over(&self, said: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(said);
        mac
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

    fn tokens() -> ClientTokens {
        ClientTokens::new(&Secret::random(), 100)
    }

    /// G8: the same client until the time is over, and nobody else's token.
    #[test]
    fn a_client_is_known_until_its_time_is_over() {
        let tokens = tokens();
        let (client, token) = tokens.make(1_000);
        assert_eq!(tokens.know(&token, 1_000), Ok(client));
        assert_eq!(tokens.know(&token, 1_099), Ok(client));
        assert_eq!(tokens.know(&token, 1_100), Err(ClientUnknown::Expired));
        assert_ne!(tokens.make(1_000).0.id, client.id);
        assert_eq!(client.id.to_string().len(), 16);
    }

    /// G8: made up, changed in any place, longer, shorter, or made under another key.
    #[test]
    fn a_token_cannot_be_made_up() {
        let tokens = tokens();
        let (_, token) = tokens.make(1_000);
        let swap = |c| if c == 'A' { "B" } else { "A" };
        let mut forged = vec![
            String::new(),
            "x".repeat(10_000),
            token[1..].to_owned(),
            self::tokens().make(1_000).1,
            format!("{token}A"),
            format!("{token}="),
            URL_SAFE_NO_PAD.encode([0; TOKEN_BYTES]),
            // The MAC of another text, and none.
            URL_SAFE_NO_PAD.encode(
                [
                    &[0; SAID_BYTES][..],
                    &tokens.over(b"").finalize().into_bytes(),
                ]
                .concat(),
            ),
            URL_SAFE_NO_PAD.encode([0; SAID_BYTES]),
        ];
        for (at, c) in token.char_indices() {
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
