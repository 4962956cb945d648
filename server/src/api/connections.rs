//! Connections.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use tidegate_protocol::Close;
use tidegate_protocol::admin::{ConnectionInfo, Done, Page};

use super::ApiError;
use super::admin::{Operator, Viewer};
use super::channels::ListParams;
use super::done::{Answer, done};
use super::openapi::NotFound;
use super::path::Path;
use crate::gateway::Gateway;

/// Connections
#[utoipa::path(
    get, path = "/connections", tag = "connections",
    params(ListParams),
    responses((status = 200, description = "Connections.", body = Page<ConnectionInfo>)),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn list(
    _: Viewer,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<ListParams>, QueryRejection>,
) -> Result<Json<Page<ConnectionInfo>>, ApiError> {
    Ok(Json(gateway.hub.list_connections(&params?.0.into())))
}

/// Close a connection
///
/// The client may connect again.
#[utoipa::path(
    delete, path = "/connections/{id}", tag = "connections",
    params(("id" = String, Path, description = "The connection.")),
    responses((status = 200, description = "What was done.", body = Done), NotFound),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn close(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    if !gateway.hub.close_connection(&id, Close::ClosedByAdmin) {
        return Err(ApiError::NotFound("connection", id));
    }
    tracing::info!(by = operator.name, connection = id, "closed a connection");
    Ok(done(format!("Closed connection {id}.")))
}
