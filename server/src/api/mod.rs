//! Every HTTP route of the gateway.

mod activity;
mod admin;
mod channels;
mod connections;
mod definitions;
mod done;
mod exposition;
mod health;
mod keys;
mod metrics;
mod overview;
mod parts;
mod people;
mod problem;
mod session;
mod system;
mod token;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use tower_http::compression::CompressionLayer;

pub(crate) use admin::session;
pub(crate) use problem::ApiError;
pub(crate) use session::password_login;

use crate::gateway::Gateway;
use crate::{pages, socket};

/// The largest body of a request.
const MAX_BODY_BYTES: usize = 2 << 20;

/// All routes: the socket, the API, the pages and their assets.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let api = Router::new()
        .route(
            "/session",
            get(session::show)
                .post(session::sign_in)
                .delete(session::sign_out),
        )
        .route("/overview", get(overview::show))
        .route("/system", get(system::show))
        .route("/system/configuration", get(system::configuration))
        .route("/channels", get(channels::list))
        .route(
            "/channels/{topic}",
            get(channels::show).delete(channels::close),
        )
        .route("/channels/{topic}/members", get(channels::members))
        .route(
            "/channels/{topic}/members/{id}",
            delete(channels::remove_member),
        )
        .route("/channels/{topic}/events", post(channels::send))
        .route(
            "/definitions",
            get(definitions::list).merge(put(definitions::put)),
        )
        .route("/definitions/{pattern}", delete(definitions::remove))
        .route("/connections", get(connections::list))
        .route("/connections/{id}", delete(connections::close))
        .nest("/auth", auth())
        .route("/activity", get(activity::list))
        .route("/activity/export", get(activity::export))
        .route("/activity/principals", get(activity::principals))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        // From the inside out: what was done is recorded once it is known who asks.
        .layer(axum::middleware::from_fn_with_state(
            gateway.clone(),
            activity::record,
        ))
        .layer(axum::middleware::from_fn_with_state(
            gateway.clone(),
            admin::authenticate,
        ))
        .layer(axum::middleware::from_fn(no_store));
    let socket = Router::new()
        .route("/websocket", get(socket::upgrade))
        .route("/token", post(token::issue))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .merge(
            Router::new()
                .route(
                    "/longpoll",
                    get(socket::poll)
                        .post(socket::publish)
                        .options(socket::options),
                )
                .layer(DefaultBodyLimit::max(socket::MAX_BODY_BYTES)),
        );
    let pages = pages::router(gateway.clone())
        .route("/login", get(session::follow_link))
        .layer(CompressionLayer::new());
    Router::new()
        .nest("/api/v1", api)
        .merge(socket)
        .with_state(gateway.clone())
        .merge(pages.with_state(gateway))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(axum::middleware::from_fn(security_headers))
}

/// Who may do what: tokens, keys, users, sessions, API keys.
fn auth() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/token", post(tokens::issue))
        .route("/tokens", get(tokens::list))
        .route("/tokens/{jti}", delete(tokens::revoke_one))
        .route("/introspect", post(tokens::introspect))
        .route("/revoke", post(tokens::revoke))
        .route("/keys", get(keys::list))
        .route("/keys/rotate", post(keys::rotate))
        .route("/keys/{kid}", delete(keys::revoke))
        .route("/users", get(people::users).post(people::add_user))
        .route(
            "/users/{id}",
            put(people::change_user).delete(people::remove_user),
        )
        .route("/sessions", get(people::sessions))
        .route("/sessions/{id}", delete(people::end_session))
        .route("/api-keys", get(people::api_keys).post(people::add_api_key))
        .route("/api-keys/{id}", delete(people::revoke_api_key))
}

async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
    ] {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
