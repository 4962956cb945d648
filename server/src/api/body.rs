//! Bodies of requests.

use axum::Json;
use axum::extract::{FromRequest, Request};
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
