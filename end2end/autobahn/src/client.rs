//! Nobody comes through a proxy here.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// In the place of the gateway's type of the same name.
pub(crate) struct Client {
    /// The host that a proxy was asked for.
    pub(crate) host: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { host: None })
    }
}
