//! Signing in and out of the admin pages.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use tidegate_auth::{AdminError, BUILT_IN_ADMIN, Principal, SESSION_SECONDS, verify_password};
use tidegate_protocol::admin::{Done, SessionInfo, SignIn};

use super::ApiError;
use super::activity::record_sign_in;
use super::admin::{COOKIE, from_here, session};
use super::body::Body;
use super::openapi::{NotFromHere, Stored, WrongPassword};
use crate::client::Client;
use crate::gateway::Gateway;
use crate::http;
use crate::serve::now_seconds;
use crate::trust::{Opened, open_session, refresh, sweep};

/// How long who follows a link waits for a store that says nothing.
const LINK_PATIENCE: Duration = Duration::from_secs(2);

/// Who this browser is
#[utoipa::path(
    get, path = "/session", tag = "session",
    responses(
        (status = 200, description = "Who, and what the page may offer.", body = SessionInfo),
    ),
    security(()),
)]
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Json<SessionInfo> {
    Json(info(&gateway, session(&gateway, &headers)))
}

fn info(gateway: &Gateway, session: Option<(Principal, u64)>) -> SessionInfo {
    let (principal, expires_at) = session.unzip();
    SessionInfo {
        admin: principal.is_some(),
        password_login: password_login(gateway),
        expires_at,
        role: principal.as_ref().map(|principal| principal.role),
        principal: principal.map(|principal| principal.name),
    }
}

/// Whether there is anybody who can sign in with a password.
pub(crate) fn password_login(gateway: &Gateway) -> bool {
    gateway.admin.has_password() || !gateway.trust.directory.known().users.is_empty()
}

fn cookie(client: &Client, session: &Opened) -> AppendHeaders<[(header::HeaderName, String); 1]> {
    // A browser that came over HTTPS shows it over nothing else.
    let secure = if client.secure { "; Secure" } else { "" };
    let value = format!(
        "{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION_SECONDS}{secure}",
        session.cookie
    );
    AppendHeaders([(header::SET_COOKIE, value)])
}

/// Sign in
///
/// The answer sets the cookie of the session.
#[utoipa::path(
    post, path = "/session", tag = "session",
    params((
        "x-tidegate-request" = String, Header,
        description = "Any value: no page of another site can send this header.",
    )),
    request_body = SignIn,
    responses(
        (status = 200, description = "Who, and what the page may offer.", body = SessionInfo,
            headers(("set-cookie" = String, description = "The session."))),
        WrongPassword,
        Stored,
    ),
    security(()),
)]
pub(super) async fn sign_in(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    client: Client,
    headers: HeaderMap,
    body: Result<Body<SignIn>, ApiError>,
) -> Result<impl IntoResponse, ApiError> {
    from_here(&headers)?;
    let Body(SignIn { name, password }) = body?;
    let name = name.filter(|name| !name.is_empty() && name != BUILT_IN_ADMIN);
    let who = match &name {
        // What nobody is called is not kept: somebody may have typed a password into the wrong field.
        Some(name) if gateway.trust.directory.user_named(name).is_some() => format!("user:{name}"),
        Some(_) => "user:(nobody)".to_owned(),
        None => BUILT_IN_ADMIN.to_owned(),
    };
    let began = Instant::now();
    let tried = match name {
        None => gateway
            .admin
            .sign_in(&password, peer.ip())
            .map(|()| String::new()),
        Some(name) => user_signs_in(&gateway, name, password, peer).await,
    };
    let outcome = tried.as_ref().map(drop);
    record_sign_in(&gateway, &who, "with a password", peer, began, outcome);
    let user = tried.inspect_err(|error| tracing::warn!(%peer, %error, "sign-in refused"))?;
    let opened = open_session(&gateway, &user, http::shown(peer.ip()), agent(&headers)).await?;
    tracing::info!(%peer, user, "signed in with a password");
    let now = crate::trust::unsigned(crate::trust::now_ms());
    let session = gateway.trust.directory.session(&opened.cookie, now);
    Ok((cookie(&client, &opened), Json(info(&gateway, session))))
}

/// The id of the user of this name, if this is the password. It takes as long for a name that
/// nobody has.
async fn user_signs_in(
    gateway: &Gateway,
    name: String,
    password: String,
    peer: SocketAddr,
) -> Result<String, AdminError> {
    // Hashing takes its time and memory: not on the threads of the sockets, and one at a time.
    let turn = gateway.hashing.clone().acquire_owned().await;
    // Asked in one's turn: who sends a hundred guesses at once learns of the first few alone.
    let tried = gateway.admin.try_as(&name, peer.ip())?;
    let found = gateway
        .trust
        .directory
        .user_named(&name)
        .filter(|(_, user)| !user.disabled);
    let hash = found.as_ref().map(|(_, user)| user.password_hash.clone());
    let verify = move || {
        let _turn = turn;
        verify_password(&password, hash.as_deref())
    };
    let good = tokio::task::spawn_blocking(verify).await.unwrap_or(false);
    match found.filter(|_| good) {
        Some((id, _)) => {
            gateway.admin.succeeded(tried);
            Ok(id)
        }
        None => {
            gateway.admin.failed(tried);
            Err(AdminError::WrongUser)
        }
    }
}

fn agent(headers: &HeaderMap) -> &str {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Sign out
#[utoipa::path(
    delete, path = "/session", tag = "session",
    params((
        "x-tidegate-request" = String, Header,
        description = "Any value: no page of another site can send this header.",
    )),
    responses(
        (status = 200, description = "What was done.", body = Done,
            headers(("set-cookie" = String, description = "An ended session."))),
        NotFromHere,
        Stored,
    ),
    security(()),
)]
pub(super) async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    from_here(&headers)?;
    if let Some((principal, _)) = session(&gateway, &headers)
        && let Some(id) = principal.session
    {
        if gateway.trust.directory.end_locally(&id) {
            sweep(&gateway);
        } else {
            gateway.trust.store.end_session(&id).await?;
            refresh(&gateway).await?;
        }
        tracing::info!(principal = principal.name, "signed out");
    }
    let gone = format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    let done = Done {
        done: "You are signed out.".to_owned(),
    };
    Ok((AppendHeaders([(header::SET_COOKIE, gone)]), Json(done)))
}

/// Whether this link is good, and was used neither here nor at another gateway of the store. Without
/// the store what is known here decides: somebody must get in to see to it.
async fn uses_link(gateway: &Gateway, link: &str, peer: SocketAddr) -> Result<(), AdminError> {
    let (admin, tokens) = (&gateway.admin, &gateway.tokens);
    let used = admin.follow_link(tokens, link, peer.ip(), now_seconds())?;
    let store = &gateway.trust.store;
    let until = crate::trust::signed(used.until.saturating_mul(1000));
    let name = format!("admin-link:{}", used.id);
    match store
        .within(LINK_PATIENCE, store.first_use(&name, until))
        .await
    {
        Ok(true) => Ok(()),
        Ok(false) => Err(AdminError::BadLink),
        Err(error) => {
            tracing::warn!(%error, "the store does not remember that the admin link was used: another gateway may take it again");
            Ok(())
        }
    }
}

#[derive(Deserialize)]
pub(super) struct LinkParams {
    #[serde(default)]
    link: String,
}

/// `GET /login?link=...`: the one-time link. A refused one leads to the sign-in page, which says
/// so.
pub(super) async fn follow_link(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    client: Client,
    headers: HeaderMap,
    Query(params): Query<LinkParams>,
) -> Result<Response, ApiError> {
    let no_store = (header::CACHE_CONTROL, "no-store".to_owned());
    let began = Instant::now();
    let followed = uses_link(&gateway, &params.link, peer).await;
    record_sign_in(
        &gateway,
        BUILT_IN_ADMIN,
        "with a link",
        peer,
        began,
        followed.as_ref().map(drop),
    );
    Ok(match followed {
        Ok(()) => {
            let address = http::shown(peer.ip());
            let opened = open_session(&gateway, "", address, agent(&headers)).await?;
            tracing::info!(%peer, "admin signed in with a link");
            (
                cookie(&client, &opened),
                AppendHeaders([no_store]),
                Redirect::to("/admin"),
            )
                .into_response()
        }
        Err(error) => {
            tracing::warn!(%peer, %error, "admin link refused");
            (
                AppendHeaders([no_store]),
                Redirect::to("/admin?link=refused"),
            )
                .into_response()
        }
    })
}
