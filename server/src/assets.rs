//! Files for the browser: embedded in the binary, or from `--static-path`.

use std::path::{Component, Path};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What cargo-leptos built. A debug build reads the folder at run time.
#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Embedded;

/// Whether the interface was built before this binary was.
pub(crate) fn are_there() -> bool {
    Embedded::get("pkg/tidegate.wasm").is_some()
}

/// The address of an embedded file that names its content, so that a browser may keep what it
/// gets there for good: another content has another address.
pub(crate) fn address(path: &str) -> String {
    match Embedded::get(path) {
        Some(file) => format!("/{path}?v={}", version(&file)),
        None => format!("/{path}"),
    }
}

/// The embedded file at this path of the site, if there is one, in the smallest form the browser
/// takes. `query` is the address's: with the version in it the answer may be kept for good.
pub(crate) fn embedded(path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Response> {
    let path = plain(path)?;
    let file = Embedded::get(path)?;
    let kind = file.metadata.mimetype().to_owned();
    let version = version(&file);
    let keep = query.and_then(|query| query.strip_prefix("v=")) == Some(version.as_str());
    let packed = Encoding::ALL
        .into_iter()
        .filter(|encoding| encoding.accepted(headers))
        .find_map(|encoding| Some((encoding, packed(path, encoding, &file)?)));

    let etag = match &packed {
        Some((encoding, _)) => format!("\"{version}-{}\"", encoding.name()),
        None => format!("\"{version}\""),
    };
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let data = packed.as_ref().map_or(file.data, |(_, it)| it.data.clone());
        with_headers(Body::from(data), &kind)
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if keep { FOR_GOOD } else { ASK_FIRST }),
    );
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    if let (false, Some((encoding, _))) = (known, &packed) {
        headers.insert(
            header::CONTENT_ENCODING,
            HeaderValue::from_static(encoding.name()),
        );
    }
    Some(response)
}

const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const ASK_FIRST: &str = "no-cache";

/// How a file was compressed when the site was built. Browsers offer Brotli on trustworthy
/// addresses only, so plain HTTP in a local network gets gzip.
#[derive(Clone, Copy)]
enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// The smaller first.
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// As RFC 9110 registers it.
    const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gz",
        }
    }

    /// Whether `Accept-Encoding` names it with a quality above zero (RFC 9110, section 12.5.3).
    fn accepted(self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|offer| {
                let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
                let zero = weight
                    .trim()
                    .strip_prefix("q=")
                    .and_then(|q| q.trim().parse::<f32>().ok())
                    .is_some_and(|q| q <= 0.0);
                name.trim().eq_ignore_ascii_case(self.name()) && !zero
            })
    }
}

/// The compressed form beside the file, unless the file was built anew since.
fn packed(path: &str, encoding: Encoding, of: &EmbeddedFile) -> Option<EmbeddedFile> {
    let it = Embedded::get(&format!("{path}.{}", encoding.ending()))?;
    (it.metadata.last_modified() >= of.metadata.last_modified()).then_some(it)
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
    let mut response = with_headers(Body::from(data), kind);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(ASK_FIRST));
    Some(response)
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

fn with_headers(body: Body, kind: &str) -> Response {
    let mut response = Response::new(body);
    if let Ok(kind) = HeaderValue::from_str(kind) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// Half of the SHA-256 of the content, in hexadecimal.
fn version(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))])
    }

    #[test]
    fn an_encoding_counts_as_accepted_by_name_and_weight() {
        assert!(Encoding::Brotli.accepted(&offers("gzip, deflate, br, zstd")));
        assert!(Encoding::Brotli.accepted(&offers("BR;q=0.5")));
        assert!(!Encoding::Brotli.accepted(&offers("gzip, br;q=0")));
        assert!(!Encoding::Brotli.accepted(&offers("brotli")));
        assert!(Encoding::Gzip.accepted(&offers("br;q=0, gzip;q=1.0")));
        assert!(!Encoding::Gzip.accepted(&HeaderMap::new()));
    }

    #[test]
    fn only_plain_paths_lead_to_a_file() {
        assert_eq!(plain("/pkg/tidegate.js"), Some("pkg/tidegate.js"));
        assert_eq!(plain("/../Cargo.toml"), None);
        assert_eq!(plain("/"), None);
    }
}
