//! `GET /healthz` and `/readyz`: whether the process serves, and whether it takes traffic.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::gateway::Gateway;

/// The answer of both.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok` or `not ready`.
    status: &'static str,
    /// What is not ready, each in a sentence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_ready: Vec<String>,
}

/// Whether the process serves
#[utoipa::path(
    get, path = "/healthz", tag = "gateway",
    responses((status = 200, description = "It does.", body = Health)),
    security(()),
)]
pub(super) async fn live() -> Response {
    answer(Vec::new())
}

/// Whether it takes traffic
///
/// A bus that is up is needed, and that the gateway does not stop.
#[utoipa::path(
    get, path = "/readyz", tag = "gateway",
    responses(
        (status = 200, description = "It does.", body = Health),
        (status = 503, description = "It does not; the body says why.", body = Health),
    ),
    security(()),
)]
pub(super) async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    answer(not_ready(&gateway))
}

/// What keeps this gateway from taking traffic, each in a sentence.
pub(super) fn not_ready(gateway: &Gateway) -> Vec<String> {
    let mut reasons = Vec::new();
    if gateway.is_stopping() {
        reasons.push("The gateway is stopping.".to_owned());
    }
    let bus = gateway.bus_info();
    if !bus.up {
        let detail = bus.detail.unwrap_or_else(|| "no reason known".to_owned());
        reasons.push(format!("The bus is down: {detail}."));
    }
    reasons
}

fn answer(not_ready: Vec<String>) -> Response {
    let (code, status) = if not_ready.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    (code, Json(Health { status, not_ready })).into_response()
}
