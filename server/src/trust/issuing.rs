//! Issuing tokens, and revoking them.

use tidegate_auth::Tokens;
use tidegate_protocol::trust::TokenInfo;
use tidegate_protocol::{Allow, Claims, RoleName};
use tidegate_store::{Revocation, RevocationKind, TokenRecord};

use super::{MAX_REVOCATIONS, Trust, TrustError, now_ms, signed, unsigned};

/// How long a random id is, as Tangram's is.
pub(crate) const RANDOM_ID_CHARS: usize = 8;
/// Who issued a token that nobody had to sign in for.
pub(crate) const ANYBODY: &str = "anybody";
/// What tokens of this gateway say in `iss`.
const ISSUER: &str = "tidegate";

/// A token that is wanted; everything is checked.
pub(crate) struct Issue {
    pub(crate) id: String,
    pub(crate) channels: Vec<String>,
    pub(crate) allow: Allow,
    pub(crate) roles: Vec<RoleName>,
    pub(crate) seconds: u64,
    pub(crate) by: String,
    /// The session that it is for, with which it ends.
    pub(crate) session: Option<String>,
}

impl Issue {
    /// The token, and what is kept of it.
    pub(crate) fn sign(self, tokens: &Tokens) -> Result<(String, TokenRecord), TrustError> {
        let now = now_ms();
        let iat = unsigned(now) / 1000;
        let jti = tidegate_store::new_id();
        let claims = Claims {
            id: self.id,
            channels: self.channels,
            exp: iat.saturating_add(self.seconds),
            allow: self.allow,
            roles: self.roles,
            jti: Some(jti.clone()),
            iat: Some(iat),
            iss: Some(ISSUER.to_owned()),
            sid: self.session,
        };
        let token = tokens.issue(&claims)?;
        let record = TokenRecord {
            jti,
            subject: claims.id,
            channels: json(&claims.channels),
            allow: json(&claims.allow.rights()),
            roles: json(&claims.roles),
            kid: tokens.keys().current().unwrap_or_default().to_owned(),
            issued_at: now,
            expires_at: signed(claims.exp.saturating_mul(1000)),
            issued_by: self.by,
            revoked_at: None,
        };
        Ok((token, record))
    }
}

fn json(list: &impl serde::Serialize) -> String {
    // Lists of words: this cannot fail.
    serde_json::to_string(list).unwrap_or_default()
}

/// What is shown of a token.
pub(crate) fn info(record: TokenRecord) -> TokenInfo {
    TokenInfo {
        jti: record.jti,
        id: record.subject,
        channels: serde_json::from_str(&record.channels).unwrap_or_default(),
        allow: serde_json::from_str(&record.allow).unwrap_or_default(),
        roles: serde_json::from_str(&record.roles).unwrap_or_default(),
        kid: record.kid,
        issued_at: unsigned(record.issued_at),
        expires_at: unsigned(record.expires_at),
        issued_by: record.issued_by,
        revoked_at: record.revoked_at.map(unsigned),
    }
}

impl Trust {
    /// Revokes; gives how many tokens that is, of those that were written down. `until` is when the
    /// last of them has expired, in milliseconds since 1970.
    pub(crate) async fn revoke(
        &self,
        kind: RevocationKind,
        value: &str,
        until: i64,
        by: &str,
    ) -> Result<u64, TrustError> {
        let revocation = Revocation {
            kind: kind.as_str().to_owned(),
            value: value.to_owned(),
            revoked_at: now_ms(),
            until,
            revoked_by: by.to_owned(),
        };
        let revoked = self.store.revoke(kind, &revocation, MAX_REVOCATIONS);
        Ok(revoked.await?)
    }
}
