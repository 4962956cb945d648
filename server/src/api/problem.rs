//! Errors of the HTTP API: typed, and said in a sentence (RFC 9457).

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tidegate_auth::{AdminError, TokenError};
use tidegate_protocol::admin::Problem;
use tidegate_protocol::{DefinitionError, NameError};

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("sign in first: this needs the admin credential")]
    SignInNeeded,
    #[error("the header x-tidegate-request is missing: a page of another site may not do this")]
    NotFromHere,
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(
        "this gateway listens beyond its own machine, so tokens are issued to administrators only; start it with --open-tokens to let everybody ask"
    )]
    TokensClosed,
    #[error(
        "the metrics are for administrators, and for who shows the token of --metrics-token as Authorization: Bearer"
    )]
    MetricsClosed,
    #[error("{0:?} cannot be {1}: {2}")]
    Name(String, &'static str, NameError),
    #[error("the id must not be longer than 255 bytes")]
    IdTooLong,
    #[error("there is no {0} {1:?} (any more)")]
    NotFound(&'static str, String),
    #[error("{0:?} belongs to the gateway; choose another topic or event")]
    Reserved(String),
    #[error("the bus is down ({0}); try again when it is back")]
    BusDown(String),
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    #[error("{0}")]
    Json(#[from] JsonRejection),
    #[error("{0}")]
    Query(#[from] QueryRejection),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("there is no such address in the API")]
    NoSuchRoute,
    #[error("this address does not know this method")]
    NoSuchMethod,
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            ApiError::SignInNeeded
            | ApiError::MetricsClosed
            | ApiError::Admin(AdminError::WrongPassword) => StatusCode::UNAUTHORIZED,
            ApiError::NotFromHere
            | ApiError::TokensClosed
            | ApiError::Admin(AdminError::NoPassword | AdminError::BadLink) => {
                StatusCode::FORBIDDEN
            }
            ApiError::Admin(AdminError::TooManyTries(_)) => StatusCode::TOO_MANY_REQUESTS,
            ApiError::Name(..)
            | ApiError::IdTooLong
            | ApiError::Reserved(_)
            | ApiError::Definition(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::NotFound(..) | ApiError::NoSuchRoute => StatusCode::NOT_FOUND,
            ApiError::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::BusDown(_) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::Json(rejection) => rejection.status(),
            ApiError::Query(rejection) => rejection.status(),
            ApiError::Token(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = Problem {
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: sentence(&self.to_string()),
        };
        let mut response = (status, Json(problem)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if matches!(self, ApiError::MetricsClosed) {
            let bearer = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, bearer);
        }
        if let ApiError::Admin(AdminError::TooManyTries(seconds)) = self {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let mut out: String = chars
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    out.push_str(chars.as_str());
    if !out.ends_with('.') {
        out.push('.');
    }
    out
}

pub(super) async fn no_such_route() -> ApiError {
    ApiError::NoSuchRoute
}

pub(super) async fn no_such_method() -> ApiError {
    ApiError::NoSuchMethod
}
