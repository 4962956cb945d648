//! Requests that plugins answer: `/plugins/<name>/<path>`.
//!
//! The method, the path, the query, the body and who asks go to the plugin; cookies, tokens and
//! other headers do not. Its answer is JSON, or an error in the form of all errors here.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, Request as HttpRequest, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::value::RawValue;
use tidegate_auth::Principal;
use tidegate_protocol::plugin::{PluginInfo, Request, detail_of, is_plugin_name};

use super::ApiError;
use super::admin::{Operator, Viewer};
use super::done::Said;
use super::openapi::Asked;
use super::path::Path;
use super::publish::is_json;
use crate::gateway::Gateway;

/// Names in a query that hold secrets elsewhere; they are not passed on.
const SECRET_NAMES: [&str; 5] = ["token", "usertoken", "access_token", "apikey", "api_key"];

/// List plugins that have said that they are there
#[utoipa::path(
    get, path = "/plugins", tag = "plugins",
    responses((status = 200, description = "Plugins.", body = Vec<PluginInfo>)),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn list(_: Viewer, State(gateway): State<Arc<Gateway>>) -> Json<Vec<PluginInfo>> {
    Json(gateway.plugins.list(gateway.hub.now_ms()))
}

/// Ask a plugin
///
/// What it answers is its own.
#[utoipa::path(
    get, path = "/plugins/{name}/{*path}", tag = "plugins",
    params(
        ("name" = String, Path, description = "The plugin."),
        ("path" = String, Path, description = "What it is asked for."),
    ),
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn look(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    Path((name, path)): Path<(String, String)>,
    request: HttpRequest,
) -> Result<Response, ApiError> {
    forward(&gateway, &viewer, &name, &path, request).await
}

/// Have a plugin do something
///
/// What it does and answers is its own. The body is JSON or text.
#[utoipa::path(
    method(post, put, delete), path = "/plugins/{name}/{*path}", tag = "plugins",
    params(
        ("name" = String, Path, description = "The plugin."),
        ("path" = String, Path, description = "What it is asked for."),
    ),
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn steer(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    Path((name, path)): Path<(String, String)>,
    request: HttpRequest,
) -> Result<Response, ApiError> {
    forward(&gateway, &operator, &name, &path, request).await
}

/// Asks the plugin and turns its reply into the response.
pub(super) async fn forward(
    gateway: &Gateway,
    asker: &Principal,
    name: &str,
    path: &str,
    request: HttpRequest,
) -> Result<Response, ApiError> {
    if !is_plugin_name(name) {
        return Err(ApiError::NotFound("plugin", name.to_owned()));
    }
    let (parts, body) = request.into_parts();
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)?.0;
    let is_secret = |name: &str| {
        SECRET_NAMES
            .iter()
            .any(|secret| name.eq_ignore_ascii_case(secret))
    };
    let limit = gateway.plugins.limits.bytes;
    let body = axum::body::to_bytes(body, limit)
        .await
        .map_err(|_| ApiError::TooLarge(limit))?;
    let (mut json, mut text) = (None, None);
    if is_json(&parts.headers) {
        let raw: Box<RawValue> = serde_json::from_slice(&body).map_err(ApiError::Body)?;
        json = Some(raw);
    } else if !body.is_empty() {
        let plain = std::str::from_utf8(&body).map_err(|_| ApiError::NotText)?;
        text = Some(plain.to_owned());
    }
    let request = Request {
        id: String::new(),
        method: parts.method.to_string(),
        path: path.trim_matches('/').to_owned(),
        query: query
            .into_iter()
            .filter(|(name, _)| !is_secret(name))
            .collect(),
        body: json,
        text,
        principal: asker.name.clone(),
        role: asker.role,
    };
    let reply = gateway.plugins.ask(&*gateway.bus, name, request).await?;
    if reply.status >= 400 {
        let detail = detail_of(reply.body.as_deref())
            .unwrap_or_else(|| format!("the plugin {name:?} does not do this"));
        return Err(ApiError::PluginSaid(reply.status, detail));
    }
    let status = StatusCode::from_u16(reply.status).map_err(|_| ApiError::Fault)?;
    let mut response = status.into_response();
    if let Some(body) = reply.body.filter(|_| status != StatusCode::NO_CONTENT) {
        *response.body_mut() = Body::from(String::from(Box::<str>::from(body)));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    let said = format!("The plugin {name} answered {status}.");
    response.extensions_mut().insert(Said(said));
    Ok(response)
}
