//! Tokens: issued, listed, looked into, revoked.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use tidegate_protocol::admin::Done;
use tidegate_protocol::trust::{
    Introspect, Introspection, IssueToken, IssuedToken, Part, Revoke, TokenInfo,
};
use tidegate_protocol::{Allow, MAX_TOKEN_ROLES, Reason, Role, TopicPattern, is_reserved_topic};
use tidegate_store::{Issuer, RevocationKind, TokenQuery};
use utoipa::IntoParams;

use super::ApiError;
use super::admin::Operator;
use super::body::{Body, FormOrBody};
use super::done::{Answer, done, done_removing};
use super::openapi::{Conflict, NotFound, Stored, Unprocessable};
use super::parts::{limit, part};
use super::path::Path;
use crate::gateway::Gateway;
use crate::trust::{AFTERWARDS_MS, Issue, RANDOM_ID_CHARS, now_ms, refresh, signed, token_info};

/// Channels that one token may name.
const MAX_CHANNELS: usize = 100;
const MAX_ID_BYTES: usize = 255;
/// The longest life of a token: a year.
const MAX_SECONDS: u64 = 366 * DAY_SECONDS;
const DAY_SECONDS: u64 = 24 * 3600;

/// Issue a token
///
/// The answer is the only place where the token is ever shown. Tokens that allow `admin`, or name a
/// channel of the gateway, are issued by administrators.
#[utoipa::path(
    post, path = "/token", tag = "tokens",
    request_body = IssueToken,
    responses(
        (status = 200, description = "The token.", body = IssuedToken),
        Conflict,
        Unprocessable,
        Stored,
    ),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn issue(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    body: Result<Body<IssueToken>, ApiError>,
) -> Result<Answer<IssuedToken>, ApiError> {
    let Body(wanted) = body?;
    if !(1..=MAX_CHANNELS).contains(&wanted.channels.len()) {
        return Err(ApiError::ChannelCount(MAX_CHANNELS));
    }
    for channel in &wanted.channels {
        TopicPattern::new(channel)
            .map_err(|error| ApiError::Name(channel.clone(), "a channel", error))?;
    }
    let allow: Allow = wanted
        .allow
        .map_or(Allow::MEMBER, |rights| rights.into_iter().collect());
    if wanted.roles.len() > MAX_TOKEN_ROLES {
        return Err(ApiError::RoleCount(MAX_TOKEN_ROLES));
    }
    // Nobody makes more of somebody than it is itself.
    let strongest = wanted
        .roles
        .iter()
        .filter_map(|r| Role::named(r.as_str()))
        .max();
    if let Some(role) = strongest.filter(|role| *role > operator.role) {
        return Err(ApiError::RoleTooWeak(role));
    }
    let reserved = wanted.channels.iter().any(|c| is_reserved_topic(c));
    if (allow.admin || reserved) && operator.role < Role::Admin {
        return Err(ApiError::RoleTooWeak(Role::Admin));
    }
    let id = Some(wanted.id.trim())
        .filter(|id| !id.is_empty())
        .map_or_else(|| tidegate_hub::random_id(RANDOM_ID_CHARS), str::to_owned);
    check_id(&id)?;
    let seconds = wanted.seconds.unwrap_or(gateway.config.token_seconds);
    if !(1..=MAX_SECONDS).contains(&seconds) {
        return Err(ApiError::Life(MAX_SECONDS));
    }
    let issue = Issue {
        id,
        channels: wanted.channels,
        allow,
        roles: wanted.roles,
        seconds,
        by: operator.name.clone(),
        session: None,
    };
    let (token, record) = issue.sign(&gateway.tokens)?;
    // Written down before it is given away: what nobody can list nobody can revoke. And in the same
    // moment as whoever asks still may: what is revoked with somebody who is put out is then all there is.
    let issuer = match (&operator.user, operator.name.strip_prefix("key:")) {
        (Some(id), _) => Issuer::User(id, operator.role.as_str()),
        (None, Some(key)) => Issuer::Key(key),
        (None, None) => Issuer::Unlisted,
    };
    if !gateway.trust.store.add_token(&record, issuer).await? {
        refresh(&gateway).await?;
        return Err(ApiError::Overtaken(
            "what you may do was changed by somebody just now; ask again",
        ));
    }
    let info = token_info(record);
    tracing::info!(
        by = operator.name,
        jti = info.jti,
        id = info.id,
        "a token was issued"
    );
    Ok(Answer {
        said: format!(
            "Issued token {} for {} to {}.",
            info.jti,
            info.channels.join(", "),
            info.id
        ),
        body: IssuedToken { token, info },
    })
}

/// Whose a token is stands in lists, in logs and on the bus: no line of its own there.
pub(super) fn check_id(id: &str) -> Result<(), ApiError> {
    if id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        return Err(ApiError::BadId);
    }
    Ok(())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Params {
    /// Of this subject alone.
    #[serde(default)]
    id: String,
    /// Signed by this key alone.
    #[serde(default)]
    kid: String,
    /// With this in its name, its subject or its channels.
    #[serde(default)]
    search: String,
    /// Where to go on: `next` of the part before.
    after: Option<String>,
    /// How many at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
}

/// Tokens that are not expired
///
/// Without the tokens themselves.
#[utoipa::path(
    get, path = "/tokens", tag = "tokens",
    params(Params),
    responses(
        (status = 200, description = "Tokens, the latest first.", body = Part<TokenInfo>),
        Stored,
    ),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn list(
    _: Operator,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Part<TokenInfo>>, ApiError> {
    let Query(params) = params?;
    let limit = limit(params.limit);
    let query = TokenQuery {
        subject: params.id,
        kid: params.kid,
        search: params.search.trim().to_owned(),
        after: params.after,
        limit: limit as i64 + 1,
    };
    let found = gateway.trust.store.tokens(&query, now_ms()).await?;
    let items = found.into_iter().map(token_info).collect();
    Ok(Json(part(items, limit, |item: &TokenInfo| {
        item.jti.clone()
    })))
}

/// Look into a token
///
/// RFC 7662: whether a token is good, and what it says. As a form, as the RFC has it, or as JSON. Of a
/// token that is not good an administrator is told why not.
#[utoipa::path(
    post, path = "/introspect", tag = "tokens",
    request_body(content(
        (Introspect = "application/json"),
        (Introspect = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "What the token says, or that it is not good.", body = Introspection),
    ),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn introspect(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    body: Result<FormOrBody<Introspect>, ApiError>,
) -> Result<Json<Introspection>, ApiError> {
    let FormOrBody(Introspect { token, .. }) = body?;
    Ok(Json(match gateway.tokens.check(&token) {
        Err(reason) => Introspection {
            reason: (operator.role >= Role::Admin).then(|| reason.as_str().to_owned()),
            ..Introspection::default()
        },
        Ok(checked) => {
            let claims = checked.claims;
            Introspection {
                active: true,
                reason: None,
                sub: Some(claims.id),
                scope: Some(claims.channels.join(" ")),
                allow: Some(claims.allow.rights()),
                roles: claims.roles,
                exp: Some(claims.exp),
                iat: claims.iat,
                jti: claims.jti,
                iss: claims.iss,
                kid: checked.kid,
            }
        }
    }))
}

/// Revoke a token
///
/// Whoever joined with it is removed.
#[utoipa::path(
    delete, path = "/tokens/{jti}", tag = "tokens",
    params(("jti" = String, Path, description = "The name of the token.")),
    responses(
        (status = 200, description = "What was done.", body = Done),
        NotFound,
        Conflict,
        Stored,
    ),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn revoke_one(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    Path(jti): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    revoke_named(&gateway, &operator, jti).await
}

/// When the last token that is good today has ended, in milliseconds since 1970. What the gateway and
/// outside issuers sign lives a year at most, or as long as the flags say; what programs sign with the
/// shared secret as long as they like: that is refused for good.
fn longest(gateway: &Gateway) -> i64 {
    if gateway.trust.has_shared_secret() {
        return i64::MAX;
    }
    let config = &gateway.config;
    let flags = config.token_seconds.max(config.client_cookie_seconds);
    let seconds = flags.max(MAX_SECONDS).saturating_add(DAY_SECONDS);
    now_ms().saturating_add(signed(seconds.saturating_mul(1000)))
}

async fn revoke_named(
    gateway: &Gateway,
    operator: &Operator,
    jti: String,
) -> Result<Answer<Done>, ApiError> {
    let until = match gateway.trust.store.token(&jti).await? {
        Some(record) => record.expires_at.saturating_add(AFTERWARDS_MS),
        // A token of an outside issuer is not written down here; no good one lives longer.
        None if gateway.tokens.issuers().named(&jti) => longest(gateway),
        None => return Err(ApiError::NotFound("token", jti)),
    };
    carry_out(gateway, operator, RevocationKind::Token, &jti, until).await
}

/// Revoke tokens
///
/// One of the fields says which: a token, by itself or by its name, or every token of a subject or
/// of a key that was issued until now. Whoever joined with one is removed.
#[utoipa::path(
    post, path = "/revoke", tag = "tokens",
    request_body = Revoke,
    responses(
        (status = 200, description = "What was done.", body = Done),
        NotFound,
        Conflict,
        Unprocessable,
        Stored,
    ),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn revoke(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    body: Result<Body<Revoke>, ApiError>,
) -> Result<Answer<Done>, ApiError> {
    let Body(wanted) = body?;
    let until = longest(&gateway);
    match wanted {
        Revoke {
            token: Some(token),
            jti: None,
            subject: None,
            kid: None,
        } => {
            let checked = match gateway.tokens.check(&token) {
                Ok(checked) => checked,
                // It is refused already: that is what was wanted.
                Err(Reason::TokenRevoked | Reason::TokenExpired) => {
                    return Ok(done("The token was refused already.".to_owned()));
                }
                Err(_) => return Err(ApiError::NoToken),
            };
            // A token without a name was signed by a program: it goes with its subject.
            let jti = checked.claims.jti.ok_or(ApiError::NamelessToken)?;
            let until = checked.claims.exp.saturating_add(checked.leeway);
            let until = signed(until.saturating_mul(1000)).saturating_add(AFTERWARDS_MS);
            carry_out(&gateway, &operator, RevocationKind::Token, &jti, until).await
        }
        Revoke {
            token: None,
            jti: Some(jti),
            subject: None,
            kid: None,
        } => revoke_named(&gateway, &operator, jti).await,
        Revoke {
            token: None,
            jti: None,
            subject: Some(subject),
            kid: None,
        } => {
            check_id(&subject)?;
            carry_out(
                &gateway,
                &operator,
                RevocationKind::Subject,
                &subject,
                until,
            )
            .await
        }
        Revoke {
            token: None,
            jti: None,
            subject: None,
            kid: Some(kid),
        } => {
            check_id(&kid)?;
            carry_out(&gateway, &operator, RevocationKind::Key, &kid, until).await
        }
        _ => Err(ApiError::RevokeWhat),
    }
}

async fn carry_out(
    gateway: &Gateway,
    operator: &Operator,
    kind: RevocationKind,
    value: &str,
    until: i64,
) -> Result<Answer<Done>, ApiError> {
    let marked = gateway
        .trust
        .revoke(kind, value, until, &operator.name)
        .await?;
    let removed = refresh(gateway).await?;
    let by = &operator.name;
    tracing::info!(by, kind = kind.as_str(), value, marked, removed, "revoked");
    let what = match kind {
        RevocationKind::Token => format!("Token {value} is refused from now on"),
        RevocationKind::Subject => {
            format!("Every token of {value} that was issued until now is refused")
        }
        RevocationKind::Key => {
            format!("Every token that key {value} has signed until now is refused")
        }
    };
    Ok(done_removing(&what, removed))
}
