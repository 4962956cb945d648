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
    ApiKeyInfo, ChangeUser, MadeApiKey, NewApiKey, NewUser, Part, SessionEntry, UserInfo,
};
use tidegate_store::{
    ApiKey, ApiKeyQuery, Ended, ListedSession, SessionQuery, TokensGo, User, UserChange, UserQuery,
};
use utoipa::IntoParams;

use super::ApiError;
use super::admin::{Admin, Viewer};
use super::body::Body;
use super::done::{Answer, done, done_removing};
use super::openapi::{Conflict, NotFound, Stored, Unprocessable};
use super::parts::{limit, part};
use super::path::Path;
use crate::gateway::Gateway;
use crate::trust::{name_is_good, now_ms, refresh, signed, sweep, unsigned};

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
    /// The one of exactly this name.
    #[serde(default)]
    name: String,
    /// Where to go on: `next` of the part before.
    after: Option<String>,
    /// How many at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
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
    /// Where to go on: `next` of the part before.
    after: Option<String>,
    /// How many at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct KeyParams {
    /// Those of exactly this name.
    #[serde(default)]
    name: String,
    /// Where to go on: `next` of the part before.
    after: Option<String>,
    /// How many at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
}

/// Users
#[utoipa::path(
    get, path = "/users", tag = "people",
    params(Params),
    responses((status = 200, description = "Users, the latest first.", body = Part<UserInfo>), Stored),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn users(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Part<UserInfo>>, ApiError> {
    let Query(params) = params?;
    let limit = limit(params.limit);
    let query = UserQuery {
        search: params.search.trim().to_owned(),
        name: params.name,
        after: params.after,
        limit: limit as i64 + 1,
    };
    let users = gateway.trust.store.users(&query).await?;
    let items = users.into_iter().map(user_info).collect();
    Ok(Json(part(items, limit, |user: &UserInfo| user.id.clone())))
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

/// Of a sentence that says what was done to somebody: what else that has ended.
fn with_tokens(what: String, tokens: u64) -> String {
    match tokens {
        0 => what,
        1 => format!("{what}; 1 token issued by that one is refused from now on"),
        n => format!("{what}; {n} tokens issued by that one are refused from now on"),
    }
}

/// Change a user
///
/// What is left out stays. With a new password, and when the user may no longer sign in, every
/// session of the user ends. When the user may no longer sign in, every token that the user has issued
/// is refused from then on; with a lesser role those that only a greater one may issue.
#[utoipa::path(
    put, path = "/users/{id}", tag = "people",
    params(("id" = String, Path, description = "The user, by id.")),
    request_body = ChangeUser,
    responses(
        (status = 200, description = "What was done.", body = Done),
        NotFound,
        Conflict,
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
    let user = find_user(&gateway, &id).await?;
    let mut said = Vec::new();
    // Whoever issues no tokens any more has none out there; an operator those of operators.
    let tokens = match (wanted.disabled, wanted.role) {
        (Some(true), _) | (_, Some(Role::Viewer)) => TokensGo::All,
        (_, Some(Role::Operator)) => TokensGo::OfAdministrators,
        (_, Some(Role::Admin) | None) => TokensGo::Stay,
    };
    if let Some(role) = wanted.role {
        said.push(format!("is {role}"));
    }
    if let Some(disabled) = wanted.disabled {
        said.push(
            if disabled {
                "may not sign in"
            } else {
                "may sign in"
            }
            .to_owned(),
        );
    }
    let password_hash = match wanted.password {
        Some(password) => {
            said.push("has a new password".to_owned());
            Some(hashed(&gateway, password).await?)
        }
        None => None,
    };
    if said.is_empty() {
        return Ok(done(format!("User {} stays as it was.", user.name)));
    }
    let change = UserChange {
        role: wanted.role.map(|role| role.as_str().to_owned()),
        password_hash,
        disabled: wanted.disabled,
    };
    let (trust, principal) = (&gateway.trust, format!("user:{}", user.name));
    let ending = trust.ending(&principal, &admin.name);
    let changed = trust
        .store
        .change_user(&id, &change, &ending, tokens)
        .await?;
    let Ended { tokens, .. } = changed.ok_or(ApiError::NotFound("user", id))?;
    let removed = refresh(&gateway).await?;
    let by = &admin.name;
    tracing::info!(by, user = user.name, changes = ?said, tokens, removed, "a user was changed");
    let what = format!("User {} {}", user.name, said.join(" and "));
    Ok(done_removing(&with_tokens(what, tokens), removed))
}

/// Remove a user
///
/// Every session of the user ends, and every token that the user has issued is refused from then on.
#[utoipa::path(
    delete, path = "/users/{id}", tag = "people",
    params(("id" = String, Path, description = "The user, by id.")),
    responses(
        (status = 200, description = "What was done.", body = Done),
        NotFound,
        Conflict,
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn remove_user(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    let user = find_user(&gateway, &id).await?;
    let (trust, principal) = (&gateway.trust, format!("user:{}", user.name));
    let ending = trust.ending(&principal, &admin.name);
    let gone = trust.store.remove_user(&id, &ending).await?;
    let Ended { tokens, .. } = gone.ok_or(ApiError::NotFound("user", id))?;
    let removed = refresh(&gateway).await?;
    let by = &admin.name;
    tracing::info!(by, user = user.name, tokens, removed, "a user was removed");
    let what = format!("Removed user {}", user.name);
    Ok(done_removing(&with_tokens(what, tokens), removed))
}

/// Open sessions
///
/// An administrator sees every session, others their own.
#[utoipa::path(
    get, path = "/sessions", tag = "people",
    params(SessionParams),
    responses(
        (status = 200, description = "Sessions, the latest first.", body = Part<SessionEntry>),
        Stored,
    ),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn sessions(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<SessionParams>, QueryRejection>,
) -> Result<Json<Part<SessionEntry>>, ApiError> {
    let Query(params) = params?;
    let limit = limit(params.limit);
    let user_id = match (viewer.role, &viewer.user) {
        (Role::Admin, _) => String::new(),
        (_, Some(id)) => id.clone(),
        // A program has no sessions.
        (_, None) => {
            return Ok(Json(part(Vec::new(), limit, |_: &SessionEntry| {
                String::new()
            })));
        }
    };
    let query = SessionQuery {
        user_id,
        principal: params.principal,
        search: params.search.trim().to_owned(),
        after: params.after,
        limit: limit as i64 + 1,
    };
    let open = gateway.trust.store.sessions(&query, now_ms()).await?;
    let entry = |ListedSession { session, principal }| SessionEntry {
        own: viewer.session.as_ref() == Some(&session.id),
        id: session.id,
        principal,
        created_at: unsigned(session.created_at),
        expires_at: unsigned(session.expires_at),
        address: session.address,
        agent: session.agent,
    };
    let items = open.into_iter().map(entry).collect();
    Ok(Json(part(items, limit, |item: &SessionEntry| {
        item.id.clone()
    })))
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
    let (store, directory) = (&gateway.trust.store, &gateway.trust.directory);
    let ended = match (viewer.role, &viewer.user) {
        (Role::Admin, _) if directory.end_locally(&id) => {
            sweep(&gateway);
            true
        }
        (Role::Admin, _) => store.end_session(&id).await?,
        (_, Some(user)) => store.end_session_of(user, &id).await?,
        (_, None) => false,
    };
    if !ended {
        return Err(ApiError::NotFound("session", id));
    }
    refresh(&gateway).await?;
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
    params(KeyParams),
    responses(
        (status = 200, description = "API keys, the latest first.", body = Part<ApiKeyInfo>),
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn api_keys(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<KeyParams>, QueryRejection>,
) -> Result<Json<Part<ApiKeyInfo>>, ApiError> {
    let Query(params) = params?;
    let limit = limit(params.limit);
    let query = ApiKeyQuery {
        name: params.name,
        after: params.after,
        limit: limit as i64 + 1,
    };
    let keys = gateway.trust.store.api_keys(&query).await?;
    let items = keys.into_iter().map(key_info).collect();
    Ok(Json(part(items, limit, |key: &ApiKeyInfo| key.id.clone())))
}

/// Make an API key
///
/// The answer is the only place where the key is ever shown. A name is free again when the key that had
/// it is revoked.
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
///
/// Every token that it has issued is refused from then on, too.
#[utoipa::path(
    delete, path = "/api-keys/{id}", tag = "people",
    params(("id" = String, Path, description = "The API key, as the list names it.")),
    responses(
        (status = 200, description = "What was done.", body = Done),
        NotFound,
        Conflict,
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn revoke_api_key(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    let trust = &gateway.trust;
    let Some(key) = trust.store.api_key(&id).await? else {
        return Err(ApiError::NotFound("API key", id));
    };
    let principal = format!("key:{}", key.name);
    let ending = trust.ending(&principal, &admin.name);
    let revoked = trust.store.revoke_api_key(&key, &ending).await?;
    let tokens = revoked.ok_or(ApiError::NotFound("API key", id))?;
    let removed = refresh(&gateway).await?;
    let by = &admin.name;
    tracing::info!(
        by,
        key = key.name,
        tokens,
        removed,
        "an API key was revoked"
    );
    let what = format!("API key {} is refused from now on", key.name);
    Ok(done_removing(&with_tokens(what, tokens), removed))
}
