//! The handshake: version, origin, subprotocol, limits.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha1::{Digest as _, Sha1};
use tidegate_hub::ConnectionDetails;
use tidegate_protocol::Serializer;
use utoipa::IntoParams;

use super::client_cookie::identify;
use super::stream::Stream;
use super::transport;
use crate::client::Client;
use crate::gateway::Gateway;

/// How much of a `User-Agent` is kept.
const USER_AGENT_BYTES: usize = 200;
const TOKEN_PROTOCOL: &str = "base64url.bearer.phx.";

/// What the address of a connection may say; other parameters are the application's.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConnectParams {
    /// `2.0.0` or `1.0.0`; without it the first frame decides.
    pub(super) vsn: Option<String>,
    /// A token for joins that show none of their own.
    #[serde(rename = "userToken")]
    pub(super) user_token: Option<String>,
}

/// What is known of a client from its request.
pub(super) fn details(
    gateway: &Gateway,
    peer: SocketAddr,
    headers: &HeaderMap,
) -> ConnectionDetails {
    ConnectionDetails {
        address: peer.ip(),
        port: peer.port(),
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| {
                let end = text.floor_char_boundary(USER_AGENT_BYTES);
                gateway.hub.user_agent(&text[..end])
            }),
    }
}

/// A socket
///
/// The handshake of a WebSocket (RFC 6455). What is said on it is Phoenix Channels.
#[utoipa::path(
    get, path = "/websocket", tag = "sockets",
    params(ConnectParams),
    responses(
        (status = 101, description = "The socket is open."),
        (status = 400, description = "No handshake of a WebSocket.", body = String),
        (status = 403, description = "A page of another origin, or a `vsn` that nobody speaks."),
        (status = 426, description = "Another version of WebSocket than 13.", body = String),
        (status = 503, description = "The gateway is stopping."),
    ),
    security(()),
)]
pub(crate) async fn upgrade(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    client: Client,
    Query(params): Query<ConnectParams>,
    request: Request,
) -> Response {
    handshake(gateway, peer, &client, params, request)
}

/// The same for who knows already that it is one.
pub(crate) fn handshake(
    gateway: Arc<Gateway>,
    peer: SocketAddr,
    client: &Client,
    params: ConnectParams,
    mut request: Request,
) -> Response {
    if gateway.is_stopping() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let headers = request.headers();
    let serializer = match params.vsn.as_deref() {
        None => None,
        Some(version) => match Serializer::from_version(version) {
            Some(serializer) => Some(serializer),
            None => return StatusCode::FORBIDDEN.into_response(),
        },
    };
    if !gateway
        .config
        .allowed_origins
        .allow(headers, client.host.as_deref())
    {
        tracing::info!(
            %peer,
            origin = ?headers.get(header::ORIGIN),
            "a page of another origin was refused; --allowed-origins lets it in"
        );
        return StatusCode::FORBIDDEN.into_response();
    }
    let accept = match accept(headers) {
        Ok(accept) => accept,
        Err(refused) => return refused.into_response(),
    };
    let (protocol, subprotocol_token) = subprotocol(headers);
    let details = details(&gateway, peer, headers);
    let (client, cookie) = identify(&gateway, headers, client);
    let token = subprotocol_token
        .or(params.user_token)
        .filter(|token| !token.is_empty());
    let deflate = match gateway.config.deflate_min_bytes {
        Some(_) => answer_to_deflate(headers),
        None => None,
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let sockets = gateway.sockets.clone();
    sockets.spawn(async move {
        let Some((socket, early)) = socket_of(upgrade, peer).await else {
            return;
        };
        // Registered only now: a handshake that is never completed holds nothing.
        if let Some(connection) = gateway.hub.connect(details, serializer) {
            connection.set_deflate(deflate.is_some());
            if let Some(client) = client {
                connection.set_client(client);
            }
            tracing::debug!(connection = %connection.id, %peer, "opened");
            transport::run(gateway, connection, token, socket, early).await;
        } else {
            tracing::debug!(%peer, "there is no room for a connection");
            transport::turn_away(socket).await;
        }
    });
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(answer) = deflate {
        headers.insert(
            header::SEC_WEBSOCKET_EXTENSIONS,
            HeaderValue::from_static(answer),
        );
    }
    if let Some(protocol) = protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

/// What a client is answered that can have permessage-deflate as this server speaks it.
fn answer_to_deflate(headers: &HeaderMap) -> Option<&'static str> {
    headers
        .get_all(header::SEC_WEBSOCKET_EXTENSIONS)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(tidegate_websocket::deflate::answer)
}

/// The bare socket under an upgraded connection, and what was read from it beyond the handshake.
async fn socket_of(
    upgrade: hyper::upgrade::OnUpgrade,
    peer: SocketAddr,
) -> Option<(Stream, Vec<u8>)> {
    let upgraded = upgrade
        .await
        .inspect_err(|error| tracing::debug!(%peer, %error, "a handshake was not completed"))
        .ok()?;
    let stream = Stream::under(upgraded);
    if stream.is_none() {
        tracing::error!(%peer, "the upgraded connection is no socket");
    }
    stream
}

/// What proves to the client that its handshake was understood (RFC 6455, section 4.2.2), or what
/// is wrong with it.
fn accept(headers: &HeaderMap) -> Result<HeaderValue, (StatusCode, &'static str)> {
    let has = |name: header::HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(word))
    };
    if !has(header::CONNECTION, "upgrade") || !has(header::UPGRADE, "websocket") {
        let words =
            "this address is a WebSocket: Connection: Upgrade and Upgrade: websocket are needed";
        return Err((StatusCode::BAD_REQUEST, words));
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        let words = "Sec-WebSocket-Version must be 13";
        return Err((StatusCode::UPGRADE_REQUIRED, words));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .map(HeaderValue::as_bytes)
        .filter(|key| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16))
        .ok_or((
            StatusCode::BAD_REQUEST,
            "Sec-WebSocket-Key must be 16 bytes in base64",
        ))?;
    let mut sha1 = Sha1::new();
    sha1.update(key);
    sha1.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    HeaderValue::from_str(&STANDARD.encode(sha1.finalize()))
        .map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "internal error"))
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

    /// RFC 6455, section 1.3.
    #[test]
    fn the_standards_example_is_accepted() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(accept(&headers).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        headers.insert("sec-websocket-version", HeaderValue::from_static("8"));
        assert_eq!(
            accept(&headers).unwrap_err().0,
            StatusCode::UPGRADE_REQUIRED
        );
    }

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
