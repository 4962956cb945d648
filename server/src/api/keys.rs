//! Signing keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tidegate_protocol::admin::Done;
use tidegate_protocol::trust::{IssuerInfo, KeyInfo, RotateKey};
use tidegate_store::RevocationKind;

use super::ApiError;
use super::admin::Admin;
use super::body::Body;
use super::done::{Answer, done, done_removing};
use super::openapi::{Conflict, NotFound, Stored};
use super::path::Path;
use crate::gateway::Gateway;
use crate::trust::{now_ms, refresh, signed};

/// Signing keys
///
/// Without their secrets.
#[utoipa::path(
    get, path = "/keys", tag = "tokens",
    responses(
        (status = 200, description = "Keys, the newest first.", body = Vec<KeyInfo>),
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn list(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
) -> Result<Json<Vec<KeyInfo>>, ApiError> {
    Ok(Json(gateway.trust.key_list().await?))
}

/// Outside issuers
///
/// Whose tokens are taken, the keys that check them, and why keys could not be read or are not used.
#[utoipa::path(
    get, path = "/issuers", tag = "tokens",
    responses((status = 200, description = "Issuers and their keys.", body = Vec<IssuerInfo>)),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn issuers(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
) -> Json<Vec<IssuerInfo>> {
    let issuers = gateway.trust.issuers.iter();
    Json(issuers.map(|provider| provider.info()).collect())
}

/// Sign with a new key
///
/// The key before it checks until its last token has expired; with `immediate` what it has signed
/// is refused at once, and who joined with that is removed.
#[utoipa::path(
    post, path = "/keys/rotate", tag = "tokens",
    request_body = RotateKey,
    responses((status = 200, description = "What was done.", body = Done), Conflict, Stored),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn rotate(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    body: Result<Body<RotateKey>, ApiError>,
) -> Result<Answer<Done>, ApiError> {
    let Body(RotateKey { immediate }) = body?;
    let life = gateway.config.token_seconds;
    let rotated = gateway.trust.rotate(immediate, life).await?;
    let kid = rotated.ok_or(ApiError::Overtaken(
        "the key was rotated by somebody else just now, and not by this request: look which one signs",
    ))?;
    let removed = refresh(&gateway).await?;
    tracing::info!(
        by = admin.name,
        kid,
        immediate,
        removed,
        "the signing key was rotated"
    );
    Ok(if immediate {
        let what = "signs from now on, and what the one before it has signed is refused";
        done_removing(&format!("Key {kid} {what}"), removed)
    } else {
        done(format!(
            "Key {kid} signs from now on; the one before it checks until its last token has expired."
        ))
    })
}

/// End a key
///
/// And all that it has signed. It must be one that only checks any more.
#[utoipa::path(
    delete, path = "/keys/{kid}", tag = "tokens",
    params(("kid" = String, Path, description = "The key.")),
    responses(
        (status = 200, description = "What was done.", body = Done),
        NotFound,
        Conflict,
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn revoke(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(kid): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    let trust = &gateway.trust;
    if !trust.store.revoke_key(&kid, now_ms()).await? {
        // Another gateway or a command may have rotated just now.
        refresh(&gateway).await?;
        return Err(if gateway.tokens.keys().current() == Some(kid.as_str()) {
            ApiError::KeySigns
        } else {
            ApiError::NotFound("key that still checks", kid)
        });
    }
    let until = now_ms().saturating_add(signed(gateway.config.token_seconds * 1000));
    trust
        .revoke(RevocationKind::Key, &kid, until, &admin.name)
        .await?;
    let removed = refresh(&gateway).await?;
    tracing::info!(by = admin.name, kid, removed, "a signing key was revoked");
    let what = format!("Nothing that key {kid} has signed is taken any more");
    Ok(done_removing(&what, removed))
}
