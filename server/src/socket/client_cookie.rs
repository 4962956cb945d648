//! Knowing an anonymous client again (G8): a cookie that comes with the handshake.
//!
//! Who shows no good one is given one with the answer. A client that keeps no cookies never notices.
//! Handshakes of foreign pages, with or without a cookie, have been refused before this is asked.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderValue, header};
use tidegate_auth::{ClientTokens, ClientUnknown, KnownClient, Marks};
use tidegate_protocol::ClientId;

use crate::client::Client;
use crate::cookies;
use crate::gateway::Gateway;
use crate::serve::now_seconds;

/// The cookie that holds a client's token.
const COOKIE: &str = "tidegate_client";
/// A request may hold several of the name; so many are tried.
const MAX_COOKIES: usize = 4;

/// How often clients were known again, and what else came of their cookies.
#[derive(Debug, Default)]
pub(crate) struct ClientCounters {
    /// New tokens.
    pub(crate) issued: AtomicU64,
    /// Clients that were known again.
    pub(crate) known: AtomicU64,
    /// Tokens whose time was over.
    pub(crate) expired: AtomicU64,
    /// Tokens that were revoked.
    pub(crate) revoked: AtomicU64,
    /// Cookies that are no token of this gateway.
    pub(crate) invalid: AtomicU64,
}

/// Who the client is, and what it is to be given; neither where `--client-cookie-seconds` is 0.
pub(super) fn identify(
    gateway: &Gateway,
    headers: &HeaderMap,
    from: &Client,
) -> (Option<ClientId>, Option<HeaderValue>) {
    let Some(tokens) = &gateway.trust.clients else {
        return (None, None);
    };
    let counters = &gateway.trust.client_counters;
    let now = now_seconds();
    for cookie in cookies::values(headers, COOKIE).take(MAX_COOKIES) {
        let counter = match tokens.know(cookie, now) {
            Ok(client) if is_revoked(gateway, &client) => &counters.revoked,
            Ok(client) => {
                counters.known.fetch_add(1, Ordering::Relaxed);
                return (Some(client.id), None);
            }
            Err(ClientUnknown::Expired) => &counters.expired,
            Err(ClientUnknown::Invalid) => &counters.invalid,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
    let (client, token) = tokens.make(now);
    counters.issued.fetch_add(1, Ordering::Relaxed);
    let secure = from.secure || over_tls(headers);
    (Some(client.id), set_cookie(tokens, &token, secure))
}

fn is_revoked(gateway: &Gateway, client: &KnownClient) -> bool {
    let revoked = gateway.tokens.revoked();
    !revoked.subjects.is_empty()
        && revoked.holds(&Marks {
            subject: &client.id.to_string(),
            jti: None,
            iat: Some(client.since),
            kid: None,
            sid: None,
            roles: &[],
        })
}

fn set_cookie(tokens: &ClientTokens, token: &str, secure: bool) -> Option<HeaderValue> {
    let (life, secure) = (tokens.life(), if secure { "; Secure" } else { "" });
    let cookie =
        format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={life}{secure}");
    HeaderValue::from_str(&cookie).ok()
}

/// Whether the page came over TLS, which ends at a proxy before the gateway: where that is not one of
/// `--trusted-proxy`, a browser still says so in `Origin`. Whoever says it wrongly gets a cookie that it
/// cannot use itself.
fn over_tls(headers: &HeaderMap) -> bool {
    headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}
