//! Who may use the interface and the API, kept in memory so that no request waits for the store.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use tidegate_protocol::Role;

use crate::hex::hex;

/// The SHA-256 of something secret, in hexadecimal: what is kept of session and API keys. They have
/// 256 random bits, so nobody finds one by its hash.
pub fn fingerprint(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// `admin`, `user:<name>`, `key:<name>`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The user's id, where it is one.
    pub user: Option<String>,
    /// The session, where there is one.
    pub session: Option<String>,
}

/// The administrator of `--admin-password` and of one-time links, who stands in no list.
pub const BUILT_IN_ADMIN: &str = "admin";

/// A user, as far as every request needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownUser {
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// PHC string of the password.
    pub password_hash: String,
    /// Whether it may not sign in.
    pub disabled: bool,
}

/// An open session. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSession {
    /// What it is listed by.
    pub id: String,
    /// Whose; empty for the built-in administrator.
    pub user: String,
    /// When it ends.
    pub expires_at: u64,
}

/// A key of a program. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// What it is for.
    pub name: String,
    /// The role.
    pub role: Role,
    /// When it ends.
    pub expires_at: Option<u64>,
}

/// Everybody, as the store had it last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// By id.
    pub users: HashMap<String, KnownUser>,
    /// By [`fingerprint`] of what the cookie holds.
    pub sessions: HashMap<String, KnownSession>,
    /// By [`fingerprint`] of the key; without those that were revoked.
    pub api_keys: HashMap<String, KnownKey>,
}

/// Sessions that only this gateway knows: opened while the store was lost.
const MAX_LOCAL_SESSIONS: usize = 100;

/// Looks up who a request comes from.
#[derive(Debug, Default)]
pub struct Directory {
    known: RwLock<Arc<Known>>,
    local: RwLock<HashMap<String, KnownSession>>,
}

impl Directory {
    /// Replaces everybody.
    pub fn set(&self, known: Known) {
        *self.known.write() = Arc::new(known);
    }

    /// Everybody.
    pub fn known(&self) -> Arc<Known> {
        self.known.read().clone()
    }

    /// Opens a session for the built-in administrator that the store does not know of: it cannot be
    /// reached, and somebody must see to it. `false` when there are too many of them.
    pub fn open_locally(&self, fingerprint: String, session: KnownSession, now: u64) -> bool {
        let mut local = self.local.write();
        local.retain(|_, session| session.expires_at > now);
        local.len() < MAX_LOCAL_SESSIONS && local.insert(fingerprint, session).is_none()
    }

    /// Ends such a session; `false` when there is none.
    pub fn end_locally(&self, id: &str) -> bool {
        let mut local = self.local.write();
        let before = local.len();
        local.retain(|_, session| session.id != id);
        local.len() < before
    }

    /// What a session may that is listed by this id; nothing where it is not open (any more).
    pub fn role_of(&self, id: &str, now: u64) -> Option<Role> {
        let known = self.known();
        let local = self.local.read();
        let mut all = known.sessions.values().chain(local.values());
        let session = all.find(|session| session.id == id)?.clone();
        drop(local);
        Some(principal(&known, session, now)?.0.role)
    }

    /// Who this session is, and when it ends.
    pub fn session(&self, cookie: &str, now: u64) -> Option<(Principal, u64)> {
        let fingerprint = fingerprint(cookie);
        let known = self.known();
        let session = known.sessions.get(&fingerprint).cloned();
        let session = session.or_else(|| self.local.read().get(&fingerprint).cloned())?;
        principal(&known, session, now)
    }

    /// Who this API key is.
    pub fn api_key(&self, key: &str, now: u64) -> Option<Principal> {
        let known = self.known();
        let key = known
            .api_keys
            .get(&fingerprint(key))
            .filter(|key| key.expires_at.is_none_or(|at| at > now))?;
        Some(Principal {
            name: format!("key:{}", key.name),
            role: key.role,
            user: None,
            session: None,
        })
    }

    /// The user of this name, with its id.
    pub fn user_named(&self, name: &str) -> Option<(String, KnownUser)> {
        let known = self.known();
        let found = known.users.iter().find(|(_, user)| user.name == name);
        found.map(|(id, user)| (id.clone(), user.clone()))
    }
}

/// Who has this session, and when it ends.
fn principal(known: &Known, session: KnownSession, now: u64) -> Option<(Principal, u64)> {
    if session.expires_at <= now {
        return None;
    }
    let expires_at = session.expires_at;
    let principal = if session.user.is_empty() {
        Principal {
            name: BUILT_IN_ADMIN.to_owned(),
            role: Role::Admin,
            user: None,
            session: Some(session.id),
        }
    } else {
        let user = known.users.get(&session.user);
        let user = user.filter(|user| !user.disabled)?;
        Principal {
            name: format!("user:{}", user.name),
            role: user.role,
            user: Some(session.user),
            session: Some(session.id),
        }
    };
    Some((principal, expires_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(user: &str, expires_at: u64) -> KnownSession {
        KnownSession {
            id: format!("of {user}"),
            user: user.to_owned(),
            expires_at,
        }
    }

    #[test]
    fn who_a_request_comes_from() {
        let user = |disabled| KnownUser {
            name: "alice".to_owned(),
            role: Role::Operator,
            password_hash: String::new(),
            disabled,
        };
        let key = |expires_at| KnownKey {
            name: "backup".to_owned(),
            role: Role::Viewer,
            expires_at,
        };
        let directory = Directory::default();
        directory.set(Known {
            users: HashMap::from([("1".into(), user(false)), ("2".into(), user(true))]),
            sessions: HashMap::from([
                (fingerprint("admin"), session("", 10)),
                (fingerprint("alice"), session("1", 10)),
                (fingerprint("disabled"), session("2", 10)),
                (fingerprint("removed"), session("3", 10)),
            ]),
            api_keys: HashMap::from([
                (fingerprint("endless"), key(None)),
                (fingerprint("ends"), key(Some(10))),
            ]),
        });
        let who = |cookie, now| {
            directory
                .session(cookie, now)
                .map(|(p, _)| (p.name, p.role))
        };
        assert_eq!(who("admin", 9), Some(("admin".into(), Role::Admin)));
        assert_eq!(who("alice", 9), Some(("user:alice".into(), Role::Operator)));
        for (cookie, now) in [("alice", 10), ("disabled", 9), ("removed", 9), ("guess", 9)] {
            assert_eq!(who(cookie, now), None, "{cookie} {now}");
        }
        let role = |id, now| directory.role_of(id, now);
        assert_eq!(role("of 1", 9), Some(Role::Operator));
        assert_eq!(role("of ", 9), Some(Role::Admin));
        for (id, now) in [("of 1", 10), ("of 2", 9), ("of 3", 9), ("alice", 9)] {
            assert_eq!(role(id, now), None, "{id} {now}");
        }
        assert!(directory.api_key("endless", 99).is_some());
        assert!(directory.api_key("ends", 9).is_some());
        assert!(directory.api_key("ends", 10).is_none());
        assert!(directory.api_key("alice", 9).is_none());
    }

    #[test]
    fn sessions_that_only_this_gateway_knows_are_bounded() {
        let directory = Directory::default();
        for n in 0..MAX_LOCAL_SESSIONS {
            assert!(directory.open_locally(fingerprint(&n.to_string()), session("", 10), 1));
        }
        assert!(!directory.open_locally(fingerprint("more"), session("", 10), 1));
        assert!(directory.session("0", 9).is_some());
        // Those that have ended make room.
        assert!(directory.open_locally(fingerprint("more"), session("", 20), 10));
        assert!(directory.session("0", 9).is_none());
        assert!(directory.end_locally("of ") && directory.session("more", 11).is_none());
    }
}
