//! Who did what: recorded for every request with a principal, read by administrators.
//!
//! What changes something is done and recorded to its end, whether or not somebody still waits for the
//! answer: who hangs up between the change and its record would else leave none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, MatchedPath, OriginalUri, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tidegate_auth::AdminError;
use tidegate_protocol::trust::{ActivityInfo, Part, PrincipalInfo};
use tidegate_store::{Activity, ActivityQuery, PrincipalsAfter};
use utoipa::IntoParams;

use super::ApiError;
use super::admin::{Admin, Shown};
use super::done::Said;
use super::masked::masked;
use super::openapi::Stored;
use super::parts::{limit, part};
use crate::gateway::Gateway;
use crate::http;
use crate::trust::{Record, now_ms, unsigned};

/// Of a path and a sentence so much is kept.
const MAX_CHARS: usize = 300;

/// Each page of the interface asks there for a token, which ends with its session: as a record that is
/// a reading and no change.
const TOKEN: &str = "/token";

/// What stands in the place of the route where there is none.
const NO_ROUTE: &str = "(no such address)";

/// Writes down who asked for what, and what came of it.
pub(super) async fn record(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(shown) = request.extensions().get::<Shown>().cloned() else {
        return Ok(next.run(request).await);
    };
    if request.method().is_safe() {
        return Ok(recorded(&gateway, shown, request, next).await);
    }
    let actions = gateway.actions.clone();
    // Those whose clients have gone hold no place any more.
    if actions.len() >= gateway.config.http.connections {
        return Err(ApiError::ActionsFull);
    }
    let action = actions.spawn(async move { recorded(&gateway, shown, request, next).await });
    action.await.map_err(|error| {
        tracing::error!(%error, "an action did not end well");
        ApiError::Fault
    })
}

async fn recorded(gateway: &Gateway, shown: Shown, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    // Of a nested router the request's own path lacks the beginning.
    let target = request.extensions().get::<OriginalUri>().map_or_else(
        || request.uri().path().to_owned(),
        |uri| uri.path().to_owned(),
    );
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| http::shown(peer.ip()));
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status();
    let outcome = match response.extensions().get::<Said>() {
        Some(Said(said)) => said.clone(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    // What is not kept is counted (`tidegate_records_lost_total`).
    let at = now_ms();
    let activity = Activity {
        id: tidegate_store::new_id(),
        at,
        principal: short(&shown.principal.name),
        action: short(&format!("{method} {route}")),
        target: short(&target),
        outcome: short(&outcome),
        status: i64::from(status.as_u16()),
        took_us: took_us(began),
        address: peer.unwrap_or_default(),
        times: 1,
        last_at: at,
    };
    // Every change and every refusal stands alone; who reads the same again, or is told again that
    // it is too much, adds to a record.
    let calm = method.is_safe() || route == TOKEN;
    let reads = calm && !status.is_client_error() && !status.is_server_error();
    if reads || status == StatusCode::TOO_MANY_REQUESTS {
        gateway.trust.records.put_repeated(activity);
    } else {
        gateway.trust.records.put(Record::Activity(activity));
    }
    response
}

fn took_us(began: Instant) -> i64 {
    i64::try_from(began.elapsed().as_micros()).unwrap_or(i64::MAX)
}

/// Writes down that somebody signed in, or tried to: there is no principal before.
pub(super) fn record_sign_in(
    gateway: &Gateway,
    who: &str,
    how: &str,
    peer: SocketAddr,
    began: Instant,
    tried: Result<(), &AdminError>,
) {
    let (outcome, status) = match tried {
        Ok(()) => ("Signed in", 200),
        Err(AdminError::TooManyTries(_)) => ("Had to wait before trying again", 429),
        Err(_) => ("Was refused", 401),
    };
    let at = now_ms();
    let activity = Activity {
        id: tidegate_store::new_id(),
        at,
        principal: short(who),
        action: "sign in".to_owned(),
        target: String::new(),
        outcome: format!("{outcome} {how}."),
        status,
        took_us: took_us(began),
        address: http::shown(peer.ip()),
        times: 1,
        last_at: at,
    };
    // Who must wait was not tried at all: however often it comes, it is one record a minute.
    if status == 429 {
        gateway.trust.records.put_repeated(activity);
    } else {
        gateway.trust.records.put(Record::Activity(activity));
    }
}

/// Without what opens something, without control characters, and without those that end a line or turn
/// the direction of writing: nothing that is recorded makes a line of its own anywhere, or looks like
/// something else.
fn short(text: &str) -> String {
    masked(text)
        .chars()
        .filter(|c| !c.is_control() && !misleads(*c))
        .take(MAX_CHARS)
        .collect()
}

fn misleads(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Params {
    /// Of this one alone.
    #[serde(default)]
    principal: String,
    /// With this in the action, the target or the outcome.
    #[serde(default)]
    search: String,
    /// Refused ones alone.
    #[serde(default)]
    refused: bool,
    /// Without readings that were answered, and without tokens that a session got for itself.
    #[serde(default)]
    changes: bool,
    /// Where to go on: `next` of the part before.
    after: Option<String>,
    /// How many at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PrincipalParams {
    /// Where to go on: `next` of the part before.
    after: Option<String>,
    /// How many at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
}

/// What was done
///
/// The latest first.
#[utoipa::path(
    get, path = "/activity", tag = "activity",
    params(Params),
    responses(
        (status = 200, description = "Requests and actions.", body = Part<ActivityInfo>),
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn list(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Part<ActivityInfo>>, ApiError> {
    let Query(params) = params?;
    let limit = limit(params.limit);
    let query = ActivityQuery {
        principal: params.principal,
        search: params.search,
        refused: params.refused,
        changes: params.changes,
        after: params.after,
        limit: limit as i64 + 1,
    };
    let found = gateway.trust.store.activity(&query).await?;
    let items = found.into_iter().map(info).collect();
    Ok(Json(part(items, limit, |item: &ActivityInfo| {
        item.id.clone()
    })))
}

fn info(activity: Activity) -> ActivityInfo {
    ActivityInfo {
        id: activity.id,
        at: unsigned(activity.at),
        principal: activity.principal,
        action: activity.action,
        target: activity.target,
        outcome: activity.outcome,
        status: u16::try_from(activity.status).unwrap_or_default(),
        took_us: unsigned(activity.took_us),
        address: activity.address,
        times: unsigned(activity.times),
        last_at: unsigned(activity.last_at),
    }
}

/// What was done, all of it
#[utoipa::path(
    get, path = "/activity/export", tag = "activity",
    responses(
        (status = 200, description = "One JSON object a line, each an `ActivityInfo`.", body = String, content_type = "application/jsonl"),
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn export(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
) -> Result<Response, ApiError> {
    /// Records read at once.
    const STEP: i64 = 1_000;
    let mut query = ActivityQuery {
        limit: STEP,
        ..ActivityQuery::default()
    };
    // The first step decides whether there is an answer at all.
    let first = gateway.trust.store.activity(&query).await?;
    query.after = first.last().map(|activity| activity.id.clone());
    let lines = futures::stream::unfold(
        (gateway, query, Some(first)),
        |(gateway, mut query, page)| async move {
            let page = match page {
                Some(page) => page,
                // Cut short where the store is lost: the receiver sees that it did not end well.
                None => match gateway.trust.store.activity(&query).await {
                    Ok(page) => page,
                    Err(error) => return Some((Err(error), (gateway, query, Some(Vec::new())))),
                },
            };
            query.after = Some(page.last()?.id.clone());
            let text: String = page
                .into_iter()
                .filter_map(|activity| serde_json::to_string(&info(activity)).ok())
                .map(|line| line + "\n")
                .collect();
            Some((Ok(text), (gateway, query, None)))
        },
    );
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"tidegate-activity.jsonl\"",
        ),
    ];
    Ok((headers, axum::body::Body::from_stream(lines)).into_response())
}

/// Who was answered and refused how often
///
/// The latest first.
#[utoipa::path(
    get, path = "/activity/principals", tag = "activity",
    params(PrincipalParams),
    responses(
        (status = 200, description = "Who, and how often.", body = Part<PrincipalInfo>),
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn principals(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<PrincipalParams>, QueryRejection>,
) -> Result<Json<Part<PrincipalInfo>>, ApiError> {
    let Query(PrincipalParams {
        after,
        limit: asked,
    }) = params?;
    let limit = limit(asked);
    let after = after.as_deref().map_or_else(Default::default, place);
    let counts = gateway.trust.store.principals(&after, limit as i64 + 1);
    let items = counts.await?.into_iter().map(|count| PrincipalInfo {
        principal: count.principal,
        answered: unsigned(count.answered),
        refused: unsigned(count.refused),
        last_at: unsigned(count.last_at),
    });
    Ok(Json(part(
        items.collect(),
        limit,
        |item: &PrincipalInfo| format!("{}.{}", item.last_at, item.principal),
    )))
}

/// Where the list goes on behind the one that `next` names: `<latest>.<principal>`. Behind what names
/// none there is nothing.
fn place(next: &str) -> PrincipalsAfter {
    let named = next.split_once('.').and_then(|(at, principal)| {
        Some(PrincipalsAfter {
            last_at: at.parse().ok()?,
            principal: principal.to_owned(),
        })
    });
    named.unwrap_or(PrincipalsAfter {
        last_at: i64::MIN,
        principal: String::new(),
    })
}
