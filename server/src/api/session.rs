//! Signing in and out of the admin pages.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use serde::Deserialize;
use tidegate_auth::{SESSION_SECONDS, Session};
use tidegate_protocol::admin::{Done, SessionInfo, SignIn};

use super::ApiError;
use super::admin::{COOKIE, from_here, session_end, session_id};
use crate::gateway::Gateway;
use crate::serve::now_seconds;

pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Json<SessionInfo> {
    Json(info(&gateway, session_end(&gateway, &headers)))
}

fn info(gateway: &Gateway, expires_at: Option<u64>) -> SessionInfo {
    SessionInfo {
        admin: expires_at.is_some(),
        password_login: gateway.admin.has_password(),
        expires_at: expires_at.map(|seconds| seconds * 1000),
    }
}

fn cookie(session: &Session) -> AppendHeaders<[(header::HeaderName, String); 1]> {
    let value = format!(
        "{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION_SECONDS}",
        session.id
    );
    AppendHeaders([(header::SET_COOKIE, value)])
}

pub(super) async fn sign_in(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Result<impl IntoResponse, ApiError> {
    from_here(&headers)?;
    let Json(SignIn { password }) = body?;
    let session = gateway
        .admin
        .sign_in(&password, peer.ip(), now_seconds())
        .inspect_err(|error| tracing::warn!(%peer, %error, "admin sign-in refused"))?;
    tracing::info!(%peer, "admin signed in with the password");
    Ok((
        cookie(&session),
        Json(info(&gateway, Some(session.expires_at))),
    ))
}

pub(super) async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    from_here(&headers)?;
    if let Some(id) = session_id(&headers) {
        gateway.admin.sign_out(id);
        tracing::info!("admin signed out");
    }
    let gone = format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    let done = Done {
        done: "You are signed out.".to_owned(),
    };
    Ok((AppendHeaders([(header::SET_COOKIE, gone)]), Json(done)))
}

#[derive(Deserialize)]
pub(super) struct LinkParams {
    #[serde(default)]
    link: String,
}

/// `GET /login?link=...`: the one-time link. A refused one leads to the sign-in page, which says
/// so.
pub(super) async fn follow_link(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(params): Query<LinkParams>,
) -> impl IntoResponse {
    let no_store = (header::CACHE_CONTROL, "no-store".to_owned());
    match gateway
        .admin
        .follow_link(&gateway.tokens, &params.link, peer.ip(), now_seconds())
    {
        Ok(session) => {
            tracing::info!(%peer, "admin signed in with a link");
            (
                cookie(&session),
                AppendHeaders([no_store]),
                Redirect::to("/admin"),
            )
                .into_response()
        }
        Err(error) => {
            tracing::warn!(%peer, %error, "admin link refused");
            (
                AppendHeaders([no_store]),
                Redirect::to("/admin?link=refused"),
            )
                .into_response()
        }
    }
}
