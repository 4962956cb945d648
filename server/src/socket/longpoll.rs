//! `GET` and `POST /longpoll`: the same protocol for clients that cannot have a socket.
//!
//! As Phoenix has it (wire.md E 8.5): the HTTP status is 200 whatever happens, the logical status
//! stands in the body. A session is a connection of the hub like any other, whose frames wait in
//! its outbox until the next poll takes them. Binary events cannot be carried to the client; they
//! are dropped and counted.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tidegate_hub::{Connection, Drop, Work, random_id};
use tidegate_protocol::{Close, Serializer};
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::client_cookie::identify;
use super::session::Session;
use super::upgrade::{ConnectParams, details};
use crate::client::Client;
use crate::gateway::Gateway;

/// How long a poll waits for something to say.
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
/// After so long without a poll a session is over.
const EXPIRES_AFTER: Duration = Duration::from_secs(15);
/// About how many bytes one poll answers.
const ANSWER_BYTES: usize = 256 * 1024;
/// Lines that are read of one `POST`.
const MAX_LINES: usize = 100;
/// The largest body of a `POST`.
pub(crate) const MAX_BODY_BYTES: usize = 8 << 20;

const TOKEN: HeaderName = HeaderName::from_static("x-phoenix-longpoll-token");
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-phoenix-authtoken");

/// The sessions of this gateway, by token.
#[derive(Default)]
pub(crate) struct LongPolls(Mutex<HashMap<String, Arc<LongPoll>>>);

struct LongPoll {
    connection: Arc<Connection>,
    /// Held by the `POST` that is being handled.
    session: tokio::sync::Mutex<Session>,
    /// Held by the poll that waits; the next one has to wait for its end.
    polling: tokio::sync::Mutex<()>,
}

/// What every answer says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PollAnswer)]
struct Answer {
    /// 200, 204 (nothing to say), 403, 408, 410 (no such session any more, or a new one) or 503.
    status: u16,
    /// The session, to be shown from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Frames, each as its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<String>>,
}

impl Answer {
    const fn status(status: u16) -> Self {
        Self {
            status,
            token: None,
            messages: None,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Json(self).into_response();
        allow_all(response.headers_mut());
        response
    }
}

fn allow_all(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PollParams {
    /// The session; the header `x-phoenix-longpoll-token` goes before it.
    token: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    connect: ConnectParams,
}

/// The session's token: of the header, else of the address.
fn token_of(params: &PollParams, headers: &HeaderMap) -> Option<String> {
    headers
        .get(TOKEN)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .or_else(|| params.token.clone())
        .filter(|token| !token.is_empty())
}

/// What pages of other origins may ask
///
/// Whether they are answered is decided by `--allowed-origins`, as with sockets.
#[utoipa::path(
    options, path = "/longpoll", tag = "sockets",
    responses((status = 204, description = "Headers alone.")),
    security(()),
)]
pub(crate) async fn options() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    allow_all(headers);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "content-type, x-phoenix-authtoken, x-phoenix-longpoll-token",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Says in the body what Phoenix's clients understand: that they asked too often is a fault of the
/// server to them, after which they come back later.
pub(crate) async fn may_be_refused(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        return response;
    }
    let mut answer = Answer::status(500).into_response();
    *answer.status_mut() = response.status();
    for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
        if let Some(value) = response.headers().get(name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

/// Frames for the client
///
/// Begins a session, or waits for what it has to say, at most ten seconds. The status of HTTP is 200
/// whatever happens; the real one stands in the body.
#[utoipa::path(
    get, path = "/longpoll", tag = "sockets",
    params(PollParams, ConnectParams),
    responses(
        (status = 200, description = "Frames, or why there are none.", body = Answer),
        (status = 400, description = "A parameter is not what it should be.", body = String),
    ),
    security(()),
)]
pub(crate) async fn poll(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    client: Client,
    Query(params): Query<PollParams>,
    headers: HeaderMap,
) -> Response {
    let host = client.host.as_deref();
    if !gateway.config.allowed_origins.allow(&headers, host) {
        return Answer::status(403).into_response();
    }
    let Some(token) = token_of(&params, &headers) else {
        return begin(&gateway, peer, &client, params.connect, &headers);
    };
    let Some(found) = gateway.long_polls.get(&token) else {
        return Answer::status(410).into_response();
    };
    wait(&gateway, &found, token).await.into_response()
}

fn begin(
    gateway: &Arc<Gateway>,
    peer: SocketAddr,
    from: &Client,
    params: ConnectParams,
    headers: &HeaderMap,
) -> Response {
    let serializer = match params.vsn.as_deref() {
        None => None,
        Some(version) => match Serializer::from_version(version) {
            Some(serializer) => Some(serializer),
            None => return Answer::status(403).into_response(),
        },
    };
    let auth_token = headers
        .get(AUTH_TOKEN)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .or(params.user_token)
        .filter(|token| !token.is_empty());
    if gateway.is_stopping() {
        return Answer::status(503).into_response();
    }
    let details = details(gateway, peer, headers);
    let Some(connection) = gateway.hub.connect(details, serializer) else {
        return Answer::status(503).into_response();
    };
    let (client, cookie) = identify(gateway, headers, from);
    if let Some(client) = client {
        connection.set_client(client);
    }
    let session = Session::new(gateway.clone(), connection.clone(), auth_token);
    let token = random_id(32);
    gateway.long_polls.0.lock().insert(
        token.clone(),
        Arc::new(LongPoll {
            connection,
            session: tokio::sync::Mutex::new(session),
            polling: tokio::sync::Mutex::default(),
        }),
    );
    let answer = Answer {
        status: 410,
        token: Some(token),
        messages: Some(Vec::new()),
    };
    let mut response = answer.into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Waits for frames, at most one window.
async fn wait(gateway: &Gateway, session: &LongPoll, token: String) -> Answer {
    let connection = &session.connection;
    connection.heard(gateway.hub.now_ms());
    let taking = async {
        let _turn = session.polling.lock().await;
        loop {
            let messages = take(gateway, connection);
            if !messages.is_empty() {
                return Some(messages);
            }
            let open = poll_fn(|context| {
                let work = connection.outbox.flush(context).0;
                session.leave_if_answered();
                match work {
                    Work::Close(_) | Work::Gone => Poll::Ready(false),
                    Work::None | Work::Blocked if connection.outbox.queued_frames() > 0 => {
                        Poll::Ready(true)
                    }
                    Work::More => {
                        gateway.hub.feed(connection);
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Work::None | Work::Blocked => Poll::Pending,
                }
            });
            if !open.await && connection.outbox.queued_frames() == 0 {
                return None;
            }
        }
    };
    let taken = timeout(WINDOW, taking).await;
    connection.heard(gateway.hub.now_ms());
    match taken {
        Ok(Some(messages)) => Answer {
            status: 200,
            token: Some(token),
            messages: Some(messages),
        },
        // The session was closed: the client begins a new one.
        Ok(None) => {
            // After the frame that is being handled, so that whoever is told of a join and of its end is
            // told of the join first.
            let _handled = session.session.lock().await;
            gateway.end_long_poll(&token);
            Answer::status(410)
        }
        Err(_) => Answer {
            status: 204,
            token: Some(token),
            messages: Some(Vec::new()),
        },
    }
}

/// The frames that wait, about [`ANSWER_BYTES`] of them.
fn take(gateway: &Gateway, connection: &Connection) -> Vec<String> {
    let (mut messages, mut bytes) = (Vec::new(), 0);
    while bytes < ANSWER_BYTES {
        let Some(frame) = connection.outbox.pop() else {
            break;
        };
        for (text, content) in frame.messages() {
            match String::from_utf8(content.to_vec()) {
                Ok(message) if text => {
                    bytes += message.len();
                    messages.push(message);
                }
                _ => gateway.hub.stats.dropped(Drop::NoBinary, 1),
            }
        }
    }
    gateway.hub.stats.bytes_out.add(bytes);
    messages
}

/// Frames from the client
///
/// One frame, text or the base64 of a binary one; with `application/x-ndjson` one frame a line.
#[utoipa::path(
    post, path = "/longpoll", tag = "sockets",
    params(PollParams, ConnectParams),
    request_body(content((String = "application/json"), (String = "application/x-ndjson"))),
    responses(
        (status = 200, description = "Whether they were taken.", body = Answer),
        (status = 400, description = "A parameter is not what it should be.", body = String),
        (status = 413, description = "The body is too large.", body = String),
    ),
    security(()),
)]
pub(crate) async fn publish(
    State(gateway): State<Arc<Gateway>>,
    client: Client,
    Query(params): Query<PollParams>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let host = client.host.as_deref();
    if !gateway.config.allowed_origins.allow(&headers, host) {
        return Answer::status(403).into_response();
    }
    let found = token_of(&params, &headers).and_then(|token| gateway.long_polls.get(&token));
    let Some(found) = found else {
        return Answer::status(410).into_response();
    };
    found.connection.heard(gateway.hub.now_ms());
    let lines = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-ndjson"));
    let handling = async {
        let mut session = found.session.lock().await;
        if !lines {
            return found.handle(&gateway, &mut session, &body).await;
        }
        let lines = body.split(|byte| *byte == b'\n');
        for line in lines
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty())
            .take(MAX_LINES)
        {
            if !found.handle(&gateway, &mut session, line).await {
                return false;
            }
        }
        true
    };
    let handled = timeout(WINDOW, handling).await;
    found.leave_if_answered();
    match handled {
        Ok(true) => Answer::status(200).into_response(),
        Ok(false) => Answer::status(410).into_response(),
        Err(_) => Answer::status(408).into_response(),
    }
}

impl LongPoll {
    /// One frame: text, or the base64 of a binary one. `false` when the session has ended and takes
    /// no more.
    async fn handle(&self, gateway: &Gateway, session: &mut Session, line: &[u8]) -> bool {
        let outbox = &self.connection.outbox;
        if outbox.closing().is_some() {
            return false;
        }
        self.connection.count_in();
        gateway.hub.stats.bytes_in.add(line.len());
        if line.len() > gateway.config.max_frame_bytes {
            outbox.close(Close::TooLarge);
            return false;
        }
        // Left over from a request that took too long.
        poll_fn(|context| session.poll_waiting(context)).await;
        match line.first() {
            Some(b'[' | b'{') => session.text(line),
            _ => match STANDARD.decode(line) {
                Ok(frame) => session.binary(&frame),
                // Not a frame; the session says so.
                Err(_) => session.text(line),
            },
        }
        poll_fn(|context| session.poll_waiting(context)).await;
        true
    }

    /// Closes a session that was asked to leave, unless something that its client has asked is still
    /// to be answered: whoever answers that asks again.
    fn leave_if_answered(&self) {
        let outbox = &self.connection.outbox;
        if let Some(close) = outbox.leaving()
            && self.session.try_lock().is_ok()
        {
            outbox.close(close);
        }
    }

    /// Waits until a session that was asked to leave has answered what its client has asked, and the
    /// poll that waits has taken it.
    async fn left(&self) {
        drop(self.session.lock().await);
        self.leave_if_answered();
        drop(self.polling.lock().await);
    }
}

impl LongPolls {
    /// How many sessions there are.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().len()
    }

    fn get(&self, token: &str) -> Option<Arc<LongPoll>> {
        self.0.lock().get(token).cloned()
    }

    /// Waits until all sessions, which were asked to leave, have nothing left to answer.
    pub(crate) async fn left(&self) {
        let sessions: Vec<_> = self.0.lock().values().cloned().collect();
        for session in sessions {
            session.left().await;
        }
    }

    /// Tokens of sessions that nobody has polled for too long, or that are closed and empty.
    fn expired(&self, now_ms: u64) -> Vec<String> {
        let limit = u64::try_from(EXPIRES_AFTER.as_millis()).unwrap_or(u64::MAX);
        let sessions = self.0.lock();
        sessions
            .iter()
            .filter(|(_, session)| {
                let silent = now_ms.saturating_sub(session.connection.heard_at());
                silent > limit && session.polling.try_lock().is_ok()
            })
            .map(|(token, _)| token.clone())
            .collect()
    }
}

impl Gateway {
    /// Ends a session: its joins end as those of a lost socket do.
    fn end_long_poll(&self, token: &str) {
        let session = self.long_polls.0.lock().remove(token);
        if let Some(session) = session {
            self.lifecycle
                .tell(self.hub.disconnect(&session.connection));
            session.connection.outbox.detach();
        }
    }

    /// Ends every session.
    pub(crate) fn end_all_long_polls(&self) {
        let tokens: Vec<_> = self.long_polls.0.lock().keys().cloned().collect();
        tokens.iter().for_each(|token| self.end_long_poll(token));
    }

    /// To be called now and then: ends the sessions that nobody polls any more.
    pub(crate) fn end_expired_long_polls(&self) {
        for token in self.long_polls.expired(self.hub.now_ms()) {
            self.end_long_poll(&token);
        }
    }
}
