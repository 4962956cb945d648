//! Errors of the HTTP API: typed, and said in a sentence (RFC 9457).

use axum::Json;
use axum::extract::MatchedPath;
use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tidegate_auth::{AdminError, PasswordError, SignatureError, TokenError};
use tidegate_protocol::admin::Problem;
use tidegate_protocol::{DefinitionError, NameError, Role};
use tidegate_store::{BackupError, StoreError};

use super::done::Said;
use super::openapi;
use crate::plugins::PluginError;
use crate::trust::TrustError;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("sign in first: this needs the admin credential")]
    SignInNeeded,
    #[error("the key or token of this request is not known, has ended or was revoked")]
    BadBearer,
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("too many signed requests are remembered; try again in a moment")]
    NoncesFull,
    #[error("the answer took too long; the store may be lost, try again in a moment")]
    TooSlow,
    #[error("this needs the role {0}")]
    RoleTooWeak(Role),
    #[error("that is too much at once; wait {0} seconds")]
    TooManyRequests(u64),
    #[error("too many actions are under way; try again in a moment")]
    ActionsFull,
    #[error("the store is busy; try again in a moment")]
    StoreBusy,
    #[error("the store cannot be reached; live traffic goes on, try again later")]
    StoreLost,
    #[error(transparent)]
    NotCopied(BackupError),
    #[error("{0} copies of the store are made or read already; try again in a moment")]
    CopiesBusy(usize),
    #[error("there is one of this name already")]
    Taken,
    #[error("{0}")]
    Overtaken(&'static str),
    #[error(transparent)]
    RevocationsFull(StoreError),
    #[error("a text of this request holds a character that cannot be kept; leave it out")]
    BadText,
    #[error("something went wrong here; the log says what")]
    Fault,
    #[error(
        "a name has 1 to 64 lower-case letters, digits, `.`, `_`, `-` or `@`, and is not `admin`"
    )]
    BadName,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("the password until now is another one; type it again")]
    WrongOwnPassword,
    #[error(
        "only a user who has signed in has a password here: that of the built-in administrator is a setting of the gateway"
    )]
    NoOwnPassword,
    #[error("a token names 1 to {0} channels")]
    ChannelCount(usize),
    #[error("a token carries at most {0} roles")]
    RoleCount(usize),
    #[error("it may live 1 to {0} seconds")]
    Life(u64),
    #[error("this is no token of this gateway")]
    NoToken,
    #[error("this token has no name (`jti`), a program signed it: revoke its subject")]
    NamelessToken,
    #[error("say what to revoke: one of token, jti, subject and kid")]
    RevokeWhat,
    #[error("this key signs: rotate it, with immediate to refuse what it has signed")]
    KeySigns,
    #[error("the header x-tidegate-request is missing: a page of another site may not do this")]
    NotFromHere,
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(
        "this gateway listens beyond its own machine, so tokens are issued to administrators only; start it with --open-tokens to let everybody ask"
    )]
    TokensClosed,
    #[error(
        "the metrics are for who has signed in, and for who shows the token of --metrics-token as Authorization: Bearer"
    )]
    MetricsClosed,
    #[error("{0:?} cannot be {1}: {2}")]
    Name(String, &'static str, NameError),
    #[error("an id has at most 255 bytes and no control characters")]
    BadId,
    #[error("there is no {0} {1:?} (any more)")]
    NotFound(&'static str, String),
    #[error("{0:?} belongs to the gateway; choose another topic or event")]
    Reserved(String),
    #[error("the bus is down ({0}); try again when it is back")]
    BusDown(String),
    #[error("the body may have {0} bytes at most")]
    TooLarge(usize),
    #[error("send JSON, and say so: content-type: application/json")]
    NotJson,
    #[error("{0}")]
    Form(#[from] FormRejection),
    #[error("a plugin takes JSON (content-type: application/json) or text")]
    NotText,
    #[error("the body cannot be read: {0}")]
    Body(serde_json::Error),
    #[error("a request has 1 to {0} events")]
    EventCount(usize),
    #[error("event {at} of the request: {1}", at = .0 + 1)]
    Event(usize, Box<ApiError>),
    #[error("another event of the request has this id")]
    SameId,
    #[error("an id or idempotency key has 1 to 255 bytes without control characters")]
    BadKey,
    #[error("this id or idempotency key came with another event before; choose a new one")]
    KeyReused,
    #[error("the first request of this id or idempotency key is not answered yet; wait for it")]
    KeyBusy,
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error("{1}")]
    PluginSaid(u16, String),
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    #[error("the body must be a JSON object")]
    NoObject,
    #[error("{0}")]
    Json(#[from] JsonRejection),
    #[error("{0}")]
    Query(#[from] QueryRejection),
    #[error("{0}")]
    Path(#[from] PathRejection),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("the body of the request took too long; send it faster, or in smaller parts")]
    SlowBody,
    #[error("there is no such address in the API")]
    NoSuchRoute,
    #[error("this address does not know this method")]
    NoSuchMethod,
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            ApiError::SignInNeeded
            | ApiError::BadBearer
            | ApiError::Signature(_)
            | ApiError::MetricsClosed
            | ApiError::Admin(AdminError::WrongPassword | AdminError::WrongUser) => {
                StatusCode::UNAUTHORIZED
            }
            ApiError::NotFromHere
            | ApiError::RoleTooWeak(_)
            | ApiError::TokensClosed
            | ApiError::Admin(AdminError::NoPassword | AdminError::BadLink) => {
                StatusCode::FORBIDDEN
            }
            ApiError::TooManyRequests(_) | ApiError::Admin(AdminError::TooManyTries(_)) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            ApiError::Name(..)
            | ApiError::BadId
            | ApiError::BadText
            | ApiError::Reserved(_)
            | ApiError::BadName
            | ApiError::Password(_)
            | ApiError::ChannelCount(_)
            | ApiError::RoleCount(_)
            | ApiError::Life(_)
            | ApiError::WrongOwnPassword
            | ApiError::NoOwnPassword
            | ApiError::NoObject
            | ApiError::NoToken
            | ApiError::NamelessToken
            | ApiError::RevokeWhat
            | ApiError::EventCount(_)
            | ApiError::SameId
            | ApiError::BadKey
            | ApiError::KeyReused
            | ApiError::Definition(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::Body(error) if error.is_data() => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::Body(_) => StatusCode::BAD_REQUEST,
            ApiError::Event(_, error) => error.status(),
            ApiError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::NotJson | ApiError::NotText => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ApiError::Plugin(error) => match error {
                PluginError::Busy | PluginError::Bus(_) => StatusCode::SERVICE_UNAVAILABLE,
                PluginError::Absent(_) => StatusCode::NOT_FOUND,
                PluginError::Silent(..) => StatusCode::GATEWAY_TIMEOUT,
                PluginError::Unusable(..) => StatusCode::BAD_GATEWAY,
            },
            ApiError::PluginSaid(status, _) => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY)
            }
            ApiError::Taken
            | ApiError::Overtaken(_)
            | ApiError::RevocationsFull(_)
            | ApiError::KeySigns
            | ApiError::KeyBusy
            | ApiError::NotCopied(_) => StatusCode::CONFLICT,
            ApiError::StoreBusy
            | ApiError::ActionsFull
            | ApiError::CopiesBusy(_)
            | ApiError::StoreLost
            | ApiError::NoncesFull
            | ApiError::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::NotFound(..) | ApiError::NoSuchRoute => StatusCode::NOT_FOUND,
            ApiError::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::SlowBody => StatusCode::REQUEST_TIMEOUT,
            ApiError::BusDown(_) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::Json(rejection) => rejection.status(),
            ApiError::Form(rejection) => rejection.status(),
            ApiError::Query(rejection) => rejection.status(),
            ApiError::Path(rejection) => rejection.status(),
            ApiError::Token(_) | ApiError::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => ApiError::StoreBusy,
            StoreError::Lost(_) => ApiError::StoreLost,
            StoreError::Taken => ApiError::Taken,
            StoreError::BadText => ApiError::BadText,
            StoreError::Full(_) => ApiError::RevocationsFull(error),
            StoreError::Broken(_) => {
                tracing::error!(%error, "a request failed");
                ApiError::Fault
            }
        }
    }
}

impl From<TrustError> for ApiError {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Store(error) => error.into(),
            TrustError::Token(error) => error.into(),
            error => {
                tracing::error!(%error, "a request failed");
                ApiError::Fault
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let detail = shortened(sentence(&self.to_string()));
        let problem = Problem {
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.clone(),
        };
        let mut response = (status, Json(problem)).into_response();
        response.extensions_mut().insert(Said(detail));
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        let challenge = match self {
            ApiError::BadBearer => Some(r#"Bearer error="invalid_token""#),
            // Every 401 has one (RFC 9110, section 11.6.1), and for this one no browser opens a window.
            _ if status == StatusCode::UNAUTHORIZED => Some("Bearer"),
            _ => None,
        };
        if let Some(challenge) = challenge {
            let bearer = HeaderValue::from_static(challenge);
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, bearer);
        }
        if matches!(
            self,
            ApiError::StoreBusy
                | ApiError::ActionsFull
                | ApiError::StoreLost
                | ApiError::CopiesBusy(_)
                | ApiError::NoncesFull
                | ApiError::TooSlow
                | ApiError::Plugin(PluginError::Busy)
        ) {
            let soon = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        if let ApiError::TooManyRequests(seconds)
        | ApiError::Admin(AdminError::TooManyTries(seconds)) = self
        {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What is refused is not said back at full length: who sends a megabyte is not sent one.
fn shortened(mut text: String) -> String {
    const MOST: usize = 1_000;
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
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

/// Says what the address does know (RFC 9110, section 15.5.6).
pub(super) async fn no_such_method(path: MatchedPath) -> impl IntoResponse {
    let allow = [(header::ALLOW, openapi::allowed(path.as_str()))];
    (allow, ApiError::NoSuchMethod)
}
