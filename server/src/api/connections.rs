//! Connections.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use tidegate_protocol::Close;
use tidegate_protocol::admin::{ConnectionInfo, Done, Page};

use super::ApiError;
use super::admin::{Operator, Viewer};
use super::channels::ListParams;
use super::done::{Answer, done};
use crate::gateway::Gateway;

pub(super) async fn list(
    _: Viewer,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<ListParams>, QueryRejection>,
) -> Result<Json<Page<ConnectionInfo>>, ApiError> {
    Ok(Json(gateway.hub.list_connections(&params?.0.into())))
}

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
