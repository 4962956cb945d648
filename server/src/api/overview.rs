//! The state of the gateway at a glance.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tidegate_protocol::admin::Overview;

use super::admin::Viewer;
use crate::gateway::Gateway;

/// The gateway at a glance
#[utoipa::path(
    get, path = "/overview", tag = "gateway",
    responses(
        (status = 200, description = "State, figures, the last five minutes.", body = Overview),
    ),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn show(_: Viewer, State(gateway): State<Arc<Gateway>>) -> Json<Overview> {
    Json(Overview {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: gateway.config.node.clone(),
        started_at: gateway.started_at,
        bus: gateway.bus_info(),
        store: gateway.store_info(),
        figures: gateway.figures.now(&gateway.hub),
        history: gateway.history.all(),
    })
}
