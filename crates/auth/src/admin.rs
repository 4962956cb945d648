//! The admin credential: a password, or a one-time link; and how sign-ins are slowed down.
//!
//! Everything secret is kept as its SHA-256, so that comparing takes the same time whatever was
//! given. Each try counts as failed until it is known to be good.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::directory::BUILT_IN_ADMIN;
use crate::hex::hex;
use crate::throttle::{Throttle, Try};
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

/// A link that was good, and is used now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedLink {
    /// Its name.
    pub id: String,
    /// From when on it would be too old anyway, in seconds since 1970.
    pub until: u64,
}

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
        let tried = self.try_as(BUILT_IN_ADMIN, from)?;
        if !bool::from(password.ct_eq(&hash(given))) {
            self.failed(tried);
            return Err(AdminError::WrongPassword);
        }
        self.succeeded(tried);
        Ok(())
    }

    /// Whether somebody at this address may try the password of this name now. It counts as a failed
    /// try until it is told to have been good.
    pub fn try_as(&self, name: &str, from: IpAddr) -> Result<Try, AdminError> {
        let begun = self.throttle.begin(from, name, Instant::now());
        begun
            .map_err(|wait| AdminError::TooManyTries((wait + Duration::from_millis(999)).as_secs()))
    }

    /// The password was not the one.
    pub fn failed(&self, tried: Try) {
        self.throttle.failed(tried, Instant::now());
    }

    /// The password was the one.
    pub fn succeeded(&self, tried: Try) {
        self.throttle.succeeded(tried);
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

    /// Whether this link is good; it is so once. Other gateways do not know that it was used: its
    /// name is to be remembered where they look as well.
    pub fn follow_link(
        &self,
        tokens: &Tokens,
        link: &str,
        from: IpAddr,
        now: u64,
    ) -> Result<UsedLink, AdminError> {
        let tried = self.try_as(LINK_PURPOSE, from)?;
        let link = tokens
            .verify::<Link>(link)
            .ok()
            .filter(|link| link.purpose == LINK_PURPOSE && link.iat >= self.started_at)
            .ok_or(AdminError::BadLink)?;
        let until = link.exp.saturating_add(LEEWAY_SECONDS);
        let mut used = self.used_links.lock();
        used.retain(|_, until| *until >= now);
        if used.insert(link.jti.clone(), until).is_some() {
            return Err(AdminError::BadLink);
        }
        self.succeeded(tried);
        Ok(UsedLink {
            id: link.jti,
            until,
        })
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
