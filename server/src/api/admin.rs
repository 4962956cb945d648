//! The guard of the API: who asks, and whether that one may.
//!
//! A browser shows its session's cookie, and for whatever changes something a header that no page
//! of another site can send without being asked (CSRF). A program shows an API key, or a token that
//! allows what an administrator may, as `Authorization: Bearer`; or it signs each request.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tidegate_auth::Principal;
use tidegate_protocol::Role;

use super::{ApiError, signed};
use crate::cookies;
use crate::gateway::Gateway;
use crate::trust::{now_ms, unsigned};

/// The cookie that holds a session.
pub(super) const COOKIE: &str = "tidegate_session";
/// What a browser's request must hold to change anything.
pub(super) const REQUEST_HEADER: &str = "x-tidegate-request";

/// How a request showed who it comes from.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) principal: Principal,
    /// By a cookie, which a browser sends along by itself.
    pub(super) by_cookie: bool,
}

/// The session's secret in the request's cookies.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    cookies::values(headers, COOKIE).next()
}

/// Whose session the request shows, and when it ends, in milliseconds since 1970.
pub(crate) fn session(gateway: &Gateway, headers: &HeaderMap) -> Option<(Principal, u64)> {
    let cookie = session_cookie(headers)?;
    gateway.trust.directory.session(cookie, unsigned(now_ms()))
}

/// Who the request comes from: who shows a key or a token is that, whatever its cookies say.
pub(super) fn shown(gateway: &Gateway, headers: &HeaderMap) -> Result<Option<Shown>, ApiError> {
    if let Some(bearer) = bearer(headers) {
        let principal = gateway
            .trust
            .directory
            .api_key(bearer, unsigned(now_ms()))
            .or_else(|| token_principal(gateway, bearer))
            .ok_or(ApiError::BadBearer)?;
        return Ok(Some(Shown {
            principal,
            by_cookie: false,
        }));
    }
    Ok(session(gateway, headers).map(|(principal, _)| Shown {
        principal,
        by_cookie: true,
    }))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, bearer) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| bearer.trim())
}

/// A token that allows what an administrator may.
fn token_principal(gateway: &Gateway, token: &str) -> Option<Principal> {
    let checked = gateway.tokens.check(token).ok()?;
    checked.claims.allow.admin.then(|| Principal {
        name: format!("token:{}", checked.claims.id),
        role: Role::Admin,
        user: None,
        session: None,
    })
}

/// Whether the request says that it comes from a page of ours or from a program.
pub(super) fn from_here(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.contains_key(REQUEST_HEADER) {
        Ok(())
    } else {
        Err(ApiError::NotFromHere)
    }
}

/// Finds out once who asks, for the routes and for the record of what was done.
pub(super) async fn authenticate(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut request, signer) = signed::signer(&gateway, request).await?;
    let shown = match signer {
        Some(signer) => Some(signer),
        None => shown(&gateway, request.headers())?,
    };
    if let Some(shown) = shown {
        request.extensions_mut().insert(shown);
    }
    Ok(next.run(request).await)
}

/// The same at an address that is open to everybody: a session is known where the request cannot have
/// come from a page of another site, and nobody is refused.
pub(super) async fn by_session(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let believed = request.method().is_safe() || from_here(headers).is_ok();
    let known = session(&gateway, headers).filter(|_| believed);
    if let Some((principal, _)) = known {
        request.extensions_mut().insert(Shown {
            principal,
            by_cookie: true,
        });
    }
    next.run(request).await
}

fn allowed(parts: &Parts, role: Role) -> Result<Principal, ApiError> {
    let shown = parts
        .extensions
        .get::<Shown>()
        .ok_or(ApiError::SignInNeeded)?;
    let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if shown.by_cookie && !safe {
        from_here(&parts.headers)?;
    }
    if shown.principal.role < role {
        return Err(ApiError::RoleTooWeak(role));
    }
    Ok(shown.principal.clone())
}

macro_rules! guard {
    ($($(#[$meta:meta])* $name:ident: $role:expr;)*) => {$(
        $(#[$meta])*
        pub(super) struct $name(Principal);

        impl Deref for $name {
            type Target = Principal;

            fn deref(&self) -> &Principal {
                &self.0
            }
        }

        impl FromRequestParts<Arc<Gateway>> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(
                parts: &mut Parts,
                _: &Arc<Gateway>,
            ) -> Result<Self, ApiError> {
                allowed(parts, $role).map(Self)
            }
        }
    )*};
}

guard! {
    /// Somebody who may look. Its presence among a handler's arguments is the check.
    Viewer: Role::Viewer;
    /// Somebody who may steer the traffic.
    Operator: Role::Operator;
    /// Somebody who may change the rules.
    Admin: Role::Admin;
}
