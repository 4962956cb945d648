//! Files for the browser: embedded in the binary, or from `--static-path`.

use std::path::{Component, Path};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// What cargo-leptos built. A debug build reads the folder at run time.
#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Embedded;

/// Whether the interface was built before this binary was.
pub(crate) fn are_there() -> bool {
    Embedded::get("pkg/tidegate.wasm").is_some()
}

/// The embedded file at this path of the site, if there is one.
pub(crate) fn embedded(path: &str, headers: &HeaderMap) -> Option<Response> {
    let path = plain(path)?;
    let file = Embedded::get(path)?;
    let etag = etag(&file.metadata.sha256_hash());
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| *value == etag)
    {
        return Some((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let kind = file.metadata.mimetype().to_owned();
    Some(with_headers(Body::from(file.data), &kind, Some(etag)))
}

/// The path without its first slash, if it has nothing but plain parts.
fn plain(path: &str) -> Option<&str> {
    let path = path.trim_start_matches('/');
    let plain = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (plain && !path.is_empty()).then_some(path)
}

/// The file of the operator's folder at this path; `/` is `index.html`. It goes before the pages
/// and before the embedded files. Symbolic links that lead out of the folder are not followed.
pub(crate) async fn from_folder(folder: &Path, path: &str) -> Option<Response> {
    let path = if path == "/" {
        "index.html"
    } else {
        plain(path)?
    };
    let folder = tokio::fs::canonicalize(folder).await.ok()?;
    let file = tokio::fs::canonicalize(folder.join(path)).await.ok()?;
    if !file.starts_with(&folder) {
        return None;
    }
    let data = tokio::fs::read(&file).await.ok()?;
    let kind = mime_of(path);
    Some(with_headers(Body::from(data), kind, None))
}

fn mime_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json" | "geojson") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn with_headers(body: Body, kind: &str, etag: Option<HeaderValue>) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(etag) = etag {
        headers.insert(header::ETAG, etag);
    }
    response
}

fn etag(hash: &[u8; 32]) -> HeaderValue {
    let hex: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    HeaderValue::from_str(&format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}
