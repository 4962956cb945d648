//! The admin credential: a password, or a one-time link; then a session.
//!
//! Everything secret is kept as its SHA-256, so that comparing takes the same time whatever was
//! given and a memory dump gives no session away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::throttle::Throttle;
use crate::tokens::{LEEWAY_SECONDS, TokenError, Tokens};

/// How long a session lasts.
pub const SESSION_SECONDS: u64 = 12 * 3600;
/// How long a link made by `tidegate admin-link` lasts.
pub const LINK_SECONDS: u64 = 600;
/// Sessions at once; a further one ends the oldest.
const MAX_SESSIONS: usize = 1000;

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

/// A session that was just opened.
#[derive(Debug, Clone)]
pub struct Session {
    /// What the cookie holds.
    pub id: String,
    /// When it ends, in seconds since 1970.
    pub expires_at: u64,
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

/// Checks administrators and remembers who is one.
pub struct AdminAuth {
    password: Option<Hash>,
    started_at: u64,
    sessions: Mutex<HashMap<Hash, u64>>,
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
            sessions: Mutex::default(),
            used_links: Mutex::default(),
            throttle: Throttle::default(),
        }
    }

    /// Whether a password can be given at all.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Opens a session for the right password.
    pub fn sign_in(&self, given: &str, from: IpAddr, now: u64) -> Result<Session, AdminError> {
        let password = self.password.as_ref().ok_or(AdminError::NoPassword)?;
        let tried_at = Instant::now();
        self.check_wait(from, tried_at)?;
        if bool::from(password.ct_eq(&hash(given))) {
            self.throttle.succeeded(from);
            Ok(self.open(now))
        } else {
            self.throttle.failed(from, tried_at);
            Err(AdminError::WrongPassword)
        }
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

    /// Opens a session for a link, once.
    pub fn follow_link(
        &self,
        tokens: &Tokens,
        link: &str,
        from: IpAddr,
        now: u64,
    ) -> Result<Session, AdminError> {
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
            Ok(self.open(now))
        } else {
            self.throttle.failed(from, tried_at);
            Err(AdminError::BadLink)
        }
    }

    fn open(&self, now: u64) -> Session {
        let session = Session {
            id: random_text(),
            expires_at: now + SESSION_SECONDS,
        };
        let mut sessions = self.sessions.lock();
        sessions.retain(|_, expires_at| *expires_at > now);
        if sessions.len() >= MAX_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, e)| **e).map(|(id, _)| *id)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(&session.id), session.expires_at);
        session
    }

    /// When the session ends, if it is one.
    pub fn session(&self, id: &str, now: u64) -> Option<u64> {
        self.sessions
            .lock()
            .get(&hash(id))
            .copied()
            .filter(|expires_at| *expires_at > now)
    }

    /// Ends a session.
    pub fn sign_out(&self, id: &str) {
        self.sessions.lock().remove(&hash(id));
    }
}

/// 256 random bits.
fn random_text() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tests::{now, tokens};
    use tidegate_protocol::{Claims, Reason};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_password_opens_a_session_until_it_ends() {
        let admin = AdminAuth::new(Some("open sesame"), now());
        assert_eq!(
            admin.sign_in("open", HERE, now()).unwrap_err(),
            AdminError::WrongPassword
        );
        let session = admin.sign_in("open sesame", HERE, 1000).unwrap();
        assert_eq!(
            admin.session(&session.id, 1000),
            Some(1000 + SESSION_SECONDS)
        );
        assert_eq!(admin.session(&session.id, 1000 + SESSION_SECONDS), None);
        assert_eq!(admin.session("guess", 1000), None);
        admin.sign_out(&session.id);
        assert_eq!(admin.session(&session.id, 1000), None);
    }

    #[test]
    fn guessing_is_slowed_down_even_with_the_right_password() {
        let admin = AdminAuth::new(Some("open sesame"), now());
        for _ in 0..4 {
            assert_eq!(
                admin.sign_in("guess", HERE, now()).unwrap_err(),
                AdminError::WrongPassword
            );
        }
        let waiting = admin.sign_in("open sesame", HERE, now()).unwrap_err();
        assert_eq!(waiting, AdminError::TooManyTries(1));
    }

    #[test]
    fn a_link_opens_one_session_and_is_no_token() {
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
        let claims = Claims {
            id: "a".into(),
            channel: "admin".into(),
            exp: now() + 60,
        };
        let token = tokens().issue(&claims).unwrap();
        assert_eq!(
            admin
                .follow_link(&tokens(), &token, HERE, now())
                .unwrap_err(),
            AdminError::BadLink
        );
    }

    #[test]
    fn sessions_are_bounded_and_the_oldest_goes_first() {
        let admin = AdminAuth::new(Some("open sesame"), 0);
        let first = admin.open(1);
        for n in 0..MAX_SESSIONS as u64 {
            admin.open(2 + n);
        }
        assert_eq!(admin.sessions.lock().len(), MAX_SESSIONS);
        assert_eq!(admin.session(&first.id, 2), None);
    }
}
