//! The handshake: version, origin, subprotocol, limits.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use tidegate_hub::ConnectionDetails;
use tidegate_protocol::Serializer;

use super::transport;
use crate::gateway::Gateway;

/// An idle connection keeps a read buffer of this size.
const READ_BUFFER_BYTES: usize = 4096;
/// How much of a `User-Agent` is kept.
const USER_AGENT_CHARS: usize = 200;
const TOKEN_PROTOCOL: &str = "base64url.bearer.phx.";

#[derive(Deserialize)]
pub(crate) struct ConnectParams {
    vsn: Option<String>,
    #[serde(rename = "userToken")]
    user_token: Option<String>,
}

pub(crate) async fn upgrade(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(params): Query<ConnectParams>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let serializer = match params.vsn.as_deref() {
        None => None,
        Some(version) => match Serializer::from_version(version) {
            Some(serializer) => Some(serializer),
            None => return StatusCode::FORBIDDEN.into_response(),
        },
    };
    if !gateway.config.allowed_origins.allow(&headers) {
        tracing::info!(
            origin = ?headers.get(header::ORIGIN),
            "a page of another origin was refused; --allowed-origins lets it in"
        );
        return StatusCode::FORBIDDEN.into_response();
    }
    let (protocol, subprotocol_token) = subprotocol(&headers);
    let details = ConnectionDetails {
        address: peer.ip(),
        port: peer.port(),
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(USER_AGENT_CHARS).collect()),
    };
    let token = subprotocol_token
        .or(params.user_token)
        .filter(|token| !token.is_empty());
    let max = gateway.config.max_frame_bytes;
    let mut upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(max)
        .max_frame_size(max);
    if let Some(protocol) = protocol {
        upgrade.set_selected_protocol(protocol);
    }
    upgrade.on_upgrade(move |socket| async move {
        // Registered only now: a handshake that is never completed holds nothing.
        if let Some(connection) = gateway.hub.connect(details, serializer) {
            transport::run(gateway, connection, token, socket).await;
        } else {
            transport::turn_away(socket).await;
        }
    })
}

/// What to answer to `Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.<token>`, and the
/// token in it. Other protocols are not answered, as Phoenix does with none configured.
fn subprotocol(headers: &HeaderMap) -> (Option<HeaderValue>, Option<String>) {
    let offered: Vec<_> = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let phoenix = offered
        .contains(&"phoenix")
        .then(|| HeaderValue::from_static("phoenix"));
    let token = offered
        .iter()
        .find_map(|p| p.strip_prefix(TOKEN_PROTOCOL))
        .and_then(|encoded| {
            // Named base64url, but phoenix.js writes the alphabet of btoa: both are read.
            let encoded = encoded.trim_end_matches('=');
            let bytes = URL_SAFE_NO_PAD
                .decode(encoded)
                .or_else(|_| STANDARD_NO_PAD.decode(encoded));
            bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok())
        });
    (phoenix, token)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A1: the token in the subprotocol, in either alphabet; the answer is `phoenix`.
    #[test]
    fn the_subprotocol_carries_a_token() {
        let read = |offer: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, offer.parse().unwrap());
            let (protocol, token) = subprotocol(&headers);
            (protocol.is_some(), token)
        };
        let both = |encoded: String| read(&format!("phoenix, {TOKEN_PROTOCOL}{encoded}"));
        assert_eq!(
            both(STANDARD_NO_PAD.encode("a?>b~")),
            (true, Some("a?>b~".into()))
        );
        assert_eq!(
            both(URL_SAFE_NO_PAD.encode("a?>b~")),
            (true, Some("a?>b~".into()))
        );
        assert_eq!(both("%%%".into()), (true, None));
        assert_eq!(read("graphql-ws"), (false, None));
    }
}
