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
use super::openapi::{Conflict, Slowed, Stored, Unprocessable};
use super::people::{find_user, hashed};
use crate::gateway::Gateway;
use crate::trust::{now_ms, refresh, unsigned};

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
        Conflict,
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
    let user = find_user(&gateway, id).await?;
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
    let hash = hashed(&gateway, password).await?;
    // Hashing took its turns, and the user may have been put out meanwhile.
    let changed =
        gateway
            .trust
            .store
            .change_own_password(id, session, &user.password_hash, &hash, now_ms());
    let changed = changed.await?;
    refresh(&gateway).await?;
    let Some(ended) = changed else {
        let directory = &gateway.trust.directory;
        let open = directory.role_of(session, unsigned(now_ms())).is_some();
        return Err(if open {
            ApiError::Overtaken("your password was changed by somebody else meanwhile")
        } else {
            ApiError::SignInNeeded
        });
    };
    tracing::info!(by = viewer.name, "a user changed the own password");
    Ok(done(match ended {
        0 => "Your password is changed.".to_owned(),
        1 => "Your password is changed; your other session has ended.".to_owned(),
        n => format!("Your password is changed; your {n} other sessions have ended."),
    }))
}
