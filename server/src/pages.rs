//! The web interface: rendered here first, then taken over by WASM in the browser.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};
use tidegate_app::{App, Bundle, FirstPaint, shell};

use crate::api::{password_login, session};
use crate::assets;
use crate::gateway::Gateway;

#[derive(Clone)]
struct PageState {
    gateway: Arc<Gateway>,
    options: LeptosOptions,
    bundle: Bundle,
}

impl axum::extract::FromRef<PageState> for LeptosOptions {
    fn from_ref(state: &PageState) -> Self {
        state.options.clone()
    }
}

/// The pages, and every embedded file as the fallback.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router<Arc<Gateway>> {
    let options = LeptosOptions::builder().output_name("tidegate").build();
    let state = PageState {
        gateway: gateway.clone(),
        options: options.clone(),
        bundle: bundle(),
    };
    let folder = gateway.config.static_path.clone();
    let routes = generate_route_list(App);
    let app = {
        let bundle = state.bundle.clone();
        move || shell(options.clone(), &bundle)
    };
    Router::new()
        .leptos_routes_with_context(&state, routes, move || provide_first_paint(&gateway), app)
        .route(
            "/admin.html",
            get(|| async { Redirect::permanent("/admin") }),
        )
        .fallback(file_or_not_found)
        .with_state(state)
        .layer(axum::middleware::from_fn_with_state(folder, folder_first))
}

/// Where the browser finds the parts of the interface.
fn bundle() -> Bundle {
    Bundle {
        style: assets::address("pkg/tidegate.css"),
        script: assets::address("pkg/tidegate.js"),
        program: assets::address("pkg/tidegate.wasm"),
        start: assets::address("start.js"),
        theme: assets::address("theme.js"),
    }
}

/// What the operator's folder has goes before everything that the binary has.
async fn folder_first(
    State(folder): State<Option<PathBuf>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    if let Some(folder) = folder
        && request.method() == Method::GET
        && let Some(file) = assets::from_folder(&folder, request.uri().path()).await
    {
        return file;
    }
    next.run(request).await
}

/// What the server knows when it renders. The request's headers are in leptos's context.
fn provide_first_paint(gateway: &Gateway) {
    let headers = use_context::<axum::http::request::Parts>()
        .map(|parts| parts.headers)
        .unwrap_or_default();
    provide_page(gateway, &headers);
}

/// The first paint, and a Content-Security-Policy that lets the page load from here alone and
/// run no script but its own. MapLibre starts its worker from a blob; inline styles stay allowed
/// because charts and virtual lists place things with them.
fn provide_page(gateway: &Gateway, headers: &HeaderMap) {
    provide_context(first_paint(gateway, headers));
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; worker-src 'self' blob:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

fn first_paint(gateway: &Gateway, headers: &HeaderMap) -> FirstPaint {
    let session = session(gateway, headers);
    FirstPaint {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: gateway.config.node.clone(),
        bus_up: gateway.bus.status().borrow().up,
        connections: gateway.hub.connection_count() as u64,
        members: gateway.hub.member_count() as u64,
        admin: session.is_some(),
        role: session.as_ref().map(|(principal, _)| principal.role),
        principal: session.map(|(principal, _)| principal.name),
        password_login: password_login(gateway),
    }
}

async fn file_or_not_found(
    State(state): State<PageState>,
    headers: HeaderMap,
    request: Request<Body>,
) -> Response {
    // `CONNECT host:port` has no path, and leptos takes for granted that there is one.
    if request.uri().path_and_query().is_none() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if let Some(file) = assets::embedded(request.uri().path(), request.uri().query(), &headers) {
        return file;
    }
    let gateway = state.gateway.clone();
    let render = leptos_axum::render_app_to_stream_with_context(
        move || provide_page(&gateway, &headers),
        move || shell(state.options.clone(), &state.bundle),
    );
    let mut response = render(request).await.into_response();
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
