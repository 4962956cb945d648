//! The admin credential: a password, or a one-time link; and how sign-ins are slowed down.
//!
//! Everything secret is kept as its SHA-256, so that comparing takes the same time whatever was
//! given.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::hex::hex;
use crate::throttle::Throttle;
use crate::tokens::{LEEWAY_SECONDS, TokenError, Tokens};

/// How long a session lasts.
pub const SESSION_SECONDS: u64 = 12 * 3600;
/// How long a link made by `tidegate admin-link` lasts.
pub const LINK_SECONDS: u64 = 600;

type Hash = [u8; 32];

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// The password is not the one.
    #[error("the password is wrong")]
    WrongPassword,
    /// The name or the password is not the one; which of them is not said.
    #[error("the name or the password is wrong")]
    WrongUser,
    /// There is no password; a link is needed.
    #[error(
        "no admin password is set; open the link printed at start, or make a new one with `tidegate admin-link`"
    )]
    NoPassword,
    /// Too many failed tries from this address.
    #[error("too many failed tries; wait {0} seconds")]
    TooManyTries(u64),
    /// The link was used, has expired, or was made before this start.
    #[error(
        "this link was used already, has expired or belongs to an earlier start; make a new one with `tidegate admin-link`"
    )]
    BadLink,
}

/// What a one-time link says. It has no `channel`, so it is no token for a channel, and a token
/// for a channel has no `purpose`, so it is no link.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Link {
    purpose: String,
    jti: String,
    iat: u64,
    exp: u64,
}

const LINK_PURPOSE: &str = "tidegate-admin-link";

/// Checks the administrator's credential.
pub struct AdminAuth {
    password: Option<Hash>,
    started_at: u64,
    /// The links that were used, until they would end anyway.
    used_links: Mutex<HashMap<String, u64>>,
    throttle: Throttle,
}

impl AdminAuth {
    /// With a password, or with links only. `now` in seconds since 1970.
    pub fn new(password: Option<&str>, now: u64) -> Self {
        Self {
            password: password.map(hash),
            started_at: now,
            used_links: Mutex::default(),
            throttle: Throttle::default(),
        }
    }

    /// Whether a password can be given at all.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether this is the password.
    pub fn sign_in(&self, given: &str, from: IpAddr) -> Result<(), AdminError> {
        let password = self.password.as_ref().ok_or(AdminError::NoPassword)?;
        let tried_at = Instant::now();
        self.check_wait(from, tried_at)?;
        if bool::from(password.ct_eq(&hash(given))) {
            self.throttle.succeeded(from);
            Ok(())
        } else {
            self.throttle.failed(from, tried_at);
            Err(AdminError::WrongPassword)
        }
    }

    /// Whether this address may try to sign in as a user now.
    pub fn may_try(&self, from: IpAddr) -> Result<(), AdminError> {
        self.check_wait(from, Instant::now())
    }

    /// What came of it.
    pub fn tried(&self, from: IpAddr, good: bool) -> Result<(), AdminError> {
        if good {
            self.throttle.succeeded(from);
            return Ok(());
        }
        self.throttle.failed(from, Instant::now());
        Err(AdminError::WrongUser)
    }

    fn check_wait(&self, from: IpAddr, tried_at: Instant) -> Result<(), AdminError> {
        match self.throttle.wait(from, tried_at) {
            Some(wait) => Err(AdminError::TooManyTries(
                (wait + Duration::from_millis(999)).as_secs(),
            )),
            None => Ok(()),
        }
    }

    /// Signs a link that opens one session.
    pub fn make_link(tokens: &Tokens, now: u64, seconds: u64) -> Result<String, TokenError> {
        tokens.sign(&Link {
            purpose: LINK_PURPOSE.to_owned(),
            jti: random_text(),
            iat: now,
            exp: now + seconds,
        })
    }

    /// Whether this link is good; it is so once.
    pub fn follow_link(
        &self,
        tokens: &Tokens,
        link: &str,
        from: IpAddr,
        now: u64,
    ) -> Result<(), AdminError> {
        let tried_at = Instant::now();
        self.check_wait(from, tried_at)?;
        let good = tokens
            .verify::<Link>(link)
            .ok()
            .filter(|link| link.purpose == LINK_PURPOSE && link.iat >= self.started_at)
            .is_some_and(|link| {
                let mut used = self.used_links.lock();
                used.retain(|_, exp| *exp + LEEWAY_SECONDS >= now);
                used.insert(link.jti, link.exp).is_none()
            });
        if good {
            Ok(())
        } else {
            self.throttle.failed(from, tried_at);
            Err(AdminError::BadLink)
        }
    }
}

/// 256 random bits.
pub fn random_text() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    hex(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tests::{now, tokens};
    use tidegate_protocol::{Claims, Reason};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_password_is_the_one_or_not() {
        let admin = AdminAuth::new(Some("open sesame"), now());
        assert_eq!(
            admin.sign_in("open", HERE).unwrap_err(),
            AdminError::WrongPassword
        );
        assert_eq!(admin.sign_in("open sesame", HERE), Ok(()));
        let none = AdminAuth::new(None, now());
        assert_eq!(none.sign_in("", HERE), Err(AdminError::NoPassword));
    }

    #[test]
    fn guessing_is_slowed_down_even_with_the_right_password() {
        let admin = AdminAuth::new(Some("open sesame"), now());
        for _ in 0..4 {
            assert_eq!(
                admin.sign_in("guess", HERE).unwrap_err(),
                AdminError::WrongPassword
            );
        }
        let waiting = admin.sign_in("open sesame", HERE).unwrap_err();
        assert_eq!(waiting, AdminError::TooManyTries(1));
    }

    #[test]
    fn a_link_is_good_once_and_is_no_token() {
        let admin = AdminAuth::new(None, now());
        let link = AdminAuth::make_link(&tokens(), now(), 60).unwrap();
        assert_eq!(tokens().check(&link), Err(Reason::InvalidToken));
        assert!(admin.follow_link(&tokens(), &link, HERE, now()).is_ok());
        assert_eq!(
            admin
                .follow_link(&tokens(), &link, HERE, now())
                .unwrap_err(),
            AdminError::BadLink
        );
        let old = AdminAuth::make_link(&tokens(), now() - 50, 60).unwrap();
        assert_eq!(
            admin.follow_link(&tokens(), &old, HERE, now()).unwrap_err(),
            AdminError::BadLink
        );
        let claims = Claims::new("a", "admin", now() + 60);
        let token = tokens().issue(&claims).unwrap();
        assert_eq!(
            admin
                .follow_link(&tokens(), &token, HERE, now())
                .unwrap_err(),
            AdminError::BadLink
        );
    }
}
