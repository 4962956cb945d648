//! Everybody is a stranger to the echo.

use axum::http::{HeaderMap, HeaderValue};
use tidegate_protocol::ClientId;

use crate::client::Client;
use crate::gateway::Gateway;

/// In the place of the gateway's function of the same name.
pub(super) fn identify(
    _gateway: &Gateway,
    _headers: &HeaderMap,
    _from: &Client,
) -> (Option<ClientId>, Option<HeaderValue>) {
    (None, None)
}
