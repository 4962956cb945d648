//! What goes with somebody who is put out: sessions, and tokens that were issued.
//!
//! It happens in the transaction that puts the user or the key out, so that nobody is put out by half;
//! and whoever issues a token touches the row of the issuer first ([`Issuer`]), so that no token comes
//! to be beside it.

use sqlx::{Any, Transaction};

use crate::revocations::full;
use crate::statements::statements;

/// What is ended, and by whom. Times in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Who issued the tokens, as they are listed: `user:alice`, `key:backup`.
    pub principal: &'a str,
    /// Who ends them.
    pub by: &'a str,
    /// Now.
    pub now: i64,
    /// How long past its end a token is still taken.
    pub leeway: i64,
    /// Revocations that may hold at once.
    pub most: i64,
}

/// Which tokens go of those that somebody has issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokensGo {
    /// None.
    Stay,
    /// Those that only an administrator may issue.
    OfAdministrators,
    /// All.
    All,
}

/// What went with somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions.
    pub sessions: u64,
    /// Tokens that somebody had issued.
    pub tokens: u64,
}

/// Who issues a token, as far as the store knows: it must be allowed to at that moment.
#[derive(Debug, Clone, Copy)]
pub enum Issuer<'a> {
    /// A user by id, who still has this role.
    User(&'a str, &'a str),
    /// An API key by name.
    Key(&'a str),
    /// The built-in administrator, a token, anybody: in no list.
    Unlisted,
}

statements! {
    // The row is written so that it is locked: who puts the issuer out waits for the token, or the
    // token for that.
    TOUCH_USER = "UPDATE users SET changed_at = changed_at WHERE id = $1 AND role = $2 AND disabled = 0";
    TOUCH_KEY = "UPDATE api_keys SET created_at = created_at WHERE name = $1 AND revoked_at IS NULL";
    REVOKE_ISSUED = "INSERT INTO revocations (kind, value, revoked_at, until, revoked_by) \
                     SELECT 'token', jti, CAST($1 AS BIGINT), expires_at + CAST($2 AS BIGINT), \
                     CAST($3 AS TEXT) FROM tokens WHERE issued_by = $4 AND revoked_at IS NULL \
                     AND expires_at > $5 AND (CAST($6 AS BIGINT) = 0 OR allow LIKE '%\"admin\"%' \
                     OR roles LIKE '%\"admin\"%' OR channels LIKE '%\"admin\"%' \
                     OR channels LIKE '%\"admin:%' OR channels LIKE '%\"plugin:%' \
                     OR channels LIKE '%\"phoenix\"%' OR channels LIKE '%\"tidegate\"%') \
                     ON CONFLICT (kind, value) DO NOTHING";
    MARK_ISSUED = "UPDATE tokens SET revoked_at = $1 WHERE issued_by = $2 AND revoked_at IS NULL \
                   AND EXISTS (SELECT 1 FROM revocations WHERE kind = 'token' AND value = tokens.jti)";
    END_OF_USER = "DELETE FROM sessions WHERE user_id = $1";
}

/// Ends the sessions of a user.
pub(crate) async fn end_sessions(
    change: &mut Transaction<'_, Any>,
    user: &str,
) -> Result<u64, sqlx::Error> {
    let ended = sqlx::query(END_OF_USER)
        .bind(user)
        .execute(&mut **change)
        .await?;
    Ok(ended.rows_affected())
}

/// Revokes what was issued; gives how many tokens that is.
pub(crate) async fn revoke_issued(
    change: &mut Transaction<'_, Any>,
    what: &Ending<'_>,
    which: TokensGo,
) -> Result<u64, sqlx::Error> {
    if which == TokensGo::Stay {
        return Ok(0);
    }
    let revoked = sqlx::query(REVOKE_ISSUED)
        .bind(what.now)
        .bind(what.leeway)
        .bind(what.by)
        .bind(what.principal)
        .bind(what.now.saturating_sub(what.leeway))
        .bind(i64::from(which == TokensGo::OfAdministrators))
        .execute(&mut **change)
        .await?
        .rows_affected();
    if revoked > 0 {
        sqlx::query(MARK_ISSUED)
            .bind(what.now)
            .bind(what.principal)
            .execute(&mut **change)
            .await?;
        full(change, what.now, what.most).await?;
    }
    Ok(revoked)
}

/// Whether this one may issue at this moment, and until the transaction ends.
pub(crate) async fn may_issue(
    change: &mut Transaction<'_, Any>,
    issuer: Issuer<'_>,
) -> Result<bool, sqlx::Error> {
    let touch = match issuer {
        Issuer::User(id, role) => sqlx::query(TOUCH_USER).bind(id).bind(role),
        Issuer::Key(name) => sqlx::query(TOUCH_KEY).bind(name),
        Issuer::Unlisted => return Ok(true),
    };
    Ok(touch.execute(&mut **change).await?.rows_affected() > 0)
}
