//! The calls of these screens.

use tidegate_protocol::admin::Done;
use tidegate_protocol::system::Configuration;
use tidegate_protocol::trust::{
    ChangePassword, ChangeUser, Introspect, Introspection, IssueToken, IssuedToken, IssuerInfo,
    KeyInfo, MadeApiKey, NewApiKey, NewUser, Part, PrincipalInfo, Revoke, RotateKey, UserInfo,
};

use crate::http::{ApiError, delete, get, segment, send};

pub(super) const USERS: &str = "/api/v1/auth/users";
pub(super) const SESSIONS: &str = "/api/v1/auth/sessions";
pub(super) const API_KEYS: &str = "/api/v1/auth/api-keys";
pub(super) const TOKENS: &str = "/api/v1/auth/tokens";
pub(super) const ACTIVITY: &str = "/api/v1/activity";
pub(super) const EXPORT: &str = "/api/v1/activity/export";
pub(super) const BACKUP: &str = "/api/v1/system/backup";
const KEYS: &str = "/api/v1/auth/keys";

fn one(list: &str, id: &str) -> String {
    format!("{list}/{}", segment(id))
}

pub(super) async fn add_user(user: NewUser) -> Result<UserInfo, ApiError> {
    send("POST", USERS, &user).await
}

pub(super) async fn change_user(id: String, change: ChangeUser) -> Result<Done, ApiError> {
    send("PUT", &one(USERS, &id), &change).await
}

pub(super) async fn remove_user(id: String) -> Result<Done, ApiError> {
    delete(&one(USERS, &id)).await
}

pub(super) async fn change_password(change: ChangePassword) -> Result<Done, ApiError> {
    send("PUT", "/api/v1/session/password", &change).await
}

pub(super) async fn end_session(id: String) -> Result<Done, ApiError> {
    delete(&one(SESSIONS, &id)).await
}

pub(super) async fn add_api_key(key: NewApiKey) -> Result<MadeApiKey, ApiError> {
    send("POST", API_KEYS, &key).await
}

pub(super) async fn revoke_api_key(id: String) -> Result<Done, ApiError> {
    delete(&one(API_KEYS, &id)).await
}

pub(super) async fn keys() -> Result<Vec<KeyInfo>, ApiError> {
    get(KEYS).await
}

pub(super) async fn issuers() -> Result<Vec<IssuerInfo>, ApiError> {
    get("/api/v1/auth/issuers").await
}

pub(super) async fn rotate(immediate: bool) -> Result<Done, ApiError> {
    let body = RotateKey { immediate };
    send("POST", "/api/v1/auth/keys/rotate", &body).await
}

pub(super) async fn revoke_key(kid: String) -> Result<Done, ApiError> {
    delete(&one(KEYS, &kid)).await
}

pub(super) async fn issue(token: IssueToken) -> Result<IssuedToken, ApiError> {
    send("POST", "/api/v1/auth/token", &token).await
}

pub(super) async fn introspect(token: String) -> Result<Introspection, ApiError> {
    let wanted = Introspect {
        token,
        ..Introspect::default()
    };
    send("POST", "/api/v1/auth/introspect", &wanted).await
}

pub(super) async fn revoke(what: Revoke) -> Result<Done, ApiError> {
    send("POST", "/api/v1/auth/revoke", &what).await
}

pub(super) async fn configuration() -> Result<Configuration, ApiError> {
    get("/api/v1/system/configuration").await
}

/// The latest of them.
pub(super) async fn principals() -> Result<Part<PrincipalInfo>, ApiError> {
    get("/api/v1/activity/principals?limit=200").await
}
