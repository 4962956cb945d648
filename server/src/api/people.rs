//! Users, sessions and API keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use tidegate_auth::{BUILT_IN_ADMIN, fingerprint, hash_password, random_text};
use tidegate_protocol::Role;
use tidegate_protocol::admin::Done;
use tidegate_protocol::trust::{
    ApiKeyInfo, ChangeUser, MadeApiKey, NewApiKey, NewUser, SessionEntry, UserInfo,
};
use tidegate_store::{ApiKey, User};
use utoipa::IntoParams;

use super::ApiError;
use super::admin::{Admin, Viewer};
use super::body::Body;
use super::done::{Answer, done};
use super::openapi::{Conflict, NotFound, Stored, Unprocessable};
use super::path::Path;
use crate::gateway::Gateway;
use crate::trust::{name_is_good, now_ms, refresh, signed, sweep, unsigned};

/// Users, sessions and API keys that are listed.
const MOST: i64 = 1_000;
/// What an API key begins with, so that it is known when it is found somewhere.
pub(super) const KEY_PREFIX: &str = "tgk_";
/// The longest life of an API key that ends by itself: a hundred years.
const MAX_KEY_SECONDS: u64 = 3_155_760_000;
const HINT_CHARS: usize = 10;

fn user_info(user: User) -> UserInfo {
    UserInfo {
        role: Role::named(&user.role).unwrap_or_default(),
        disabled: user.disabled != 0,
        created_at: unsigned(user.created_at),
        id: user.id,
        name: user.name,
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Params {
    /// Part of a name.
    #[serde(default)]
    search: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionParams {
    /// Part of a name, of an address, or of what the browser calls itself.
    #[serde(default)]
    search: String,
    /// Of this principal; of all when empty.
    #[serde(default)]
    principal: String,
}

/// Users
#[utoipa::path(
    get, path = "/users", tag = "people",
    params(Params),
    responses((status = 200, description = "Users.", body = Vec<UserInfo>), Stored),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn users(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Vec<UserInfo>>, ApiError> {
    let Query(Params { search }) = params?;
    let search = search.trim().to_lowercase();
    let users = gateway.trust.store.users_named(&search, MOST).await?;
    Ok(Json(users.into_iter().map(user_info).collect()))
}

fn good_name(name: String) -> Result<String, ApiError> {
    if name_is_good(&name) && name != BUILT_IN_ADMIN {
        Ok(name)
    } else {
        Err(ApiError::BadName)
    }
}

/// Hashing takes its time: not on the threads of the sockets, and one at a time.
pub(super) async fn hashed(gateway: &Gateway, password: String) -> Result<String, ApiError> {
    let turn = gateway.hashing.clone().acquire_owned().await;
    let hash = move || {
        let _turn = turn;
        hash_password(&password)
    };
    let hashed = tokio::task::spawn_blocking(hash).await;
    Ok(hashed.map_err(|_| ApiError::Fault)??)
}

/// Add a user
#[utoipa::path(
    post, path = "/users", tag = "people",
    request_body = NewUser,
    responses(
        (status = 200, description = "The user.", body = UserInfo),
        Conflict,
        Unprocessable,
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn add_user(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    body: Result<Body<NewUser>, ApiError>,
) -> Result<Answer<UserInfo>, ApiError> {
    let Body(wanted) = body?;
    let now = now_ms();
    let user = User {
        id: tidegate_store::new_id(),
        name: good_name(wanted.name)?,
        role: wanted.role.as_str().to_owned(),
        password_hash: hashed(&gateway, wanted.password).await?,
        disabled: 0,
        created_at: now,
        changed_at: now,
    };
    gateway.trust.store.add_user(&user).await?;
    refresh(&gateway).await?;
    tracing::info!(
        by = admin.name,
        user = user.name,
        role = user.role,
        "a user was added"
    );
    Ok(Answer {
        said: format!("Added user {} as {}.", user.name, user.role),
        body: user_info(user),
    })
}

pub(super) async fn find_user(gateway: &Gateway, id: &str) -> Result<User, ApiError> {
    let found = gateway.trust.store.user(id).await?;
    found.ok_or_else(|| ApiError::NotFound("user", id.to_owned()))
}

/// Change a user
///
/// What is left out stays. With a new password, and when the user may no longer sign in, every
/// session of the user ends.
#[utoipa::path(
    put, path = "/users/{id}", tag = "people",
    params(("id" = String, Path, description = "The user, by id.")),
    request_body = ChangeUser,
    responses(
        (status = 200, description = "What was done.", body = Done),
        NotFound,
        Unprocessable,
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn change_user(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    body: Result<Body<ChangeUser>, ApiError>,
) -> Result<Answer<Done>, ApiError> {
    let Body(wanted) = body?;
    let mut user = find_user(&gateway, &id).await?;
    let mut said = Vec::new();
    let mut ends_sessions = false;
    if let Some(role) = wanted.role {
        user.role = role.as_str().to_owned();
        said.push(format!("is {role}"));
    }
    if let Some(disabled) = wanted.disabled {
        user.disabled = i64::from(disabled);
        said.push(
            if disabled {
                "may not sign in"
            } else {
                "may sign in"
            }
            .to_owned(),
        );
        ends_sessions |= disabled;
    }
    if let Some(password) = wanted.password {
        user.password_hash = hashed(&gateway, password).await?;
        said.push("has a new password".to_owned());
        ends_sessions = true;
    }
    if said.is_empty() {
        return Ok(done(format!("User {} stays as it was.", user.name)));
    }
    user.changed_at = now_ms();
    let store = &gateway.trust.store;
    if !store.change_user(&user).await? {
        return Err(ApiError::NotFound("user", id));
    }
    if ends_sessions {
        store.end_sessions_of(&user.id).await?;
    }
    refresh(&gateway).await?;
    tracing::info!(by = admin.name, user = user.name, changes = ?said, "a user was changed");
    Ok(done(format!("User {} {}.", user.name, said.join(" and "))))
}

/// Remove a user
///
/// Every session of the user ends.
#[utoipa::path(
    delete, path = "/users/{id}", tag = "people",
    params(("id" = String, Path, description = "The user, by id.")),
    responses((status = 200, description = "What was done.", body = Done), NotFound, Stored),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn remove_user(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    let user = find_user(&gateway, &id).await?;
    let store = &gateway.trust.store;
    store.end_sessions_of(&id).await?;
    store.remove_user(&id).await?;
    refresh(&gateway).await?;
    tracing::info!(by = admin.name, user = user.name, "a user was removed");
    Ok(done(format!("Removed user {}.", user.name)))
}

/// Open sessions
///
/// An administrator sees every session, others their own.
#[utoipa::path(
    get, path = "/sessions", tag = "people",
    params(SessionParams),
    responses((status = 200, description = "Sessions.", body = Vec<SessionEntry>), Stored),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn sessions(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<SessionParams>, QueryRejection>,
) -> Result<Json<Vec<SessionEntry>>, ApiError> {
    let Query(SessionParams {
        search,
        principal: of,
    }) = params?;
    let search = search.trim().to_lowercase();
    let known = gateway.trust.directory.known();
    let open = gateway.trust.store.sessions(now_ms(), MOST).await?;
    let all = viewer.role == Role::Admin;
    let sessions = open.into_iter().filter_map(|session| {
        if !all && viewer.user.as_deref() != Some(session.user_id.as_str()) {
            return None;
        }
        let principal = if session.user_id.is_empty() {
            BUILT_IN_ADMIN.to_owned()
        } else {
            format!("user:{}", known.users.get(&session.user_id)?.name)
        };
        let wanted = [&principal, &session.address, &session.agent]
            .iter()
            .any(|text| text.to_lowercase().contains(&search));
        (wanted && (of.is_empty() || of == principal)).then(|| SessionEntry {
            own: viewer.session.as_ref() == Some(&session.id),
            id: session.id,
            principal,
            created_at: unsigned(session.created_at),
            expires_at: unsigned(session.expires_at),
            address: session.address,
            agent: session.agent,
        })
    });
    Ok(Json(sessions.collect()))
}

/// End a session
///
/// Others than administrators end their own.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "people",
    params(("id" = String, Path, description = "The session, as the list names it.")),
    responses((status = 200, description = "What was done.", body = Done), NotFound, Stored),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn end_session(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    let store = &gateway.trust.store;
    if viewer.role != Role::Admin {
        let open = store.sessions(now_ms(), MOST).await?;
        let own = open
            .iter()
            .any(|s| s.id == id && viewer.user.as_deref() == Some(s.user_id.as_str()));
        if !own {
            return Err(ApiError::NotFound("session", id));
        }
    }
    if gateway.trust.directory.end_locally(&id) {
        sweep(&gateway);
    } else if store.end_session(&id).await? {
        refresh(&gateway).await?;
    } else {
        return Err(ApiError::NotFound("session", id));
    }
    tracing::info!(by = viewer.name, session = id, "a session was ended");
    Ok(done(format!("Ended session {id}.")))
}

fn key_info(key: ApiKey) -> ApiKeyInfo {
    ApiKeyInfo {
        id: key.id,
        name: key.name,
        role: Role::named(&key.role).unwrap_or_default(),
        hint: key.hint,
        created_at: unsigned(key.created_at),
        created_by: key.created_by,
        expires_at: key.expires_at.map(unsigned),
        revoked_at: key.revoked_at.map(unsigned),
    }
}

/// API keys
///
/// Without the keys themselves.
#[utoipa::path(
    get, path = "/api-keys", tag = "people",
    responses((status = 200, description = "API keys.", body = Vec<ApiKeyInfo>), Stored),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn api_keys(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
) -> Result<Json<Vec<ApiKeyInfo>>, ApiError> {
    let keys = gateway.trust.store.api_keys(MOST).await?;
    Ok(Json(keys.into_iter().map(key_info).collect()))
}

/// Make an API key
///
/// The answer is the only place where the key is ever shown.
#[utoipa::path(
    post, path = "/api-keys", tag = "people",
    request_body = NewApiKey,
    responses(
        (status = 200, description = "The key.", body = MadeApiKey),
        Conflict,
        Unprocessable,
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn add_api_key(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    body: Result<Body<NewApiKey>, ApiError>,
) -> Result<Answer<MadeApiKey>, ApiError> {
    let Body(wanted) = body?;
    if wanted
        .seconds
        .is_some_and(|seconds| !(1..=MAX_KEY_SECONDS).contains(&seconds))
    {
        return Err(ApiError::Life(MAX_KEY_SECONDS));
    }
    let secret = format!("{KEY_PREFIX}{}", random_text());
    let now = now_ms();
    let key = ApiKey {
        id: tidegate_store::new_id(),
        name: good_name(wanted.name)?,
        role: wanted.role.as_str().to_owned(),
        hash: fingerprint(&secret),
        hint: secret.chars().take(HINT_CHARS).collect(),
        created_at: now,
        created_by: admin.name.clone(),
        expires_at: wanted
            .seconds
            .map(|seconds| now.saturating_add(signed(seconds.saturating_mul(1000)))),
        revoked_at: None,
    };
    gateway.trust.store.add_api_key(&key).await?;
    refresh(&gateway).await?;
    tracing::info!(
        by = admin.name,
        key = key.name,
        role = key.role,
        "an API key was made"
    );
    Ok(Answer {
        said: format!("Made API key {} as {}.", key.name, key.role),
        body: MadeApiKey {
            key: secret,
            info: key_info(key),
        },
    })
}

/// Revoke an API key
#[utoipa::path(
    delete, path = "/api-keys/{id}", tag = "people",
    params(("id" = String, Path, description = "The API key, as the list names it.")),
    responses((status = 200, description = "What was done.", body = Done), NotFound, Stored),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn revoke_api_key(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    let store = &gateway.trust.store;
    if !store.revoke_api_key(&id, now_ms()).await? {
        return Err(ApiError::NotFound("API key", id));
    }
    refresh(&gateway).await?;
    tracing::info!(by = admin.name, key = id, "an API key was revoked");
    Ok(done("The API key is refused from now on.".to_owned()))
}
