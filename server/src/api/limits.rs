//! How often one may ask (P14), said as draft-ietf-httpapi-ratelimit-headers has it.
//!
//! The limit of an address comes before anything is looked up, that of a principal once it is known
//! who asks (P18). Who is refused has cost no more than a look into a map.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::ApiError;
use super::admin::{Shown, session};
use crate::gateway::Gateway;
use crate::limits::{Left, Limit};

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Adds what is left to an answer.
fn say(headers: &mut HeaderMap, limit: &Limit, left: Left) {
    for (name, text) in [
        (RATE_LIMIT_POLICY, limit.policy_field()),
        (RATE_LIMIT, left.field(limit.policy)),
    ] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.append(name, value);
        }
    }
}

/// Passes the request on, or says that there were too many.
async fn limited(
    limit: &Limit,
    counted: Option<Result<Left, Left>>,
    request: Request,
    next: Next,
) -> Response {
    match counted {
        None => next.run(request).await,
        Some(Ok(left)) => {
            let mut response = next.run(request).await;
            say(response.headers_mut(), limit, left);
            response
        }
        Some(Err(left)) => {
            let mut response = ApiError::TooManyRequests(left.seconds().max(1)).into_response();
            say(response.headers_mut(), limit, left);
            response
        }
    }
}

/// Whoever it is, and before anything else is known.
pub(super) async fn by_address(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let limits = &gateway.limits;
    let counted = limits.request_from(peer.ip());
    limited(&limits.requests_by_address, counted, request, next).await
}

/// Who is known by now; who is not has the limit of the address alone.
pub(super) async fn by_principal(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let limits = &gateway.limits;
    let counted = match request.extensions().get::<Shown>() {
        Some(shown) => limits.request_of(&shown.principal.name),
        None => session(&gateway, request.headers())
            .and_then(|(principal, _)| limits.request_of(&principal.name)),
    };
    limited(&limits.requests_by_principal, counted, request, next).await
}
