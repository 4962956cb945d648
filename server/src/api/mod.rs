//! Every HTTP route of the gateway.

mod activity;
mod admin;
mod backup;
mod body;
mod channels;
mod connections;
mod definitions;
mod done;
mod exposition;
mod health;
mod host;
mod keys;
mod limits;
mod masked;
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
mod signed;
mod system;
mod token;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use admin::session;
pub(crate) use backup::MAX_COPIES;
pub(crate) use problem::ApiError;
pub(crate) use session::password_login;
pub(crate) use signed::Refusals;

use crate::body::InTime;
use crate::gateway::Gateway;
use crate::pages;
use crate::socket::{longpoll, upgrade};

/// The largest body of a request.
pub(crate) const MAX_BODY_BYTES: usize = 2 << 20;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// All routes: the socket, the API, the pages and their assets.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let guarded = |routes: Routes, what: Guarded| match what {
        Guarded::Api => guard_api(&gateway, routes),
        Guarded::Token => guard_token(&gateway, routes),
        Guarded::Metrics => recorded(&gateway, routes),
        Guarded::LongPoll => routes
            .layer(from_fn_with_state(gateway.clone(), limits::by_address))
            .layer(from_fn(longpoll::may_be_refused)),
    };
    let pages = pages::router(gateway.clone())
        .merge(
            Router::new()
                .route("/login", get(session::follow_link))
                .layer(from_fn_with_state(gateway.clone(), limits::by_address)),
        )
        .layer(CompressionLayer::new());
    let [nosniff, deny, referrer] =
        SECURITY_HEADERS.map(|(name, value)| SetResponseHeaderLayer::overriding(name, value));
    Router::from(routes(guarded))
        .with_state(gateway.clone())
        .merge(pages.with_state(gateway.clone()))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer((nosniff, deny, referrer, InTime(gateway)))
}

/// Routes that something stands around.
#[derive(Debug, Clone, Copy)]
enum Guarded {
    /// Those of `/api/v1`.
    Api,
    /// `/token`.
    Token,
    /// `/metrics`.
    Metrics,
    /// `/longpoll`.
    LongPoll,
}

type Routes = OpenApiRouter<Arc<Gateway>>;

/// From the inside out (P18): what an address may ask is known before who asks; what that one may
/// ask, and what came of it, is recorded; and no answer takes for ever.
fn guard_api(gateway: &Arc<Gateway>, routes: Routes) -> Routes {
    let (routes, document) = routes.split_for_parts();
    let routes = routes
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn_with_state(gateway.clone(), in_time))
        .layer(from_fn_with_state(gateway.clone(), limits::by_principal))
        .layer(from_fn_with_state(gateway.clone(), activity::record))
        .layer(from_fn_with_state(gateway.clone(), admin::authenticate))
        .layer(from_fn_with_state(gateway.clone(), limits::by_address))
        .layer(from_fn(no_store));
    let routes = match cors(gateway) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    let mut guarded = OpenApiRouter::from(routes);
    *guarded.get_openapi_mut() = document;
    guarded
}

/// Open to everybody; what who has signed in asks is recorded.
fn recorded(gateway: &Arc<Gateway>, routes: Routes) -> Routes {
    routes
        .layer(from_fn_with_state(gateway.clone(), activity::record))
        .layer(from_fn_with_state(gateway.clone(), admin::by_session))
}

fn guard_token(gateway: &Arc<Gateway>, routes: Routes) -> Routes {
    let routes = routes.layer(from_fn_with_state(gateway.clone(), limits::by_principal));
    let routes =
        recorded(gateway, routes).layer(from_fn_with_state(gateway.clone(), limits::by_address));
    match cors(gateway) {
        Some(cors) => routes.layer(cors),
        None => routes,
    }
}

/// Every route that the document describes, and its description; `guarded` puts around some of them
/// what stands there.
fn routes(guarded: impl Fn(Routes, Guarded) -> Routes) -> Routes {
    let api = OpenApiRouter::default()
        .routes(routes!(openapi::show))
        .routes(routes!(session::show, session::sign_in, session::sign_out))
        .routes(routes!(own_password::change))
        .routes(routes!(overview::show))
        .routes(routes!(system::show))
        .routes(routes!(system::configuration))
        .routes(routes!(backup::copy))
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
        .nest("/api/v1", guarded(api, Guarded::Api))
        .merge(guarded(
            OpenApiRouter::default().routes(routes!(token::issue)),
            Guarded::Token,
        ))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .merge(guarded(
            OpenApiRouter::default().routes(routes!(metrics::show)),
            Guarded::Metrics,
        ))
        .routes(routes!(upgrade::upgrade))
        .merge(guarded(
            OpenApiRouter::default()
                .routes(routes!(
                    longpoll::poll,
                    longpoll::publish,
                    longpoll::options
                ))
                .layer(DefaultBodyLimit::max(longpoll::MAX_BODY_BYTES)),
            Guarded::LongPoll,
        ))
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

/// Pages of `--allowed-origins` may use the API with what they hold themselves: a token or a key. A
/// cookie opens nothing to them, since no answer allows credentials and the header that a change
/// needs is not among those that they may send.
fn cors(gateway: &Gateway) -> Option<CorsLayer> {
    let origins = gateway.config.allowed_origins.clone();
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            origins.lists(origin)
        }))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, IDEMPOTENCY_KEY])
        .expose_headers([
            header::RETRY_AFTER,
            limits::RATE_LIMIT,
            limits::RATE_LIMIT_POLICY,
        ])
        .max_age(Duration::from_secs(600));
    let wanted = !gateway.config.allowed_origins.lists_nobody();
    wanted.then_some(layer)
}

/// Whatever a request waits for, a store that has fallen silent above all: nobody waits for ever.
async fn in_time(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let answer = tokio::time::timeout(gateway.config.http.request, next.run(request)).await;
    answer.map_err(|_| ApiError::TooSlow)
}

async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What every answer says to browsers.
pub(crate) const SECURITY_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
];
