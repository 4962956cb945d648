//! Requests that programs of one's own sign with a secret that they share with the gateway (P15).
//!
//! The signature is an HMAC-SHA-256 over everything that makes the request what it is: time, nonce,
//! method, path, query, and the SHA-256 of the body. It is checked before anything else of the
//! request is believed, the time before the body is read, and each nonce is let in once.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use crate::hex::{hex, unhex};
use crate::secret::Secret;

/// The least that a secret for signatures has.
pub const MIN_SIGNING_BYTES: usize = 32;
/// The lengths of a nonce.
const NONCE_CHARS: std::ops::RangeInclusive<usize> = 16..=64;
/// So much may the clock of a program be ahead.
const AHEAD_SECONDS: u64 = 30;

/// Why a signed request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The gateway has no secret for signatures.
    #[error("this gateway takes no signed requests; start it with --internal-secret-file")]
    NotTaken,
    /// The header cannot be read.
    #[error(
        "the signature must be t=<seconds since 1970>,n=<nonce of 16 to 64 letters, digits, - and _>,b=<SHA-256 of the body>,v1=<HMAC-SHA-256>"
    )]
    Malformed,
    /// It is not the signature of this request under the gateway's secret.
    #[error("the signature is not that of this request")]
    Wrong,
    /// It was made too long ago, or before this gateway could remember.
    #[error("the signature is too old; check the clock, and sign each request anew")]
    TooOld,
    /// It was made in the future.
    #[error("the signature is from the future; check the clock")]
    TooNew,
    /// The request was let in already.
    #[error("this signed request was let in already; sign each one anew, with a nonce of its own")]
    Replayed,
    /// The body is not the one that was signed.
    #[error("the body is not the one that was signed")]
    OtherBody,
}

impl SignatureError {
    /// All of them, for metrics.
    pub const ALL: [Self; 7] = [
        Self::NotTaken,
        Self::Malformed,
        Self::Wrong,
        Self::TooOld,
        Self::TooNew,
        Self::Replayed,
        Self::OtherBody,
    ];

    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotTaken => "not taken",
            Self::Malformed => "malformed",
            Self::Wrong => "wrong",
            Self::TooOld => "too old",
            Self::TooNew => "too new",
            Self::Replayed => "replayed",
            Self::OtherBody => "other body",
        }
    }
}

/// What is signed of a request's head, as it was sent.
#[derive(Debug, Clone, Copy)]
pub struct SignedHead<'a> {
    /// In capital letters.
    pub method: &'a str,
    /// With the percent signs that it had.
    pub path: &'a str,
    /// Without its question mark; empty when there is none.
    pub query: &'a str,
}

/// A signature, read from its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSignature {
    time: u64,
    nonce: String,
    body: [u8; 32],
    mac: [u8; 32],
}

impl RequestSignature {
    /// From `t=..,n=..,b=..,v1=..`, each of them once.
    pub fn read(header: &str) -> Result<Self, SignatureError> {
        let (mut time, mut nonce, mut body, mut mac) = (None, None, None, None);
        for part in header.split(',') {
            let (name, value) = part
                .trim()
                .split_once('=')
                .ok_or(SignatureError::Malformed)?;
            let twice = match name {
                "t" => time.replace(value).is_some(),
                "n" => nonce.replace(value).is_some(),
                "b" => body.replace(value).is_some(),
                "v1" => mac.replace(value).is_some(),
                _ => true,
            };
            if twice {
                return Err(SignatureError::Malformed);
            }
        }
        let read = || {
            let time = time.filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
            let nonce = nonce.filter(|nonce| {
                NONCE_CHARS.contains(&nonce.len())
                    && nonce
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            })?;
            Some(Self {
                time: time.parse().ok()?,
                nonce: nonce.to_owned(),
                body: unhex(body?)?,
                mac: unhex(mac?)?,
            })
        };
        read().ok_or(SignatureError::Malformed)
    }

    /// Signs a request, as programs do.
    pub fn make(
        secret: &Secret,
        head: SignedHead<'_>,
        body: &[u8],
        time: u64,
        nonce: &str,
    ) -> Option<Self> {
        let mut made = Self {
            time,
            nonce: nonce.to_owned(),
            body: Sha256::digest(body).into(),
            mac: [0; 32],
        };
        made.mac = made.hmac(secret, head)?.finalize().into_bytes().into();
        Some(made)
    }

    fn hmac(&self, secret: &Secret, head: SignedHead<'_>) -> Option<Hmac<Sha256>> {
        // A key of any length will do: this does not fail.
        let mut hmac = Hmac::<Sha256>::new_from_slice(secret.bytes()).ok()?;
        let (time, body) = (self.time.to_string(), hex(&self.body));
        let parts = [
            "v1",
            &time,
            &self.nonce,
            head.method,
            head.path,
            head.query,
            &body,
        ];
        // No part holds a line feed: a request's head cannot, and the others were checked.
        hmac.update(parts.join("\n").as_bytes());
        Some(hmac)
    }

    /// Whether the request's head was signed so, not longer than `seconds` ago. Comparing takes the
    /// same time whatever was given.
    pub fn check(
        &self,
        secret: &Secret,
        head: SignedHead<'_>,
        now: u64,
        seconds: u64,
    ) -> Result<(), SignatureError> {
        let hmac = self.hmac(secret, head).ok_or(SignatureError::Wrong)?;
        hmac.verify_slice(&self.mac)
            .map_err(|_| SignatureError::Wrong)?;
        if self.time.saturating_add(seconds) < now {
            return Err(SignatureError::TooOld);
        }
        if self.time > now.saturating_add(AHEAD_SECONDS) {
            return Err(SignatureError::TooNew);
        }
        Ok(())
    }

    /// Whether this body was signed.
    pub fn covers(&self, body: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(body).into();
        digest == self.body
    }

    /// What makes the request one of its own.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// When it was made, in seconds since 1970.
    pub fn time(&self) -> u64 {
        self.time
    }
}

impl std::fmt::Display for RequestSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (body, mac) = (hex(&self.body), hex(&self.mac));
        write!(f, "t={},n={},b={body},v1={mac}", self.time, self.nonce)
    }
}

/// There is no room for one more nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

/// The nonces that this gateway has let in.
#[derive(Debug)]
pub struct Nonces {
    most: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    until: HashMap<String, u64>,
    cleared_at: u64,
}

impl Nonces {
    /// With room for so many.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            seen: Mutex::default(),
        }
    }

    /// Remembers a nonce until this second; `false` when it was there already. Where there is no
    /// room it is refused: forgetting another would let that one in again.
    pub fn first_use(&self, nonce: &str, until: u64, now: u64) -> Result<bool, NoRoom> {
        let mut seen = self.seen.lock();
        if seen.until.contains_key(nonce) {
            return Ok(false);
        }
        if seen.until.len() >= self.most && seen.cleared_at < now {
            seen.cleared_at = now;
            seen.until.retain(|_, until| *until >= now);
        }
        if seen.until.len() >= self.most {
            return Err(NoRoom);
        }
        seen.until.insert(nonce.to_owned(), until);
        Ok(true)
    }

    /// Forgets those whose time is over.
    pub fn clear(&self, now: u64) {
        let mut seen = self.seen.lock();
        seen.until.retain(|_, until| *until >= now);
        if seen.until.is_empty() {
            seen.until.shrink_to_fit();
        }
    }

    /// How many are remembered.
    pub fn count(&self) -> usize {
        self.seen.lock().until.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: SignedHead<'_> = SignedHead {
        method: "POST",
        path: "/api/v1/channels/room/events",
        query: "a=1",
    };
    const NONCE: &str = "0123456789abcdef";

    fn secret() -> Secret {
        Secret::from_bytes(b"0123456789abcdef0123456789abcdef".to_vec())
    }

    fn made() -> RequestSignature {
        RequestSignature::make(&secret(), HEAD, b"{}", 1_000, NONCE).unwrap()
    }

    /// P15: made elsewhere, with Python's hmac, byte for byte as docs/PROTOCOL.md has it.
    #[test]
    fn the_signature_is_that_of_the_document() {
        let text = made().to_string();
        assert_eq!(
            text,
            "t=1000,n=0123456789abcdef,\
             b=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a,\
             v1=d8f90db0f6cf04a56307cb132dd191c711abaea44250ce3594b7ea3a62bceabb"
        );
        assert_eq!(RequestSignature::read(&text), Ok(made()));
    }

    /// P15: with any part of the request changed it is another request.
    #[test]
    fn every_part_is_signed() {
        let good = made();
        assert_eq!(good.check(&secret(), HEAD, 1_000, 300), Ok(()));
        assert!(good.covers(b"{}") && !good.covers(b"{ }") && !good.covers(b""));
        let other = |change: fn(&mut SignedHead<'_>)| {
            let mut head = HEAD;
            change(&mut head);
            good.check(&secret(), head, 1_000, 300)
        };
        assert_eq!(other(|h| h.method = "PUT"), Err(SignatureError::Wrong));
        assert_eq!(other(|h| h.path = "/api/v1/x"), Err(SignatureError::Wrong));
        assert_eq!(other(|h| h.query = "a=2"), Err(SignatureError::Wrong));
        assert_eq!(other(|h| h.query = ""), Err(SignatureError::Wrong));
        let text = good.to_string();
        for (from, to) in [
            ("t=1000", "t=1001"),
            ("n=0", "n=1"),
            ("b=44", "b=45"),
            ("v1=", "v1=00"),
        ] {
            let changed = text.replace(from, to);
            let refused = RequestSignature::read(&changed)
                .and_then(|changed| changed.check(&secret(), HEAD, 1_000, 300));
            assert!(refused.is_err(), "{changed}");
        }
        let another = Secret::from_bytes(b"another secret of thirty-two byt".to_vec());
        let refused = good.check(&another, HEAD, 1_000, 300);
        assert_eq!(refused, Err(SignatureError::Wrong));
    }

    /// P15: older than 300 seconds fails.
    #[test]
    fn it_is_good_for_a_while() {
        for (now, expected) in [
            (969, Err(SignatureError::TooNew)),
            (970, Ok(())),
            (1_300, Ok(())),
            (1_301, Err(SignatureError::TooOld)),
            (u64::MAX, Err(SignatureError::TooOld)),
        ] {
            assert_eq!(made().check(&secret(), HEAD, now, 300), expected, "{now}");
        }
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let good = made().to_string();
        let missing = good.rsplit_once(',').unwrap().0.to_owned();
        for wrong in [
            String::new(),
            "t".to_owned(),
            missing,
            format!("{good},t=1000"),
            format!("{good},x=1"),
            good.replace("t=1000", "t=+1000"),
            good.replace("t=1000", "t=99999999999999999999999"),
            good.replace(NONCE, "short"),
            good.replace(NONCE, &"a".repeat(65)),
            good.replace(NONCE, "0123456789abcde\n"),
            good.replace("b=44", "b=4"),
            good.replace("b=44", "b=zz"),
            good.replace("b=44", "b=é4"),
        ] {
            let read = RequestSignature::read(&wrong);
            assert_eq!(read, Err(SignatureError::Malformed), "{wrong:?}");
        }
    }

    /// P15: replay fails; memory is bounded, and a full one lets nothing in again.
    #[test]
    fn each_nonce_is_let_in_once_within_a_bound() {
        let nonces = Nonces::new(3);
        assert_eq!(nonces.first_use("a", 10, 1), Ok(true));
        assert_eq!(nonces.first_use("a", 10, 1), Ok(false));
        assert_eq!(nonces.first_use("b", 10, 1), Ok(true));
        assert_eq!(nonces.first_use("c", 20, 1), Ok(true));
        assert_eq!(nonces.first_use("d", 20, 1), Err(NoRoom));
        assert_eq!(nonces.first_use("a", 20, 1), Ok(false));
        assert_eq!(nonces.first_use("d", 20, 11), Ok(true), "a and b are over");
        assert_eq!(nonces.count(), 2);
        nonces.clear(21);
        assert_eq!(nonces.count(), 0);
    }
}
