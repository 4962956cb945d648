//! Bodies of requests.

use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::{Form, Json};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::ApiError;

/// A JSON object, read as this type. Left to itself serde would also take a list of its fields,
/// which nothing says of the API.
pub(super) struct Body<T>(pub(super) T);

impl<T, S> FromRequest<S> for Body<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Json(written) = Json::<Box<RawValue>>::from_request(request, state).await?;
        if !written.get().starts_with('{') {
            return Err(ApiError::NoObject);
        }
        serde_json::from_str(written.get())
            .map(Self)
            .map_err(ApiError::Body)
    }
}

/// The same, or the form that other standards ask for.
pub(super) struct FormOrBody<T>(pub(super) T);

impl<T, S> FromRequest<S> for FormOrBody<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if is_form(&request) {
            let Form(read) = Form::from_request(request, state).await?;
            return Ok(Self(read));
        }
        let Body(read) = Body::from_request(request, state).await?;
        Ok(Self(read))
    }
}

fn is_form(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
