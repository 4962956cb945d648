//! The guard of every admin route: a session, and for whatever changes something a header that
//! no page of another site can send without being asked (CSRF).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::ApiError;
use crate::gateway::Gateway;
use crate::serve::now_seconds;

/// The cookie that holds a session.
pub(super) const COOKIE: &str = "tidegate_session";
const REQUEST_HEADER: &str = "x-tidegate-request";

/// An administrator's request. Its presence among a handler's arguments is the check.
pub(super) struct Admin;

/// The session id in the request's cookies.
pub(crate) fn session_id(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, id)| id)
}

/// When the request's session ends, if it has one.
pub(super) fn session_end(gateway: &Gateway, headers: &HeaderMap) -> Option<u64> {
    session_id(headers).and_then(|id| gateway.admin.session(id, now_seconds()))
}

/// Whether the request says that it comes from a page of ours or from a program.
pub(super) fn from_here(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.contains_key(REQUEST_HEADER) {
        Ok(())
    } else {
        Err(ApiError::NotFromHere)
    }
}

impl FromRequestParts<Arc<Gateway>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Self::Rejection> {
        session_end(gateway, &parts.headers).ok_or(ApiError::SignInNeeded)?;
        if !parts.method.is_safe() {
            from_here(&parts.headers)?;
        }
        Ok(Admin)
    }
}
