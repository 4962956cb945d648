//! The token that a member joined with: until when it holds, what it allows, and by what it can be
//! revoked. The token itself is not kept.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;
use tidegate_protocol::{Allow, Reason, RoleName};

use crate::channel::Channel;
use crate::hub::Hub;
use crate::members::Member;
use crate::membership::Lifecycle;

/// What members are told before their token ends.
const EXPIRING: &str = "token_expiring";

/// What stays of a token. Times in seconds since 1970.
#[derive(Debug)]
pub struct Grant {
    /// The token's name.
    pub jti: Option<Box<str>>,
    /// The key that signed it.
    pub kid: Option<Box<str>>,
    /// The session that it was issued for.
    pub sid: Option<Box<str>>,
    /// When it was issued.
    pub issued_at: Option<u64>,
    /// When it ends.
    pub expires_at: u64,
    /// What it allows.
    pub allow: Allow,
    /// The roles that it carries.
    pub roles: Box<[RoleName]>,
    /// How far past its end the member stays, where that is longer than for others.
    leeway: u64,
    warned: AtomicBool,
}

impl Grant {
    /// Of a token with these claims.
    pub fn new(
        jti: Option<&str>,
        kid: Option<&str>,
        issued_at: Option<u64>,
        expires_at: u64,
        allow: Allow,
    ) -> Self {
        Self {
            jti: jti.map(Into::into),
            kid: kid.map(Into::into),
            sid: None,
            issued_at,
            expires_at,
            allow,
            roles: Box::default(),
            leeway: 0,
            warned: AtomicBool::new(false),
        }
    }

    /// The clock of who issued it may differ by so many seconds.
    pub fn with_leeway(self, leeway: u64) -> Self {
        Self { leeway, ..self }
    }

    /// It was issued for this session.
    pub fn with_session(self, sid: Option<&str>) -> Self {
        let sid = sid.map(Into::into);
        Self { sid, ..self }
    }

    /// It carries these roles.
    pub fn with_roles(self, roles: Vec<RoleName>) -> Self {
        Self {
            roles: roles.into(),
            ..self
        }
    }

    /// When the member goes.
    fn ends_at(&self, rules: ExpiryRules) -> u64 {
        let leeway = self.leeway.max(rules.leeway);
        self.expires_at.saturating_add(leeway)
    }
}

/// When members' tokens are looked at. In seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryRules {
    /// So long before the end a member is told; 0 for never.
    pub warn_before: u64,
    /// So long after it the member goes.
    pub leeway: u64,
}

/// When something is to be done next, in seconds since 1970.
#[derive(Debug)]
pub(crate) struct NextExpiry(AtomicU64);

impl Default for NextExpiry {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl NextExpiry {
    pub(crate) fn note(&self, grant: Option<&Grant>) {
        if let Some(grant) = grant {
            // The earliest that could be: the rules say when exactly.
            self.0.fetch_min(grant.expires_at, Ordering::Relaxed);
        }
    }
}

impl Hub {
    /// Tells members whose token ends soon, and removes those whose token has ended. To be called
    /// every second; costs nothing while no token is near its end.
    pub fn expire(&self, now: u64, rules: ExpiryRules) -> Vec<Lifecycle> {
        if now.saturating_add(rules.warn_before) < self.next_expiry.0.load(Ordering::Relaxed) {
            return Vec::new();
        }
        self.next_expiry.0.store(u64::MAX, Ordering::Relaxed);
        let reason = |member: &Member| {
            let grant = member.grant.as_ref()?;
            if grant.ends_at(rules) <= now {
                return Some(Reason::TokenExpired);
            }
            let next = if grant.warned.load(Ordering::Relaxed) {
                // Not before it ends; what is noted is the time at which it would be warned of.
                grant.ends_at(rules).saturating_add(rules.warn_before)
            } else {
                grant.expires_at
            };
            self.next_expiry.0.fetch_min(next, Ordering::Relaxed);
            None
        };
        let warn = |channel: &Channel, member: &Member| {
            if let Some(grant) = &member.grant
                && rules.warn_before > 0
                && grant.expires_at <= now.saturating_add(rules.warn_before)
                && !grant.warned.swap(true, Ordering::Relaxed)
            {
                let seconds = grant.expires_at.saturating_sub(now);
                let said = json!({"exp": grant.expires_at, "seconds": seconds}).to_string();
                member.push(&channel.topic, EXPIRING, &said);
            }
        };
        self.examine(warn, reason)
    }

    /// Removes members whose token is not good any more, as `revoked` says of the grant, which
    /// anonymous members do not have, and the user's id.
    pub fn revoke(&self, revoked: impl Fn(Option<&Grant>, &str) -> bool) -> Vec<Lifecycle> {
        self.examine(
            |_, _| {},
            |member| {
                revoked(member.grant.as_deref(), &member.tracked.user)
                    .then_some(Reason::TokenRevoked)
            },
        )
    }

    /// Looks at every member of every channel, and removes those for whom there is a reason.
    fn examine(
        &self,
        look: impl Fn(&Channel, &Member),
        reason: impl Fn(&Member) -> Option<Reason>,
    ) -> Vec<Lifecycle> {
        let mut lifecycle = Vec::new();
        for channel in self.channels() {
            let mut gone = Vec::new();
            channel.for_each_member(|member| {
                look(&channel, member);
                if let Some(reason) = reason(member) {
                    gone.push((member.connection.clone(), reason));
                }
            });
            for (connection, reason) in gone {
                lifecycle.extend(self.remove(&channel, &connection, Some(&reason.to_json())));
            }
        }
        lifecycle
    }
}
