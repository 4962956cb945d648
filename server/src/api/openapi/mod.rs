//! `GET /api/v1/openapi.json`: the HTTP API as an OpenAPI 3.1 document.
//!
//! Routes are registered and described in one breath (`routes!`, beside each handler what it asks
//! and answers), so that neither can be without the other. What follows from that is not written
//! by hand at every handler but added here: the errors of a body, of parameters and of a missing
//! sign-in, the header that a browser's changes need, a name for every operation.

mod about;
mod derived;
mod refusals;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

pub(in crate::api) use about::about;
pub(in crate::api) use refusals::{
    Asked, BusDown, Conflict, NotFound, NotFromHere, Slowed, Stored, TokenRefused, Unprocessable,
    WrongPassword,
};

/// What is served, and what errors about methods look into. Built once, when first asked for.
static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(|| {
    let mut document = super::routes(|routes, _| routes).into_openapi();
    derived::add(&mut document);
    document
});

/// The document that describes every route of this server.
pub(in crate::api) fn document() -> &'static OpenApi {
    &DOCUMENT
}

/// This document
///
/// OpenAPI 3.1; the page `/docs/api` shows it.
#[utoipa::path(
    get, path = "/openapi.json", tag = "gateway", security(()),
    responses((status = 200, description = "The document.", body = serde_json::Value)),
)]
pub(in crate::api) async fn show() -> impl IntoResponse {
    static JSON: LazyLock<Bytes> = LazyLock::new(|| {
        // A document of strings and maps: there is nothing in it that JSON cannot say.
        serde_json::to_vec(document())
            .map(Bytes::from)
            .unwrap_or_default()
    });
    ([(header::CONTENT_TYPE, "application/json")], JSON.clone())
}

/// The methods of a path and what they do.
fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("get", &item.get),
        ("post", &item.post),
        ("put", &item.put),
        ("patch", &item.patch),
        ("delete", &item.delete),
        ("options", &item.options),
        ("head", &item.head),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// What the header `allow` says of a path, as it was registered (RFC 9110, section 10.2.1).
pub(in crate::api) fn allowed(path: &str) -> String {
    let Some(item) = document().paths.paths.get(&derived::plain(path)) else {
        return String::new();
    };
    let mut methods: Vec<_> = operations(item)
        .map(|(method, _)| method.to_ascii_uppercase())
        .collect();
    // What answers GET answers HEAD.
    if item.get.is_some() {
        methods.insert(1, "HEAD".to_owned());
    }
    methods.join(", ")
}
