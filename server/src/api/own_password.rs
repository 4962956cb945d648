//! A user's own password, changed by who knows the one until now.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use tidegate_auth::verify_password;
use tidegate_protocol::admin::Done;
use tidegate_protocol::trust::ChangePassword;

use super::ApiError;
use super::admin::Viewer;
use super::body::Body;
use super::done::{Answer, done};
use super::openapi::{Slowed, Stored, Unprocessable};
use super::people::{find_user, hashed};
use crate::gateway::Gateway;
use crate::trust::{now_ms, refresh};

/// Change one's own password
///
/// Guessing is slowed down as at the sign-in: whoever finds an open browser learns no password here.
/// The session that asks stays, the user's others end.
#[utoipa::path(
    put, path = "/session/password", tag = "session",
    request_body = ChangePassword,
    responses(
        (status = 200, description = "What was done.", body = Done),
        Slowed,
        Unprocessable,
        Stored,
    ),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn change(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    body: Result<Body<ChangePassword>, ApiError>,
) -> Result<Answer<Done>, ApiError> {
    let Body(ChangePassword { current, password }) = body?;
    let (Some(id), Some(session)) = (&viewer.user, &viewer.session) else {
        return Err(ApiError::NoOwnPassword);
    };
    let mut user = find_user(&gateway, id).await?;
    {
        let turn = gateway.hashing.clone().acquire_owned().await;
        // Asked in one's turn: guesses that are sent at once are looked at one by one.
        let tried = gateway.admin.try_as(&user.name, peer.ip())?;
        let hash = user.password_hash.clone();
        let verify = move || {
            let _turn = turn;
            verify_password(&current, Some(&hash))
        };
        if !tokio::task::spawn_blocking(verify).await.unwrap_or(false) {
            gateway.admin.failed(tried);
            return Err(ApiError::WrongOwnPassword);
        }
        gateway.admin.succeeded(tried);
    }
    user.password_hash = hashed(&gateway, password).await?;
    user.changed_at = now_ms();
    let store = &gateway.trust.store;
    if !store.change_user(&user).await? {
        return Err(ApiError::NotFound("user", id.clone()));
    }
    let ended = store.end_other_sessions_of(id, session).await?;
    refresh(&gateway).await?;
    tracing::info!(by = viewer.name, "a user changed the own password");
    Ok(done(match ended {
        0 => "Your password is changed.".to_owned(),
        1 => "Your password is changed; your other session has ended.".to_owned(),
        n => format!("Your password is changed; your {n} other sessions have ended."),
    }))
}
