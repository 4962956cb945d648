//! `POST /token`: tokens for channels (wire.md A13).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use tidegate_protocol::{Claims, TopicPattern, is_reserved_topic};

use super::ApiError;
use super::admin::session_end;
use crate::gateway::Gateway;
use crate::serve::now_seconds;

/// How long a random id is, as Tangram's is.
const RANDOM_ID_CHARS: usize = 8;
const MAX_ID_BYTES: usize = 255;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    channel: String,
    id: Option<String>,
}

#[derive(Serialize)]
pub(super) struct TokenResponse {
    id: String,
    channel: String,
    token: String,
}

pub(super) async fn issue(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    body: Result<Json<TokenRequest>, JsonRejection>,
) -> Result<Json<TokenResponse>, ApiError> {
    let Json(TokenRequest { channel, id }) = body?;
    TopicPattern::new(&channel)
        .map_err(|error| ApiError::Name(channel.clone(), "a channel", error))?;
    let admin = session_end(&gateway, &headers).is_some();
    if !admin && is_reserved_topic(&channel) {
        return Err(ApiError::SignInNeeded);
    }
    if !admin && !gateway.config.open_tokens {
        return Err(ApiError::TokensClosed);
    }
    let id = id
        .filter(|id| !id.trim().is_empty())
        .unwrap_or_else(|| tidegate_hub::random_id(RANDOM_ID_CHARS));
    if id.len() > MAX_ID_BYTES {
        return Err(ApiError::IdTooLong);
    }
    let exp = now_seconds() + gateway.config.token_seconds;
    let claims = Claims {
        id: id.clone(),
        channel: channel.clone(),
        exp,
    };
    let token = gateway.tokens.issue(&claims)?;
    Ok(Json(TokenResponse { id, channel, token }))
}
