//! Requests to the gateway's HTTP API. Errors come as sentences that a page can show.
//!
//! The server renders pages without asking itself over HTTP, so there every request fails at
//! once; pages make requests in effects, which only the browser runs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What goes through a path unescaped: the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// One part of a path: `room:1/x` becomes `room%3A1%2Fx`.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// What [`segment`] made, as it was.
pub fn unsegment(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// No answer: the gateway or the network is away.
    Unreachable,
    /// 401: there is no session, or it has ended.
    SignedOut(String),
    /// Any other refusal, with the gateway's sentence.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What happened and what to do.
        detail: String,
    },
    /// An answer that is none: another version of the gateway, or a proxy between.
    Unexpected(String),
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ApiError::Unreachable => {
                f.write_str("The gateway cannot be reached. Check that it runs, then try again.")
            }
            ApiError::SignedOut(detail) | ApiError::Refused { detail, .. } => f.write_str(detail),
            ApiError::Unexpected(what) => write!(
                f,
                "The gateway gave an answer that this page does not understand ({what}). Reload the page."
            ),
        }
    }
}

/// Asks for something.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    request::<(), T>("GET", path, None).await
}

/// Sends something: `POST`, `PUT`.
pub async fn send<B: Serialize, T: DeserializeOwned>(
    method: &'static str,
    path: &str,
    body: &B,
) -> Result<T, ApiError> {
    request(method, path, Some(body)).await
}

/// Removes something.
pub async fn delete<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    request::<(), T>("DELETE", path, None).await
}

#[cfg(feature = "hydrate")]
async fn request<B: Serialize, T: DeserializeOwned>(
    method: &'static str,
    path: &str,
    body: Option<&B>,
) -> Result<T, ApiError> {
    use gloo_net::http::{Method, RequestBuilder};

    let unexpected = |error: &dyn std::fmt::Display| ApiError::Unexpected(error.to_string());
    let method = method
        .parse::<Method>()
        .map_err(|error| unexpected(&error))?;
    let builder = RequestBuilder::new(path)
        .method(method)
        // No other site can send this header, which is what closes cross-site requests out.
        .header("x-tidegate-request", "1")
        .header("accept", "application/json");
    let request = match body {
        Some(body) => builder.json(body),
        None => builder.build(),
    };
    let request = request.map_err(|error| unexpected(&error))?;
    let response = request.send().await.map_err(|_| ApiError::Unreachable)?;
    let status = response.status();
    let text = response.text().await.map_err(|_| ApiError::Unreachable)?;
    if (200..300).contains(&status) {
        serde_json::from_str(&text).map_err(|error| unexpected(&error))
    } else {
        Err(refusal(status, &text))
    }
}

#[cfg(not(feature = "hydrate"))]
async fn request<B: Serialize, T: DeserializeOwned>(
    _method: &'static str,
    _path: &str,
    _body: Option<&B>,
) -> Result<T, ApiError> {
    Err(ApiError::Unreachable)
}

#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
fn refusal(status: u16, body: &str) -> ApiError {
    let detail = serde_json::from_str::<tidegate_protocol::admin::Problem>(body)
        .map(|problem| problem.detail)
        .unwrap_or_else(|_| match body.trim() {
            "" => format!("The gateway answered with HTTP {status} and no words."),
            // A proxy's page is no sentence.
            text if text.len() > 300 || text.starts_with('<') => {
                format!("The gateway answered with HTTP {status}.")
            }
            text => text.to_owned(),
        });
    if status == 401 {
        ApiError::SignedOut(detail)
    } else {
        ApiError::Refused { status, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_survives_the_way_through_a_path() {
        assert_eq!(segment("room:1/x *?"), "room%3A1%2Fx%20%2A%3F");
        for topic in ["room:1", "a/b", "50%", "smörgås", "?x=1#y"] {
            assert_eq!(unsegment(&segment(topic)), topic);
        }
    }

    #[test]
    fn a_refusal_has_the_gateways_sentence() {
        let problem = r#"{"title":"not found","status":404,"detail":"There is no such channel."}"#;
        let error = refusal(404, problem);
        assert_eq!(error.to_string(), "There is no such channel.");
        assert!(matches!(error, ApiError::Refused { status: 404, .. }));
        assert!(matches!(refusal(401, problem), ApiError::SignedOut(_)));
        assert!(
            refusal(502, "<html>bad gateway</html>")
                .to_string()
                .contains("502")
        );
    }
}
