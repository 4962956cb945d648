//! Every HTTP route of the gateway.

mod activity;
mod admin;
mod channels;
mod connections;
mod definitions;
mod done;
mod exposition;
mod health;
mod host;
mod keys;
mod members;
mod metrics;
mod openapi;
mod overview;
mod own_password;
mod parts;
mod path;
mod people;
mod plugins;
mod problem;
mod publish;
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
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use admin::session;
pub(crate) use problem::ApiError;
pub(crate) use session::password_login;

use crate::gateway::Gateway;
use crate::pages;
use crate::socket::{longpoll, upgrade};

/// The largest body of a request.
pub(crate) const MAX_BODY_BYTES: usize = 2 << 20;

/// All routes: the socket, the API, the pages and their assets.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let guarded = |api: OpenApiRouter<Arc<Gateway>>| {
        let (api, document) = api.split_for_parts();
        let api = api
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
        let mut guarded = OpenApiRouter::from(api);
        *guarded.get_openapi_mut() = document;
        guarded
    };
    let pages = pages::router(gateway.clone())
        .route("/login", get(session::follow_link))
        .layer(CompressionLayer::new());
    Router::from(routes(guarded))
        .with_state(gateway.clone())
        .merge(pages.with_state(gateway.clone()))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(
            gateway,
            crate::body::in_time,
        ))
        .layer(axum::middleware::from_fn(security_headers))
}

/// Every route that the document describes, and its description; `guarded` is what stands around
/// those of `/api/v1`.
fn routes(
    guarded: impl FnOnce(OpenApiRouter<Arc<Gateway>>) -> OpenApiRouter<Arc<Gateway>>,
) -> OpenApiRouter<Arc<Gateway>> {
    let api = OpenApiRouter::default()
        .routes(routes!(openapi::show))
        .routes(routes!(session::show, session::sign_in, session::sign_out))
        .routes(routes!(own_password::change))
        .routes(routes!(overview::show))
        .routes(routes!(system::show))
        .routes(routes!(system::configuration))
        .routes(routes!(channels::list))
        .routes(routes!(channels::show, channels::close))
        .routes(routes!(channels::members))
        .routes(routes!(channels::remove_member))
        .routes(routes!(channels::send))
        .routes(routes!(members::list))
        .routes(routes!(members::presence))
        .routes(routes!(publish::publish))
        .routes(routes!(definitions::list, definitions::put))
        .routes(routes!(definitions::remove))
        .routes(routes!(connections::list))
        .routes(routes!(connections::close))
        .merge(by_plugins())
        .nest("/auth", auth())
        .routes(routes!(activity::list))
        .routes(routes!(activity::export))
        .routes(routes!(activity::principals));
    OpenApiRouter::with_openapi(openapi::about())
        .nest("/api/v1", guarded(api))
        .routes(routes!(token::issue))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::show))
        .routes(routes!(upgrade::upgrade))
        .merge(
            OpenApiRouter::default()
                .routes(routes!(
                    longpoll::poll,
                    longpoll::publish,
                    longpoll::options
                ))
                .layer(DefaultBodyLimit::max(longpoll::MAX_BODY_BYTES)),
        )
}

/// What plugins answer.
fn by_plugins() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default()
        .routes(routes!(plugins::list))
        .routes(routes!(plugins::look, plugins::steer))
        .routes(routes!(host::network))
        .routes(routes!(host::network_part))
        .routes(routes!(host::bluetooth))
        .routes(routes!(host::utils))
        .routes(routes!(host::util, host::work))
        .routes(routes!(host::services))
        .routes(routes!(host::service, host::steer_service))
}

/// Who may do what: tokens, keys, users, sessions, API keys.
fn auth() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::default()
        .routes(routes!(tokens::issue))
        .routes(routes!(tokens::list))
        .routes(routes!(tokens::revoke_one))
        .routes(routes!(tokens::introspect))
        .routes(routes!(tokens::revoke))
        .routes(routes!(keys::list))
        .routes(routes!(keys::issuers))
        .routes(routes!(keys::rotate))
        .routes(routes!(keys::revoke))
        .routes(routes!(people::users, people::add_user))
        .routes(routes!(people::change_user, people::remove_user))
        .routes(routes!(people::sessions))
        .routes(routes!(people::end_session))
        .routes(routes!(people::api_keys, people::add_api_key))
        .routes(routes!(people::revoke_api_key))
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
