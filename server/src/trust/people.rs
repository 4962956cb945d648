//! Users, sessions and API keys, between the store and the directory.

use tidegate_auth::{
    Known, KnownKey, KnownSession, KnownUser, SESSION_SECONDS, fingerprint, random_text,
};
use tidegate_protocol::Role;
use tidegate_store::{Session, SessionBounds, StoreError};

use super::{MOST, Trust, TrustError, now_ms, signed, unsigned};
use crate::gateway::Gateway;

/// Sessions at once; a further one ends the oldest of the same user, and then the oldest of all: nobody
/// ends those of others by signing in.
const MAX_SESSIONS: SessionBounds = SessionBounds {
    of_user: 20,
    all: 1_000,
};
/// Of what a browser calls itself so much is kept.
const MAX_AGENT_CHARS: usize = 200;

/// Whether a user or an API key may be called so.
pub(crate) fn name_is_good(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@".contains(&b))
}

impl Trust {
    /// Everybody the store knows.
    pub(super) async fn everybody(&self) -> Result<Known, TrustError> {
        let users = self.store.all_users(MOST).await?.into_iter().map(|user| {
            let known = KnownUser {
                name: user.name,
                // A role that this release does not know may look, and no more.
                role: Role::named(&user.role).unwrap_or_default(),
                password_hash: user.password_hash,
                disabled: user.disabled != 0,
            };
            (user.id, known)
        });
        let sessions = self.store.all_sessions(now_ms(), MOST).await?;
        let sessions = sessions.into_iter().map(|session| {
            let known = KnownSession {
                id: session.id,
                user: session.user_id,
                expires_at: unsigned(session.expires_at),
            };
            (session.hash, known)
        });
        let keys = self.store.good_api_keys(MOST).await?;
        let api_keys = keys.into_iter().map(|key| {
            let known = KnownKey {
                name: key.name,
                role: Role::named(&key.role).unwrap_or_default(),
                expires_at: key.expires_at.map(unsigned),
            };
            (key.hash, known)
        });
        Ok(Known {
            users: users.collect(),
            sessions: sessions.collect(),
            api_keys: api_keys.collect(),
        })
    }
}

/// A session that was just opened.
pub(crate) struct Opened {
    /// What the cookie holds.
    pub(crate) cookie: String,
}

/// Opens a session for a user, or with an empty id for the built-in administrator, who is let in
/// although the store is lost: somebody must see to it.
pub(crate) async fn open_session(
    gateway: &Gateway,
    user: &str,
    address: String,
    agent: &str,
) -> Result<Opened, TrustError> {
    let cookie = random_text();
    let now = unsigned(now_ms());
    let expires_at = now + SESSION_SECONDS * 1000;
    let session = Session {
        id: tidegate_store::new_id(),
        hash: fingerprint(&cookie),
        user_id: user.to_owned(),
        created_at: signed(now),
        expires_at: signed(expires_at),
        address,
        agent: agent.chars().take(MAX_AGENT_CHARS).collect(),
    };
    match gateway
        .trust
        .store
        .add_session(&session, MAX_SESSIONS)
        .await
    {
        Ok(()) => {
            super::refresh(gateway).await?;
        }
        Err(error @ (StoreError::Lost(_) | StoreError::Busy)) if user.is_empty() => {
            let known = KnownSession {
                id: session.id,
                user: String::new(),
                expires_at,
            };
            let directory = &gateway.trust.directory;
            if !directory.open_locally(session.hash, known, now) {
                return Err(error.into());
            }
            tracing::warn!(%error, "the session of the administrator is known to this gateway only");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Opened { cookie })
}
