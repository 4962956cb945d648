//! `POST /token`: tokens for channels (wire.md A13).

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use tidegate_protocol::{Allow, JoinRule, Role, RoleName, TopicPattern, is_reserved_topic};
use utoipa::ToSchema;

use super::ApiError;
use super::admin::{from_here, session};
use super::body::Body;
use super::done::Answer;
use super::openapi::{TokenRefused, Unprocessable};
use super::tokens::check_id;
use crate::gateway::Gateway;
use crate::trust::{ANYBODY, Issue, RANDOM_ID_CHARS, Record, now_ms, unsigned};

#[derive(Deserialize, ToSchema)]
pub(super) struct TokenRequest {
    /// The topic, or `prefix:*`.
    #[schema(value_type = TopicPattern)]
    channel: String,
    /// Whose it is to be; a random name when it is left out or blank.
    #[schema(max_length = 255)]
    id: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct TokenResponse {
    /// Whose it is.
    id: String,
    /// What it is for.
    channel: String,
    /// The token.
    token: String,
}

/// A token for a channel
///
/// As the pages and plugins of Tangram ask for it. Open to everybody on a gateway that listens on
/// its own machine alone, or with `--open-tokens`; for operators always, and for who has signed in
/// where the channel is for its role. Channels of the gateway itself are for who has signed in. The
/// token of who has signed in carries its role and ends with its session.
#[utoipa::path(
    post, path = "/token", tag = "sockets",
    request_body = TokenRequest,
    responses(
        (status = 200, description = "The token.", body = TokenResponse),
        Unprocessable,
        TokenRefused,
    ),
    security((), ("session" = [])),
)]
pub(super) async fn issue(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    body: Result<Body<TokenRequest>, ApiError>,
) -> Result<Answer<TokenResponse>, ApiError> {
    let Body(TokenRequest { channel, id }) = body?;
    let pattern = TopicPattern::new(&channel)
        .map_err(|error| ApiError::Name(channel.clone(), "a channel", error))?;
    // A cookie alone may come from a page of another site: without the header it is nobody's.
    let asks = from_here(&headers)
        .ok()
        .and_then(|()| session(&gateway, &headers));
    // What a session has asked for ends with it, and stands in no list of its own: to end the
    // session is to revoke it.
    let ends_at = asks.as_ref().map(|(_, ends_at)| *ends_at);
    let asks = asks.map(|(principal, _)| principal);
    let reserved = is_reserved_topic(&channel);
    if asks.is_none() && reserved {
        return Err(ApiError::SignInNeeded);
    }
    let steers = asks.as_ref().is_some_and(|p| p.role >= Role::Operator);
    // Who has signed in carries its role, and all that are less.
    let roles: Vec<RoleName> = asks.as_ref().map_or_else(Vec::new, |principal| {
        let lesser = Role::ALL.into_iter().filter(|role| *role <= principal.role);
        lesser.map(RoleName::from).collect()
    });
    // A channel for its role is open to it, whoever else may have tokens here. Not all under a pattern:
    // a more specific definition may be for others.
    let invited = || {
        if pattern.prefix().is_some() {
            return false;
        }
        let definition = gateway.hub.definitions.of(&channel);
        definition.join == JoinRule::Roles && definition.lets_join(&roles)
    };
    if !steers && !reserved && !gateway.config.open_tokens && !invited() {
        return Err(ApiError::TokensClosed);
    }
    // Whoever may look may follow the topic `admin`, but does not push as an administrator.
    let rules = asks.as_ref().is_some_and(|p| p.role >= Role::Admin);
    let allow = Allow {
        push: !reserved || rules,
        ..Allow::MEMBER
    };
    let id = id
        .filter(|id| !id.trim().is_empty())
        .unwrap_or_else(|| tidegate_hub::random_id(RANDOM_ID_CHARS));
    check_id(&id)?;
    let left = ends_at.map_or(u64::MAX, |at| at.saturating_sub(unsigned(now_ms())) / 1000);
    let issue = Issue {
        id: id.clone(),
        channels: vec![channel.clone()],
        allow,
        roles,
        seconds: gateway.config.token_seconds.min(left),
        session: asks
            .as_ref()
            .and_then(|principal| principal.session.clone()),
        by: asks.map_or_else(|| ANYBODY.to_owned(), |principal| principal.name),
    };
    let of_session = issue.session.is_some();
    let (token, record) = issue.sign(&gateway.tokens)?;
    if !of_session && !gateway.trust.records.put(Record::Token(record)) {
        // A token that could not be listed could not be revoked by its name either.
        return Err(ApiError::StoreBusy);
    }
    Ok(Answer {
        said: format!("Gave {id} a token for {channel}."),
        body: TokenResponse { id, channel, token },
    })
}
