//! Channel definitions. They hold until the gateway stops; lasting ones stand in the
//! configuration file.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use tidegate_protocol::admin::Done;
use tidegate_protocol::{Definition, TopicPattern};

use super::ApiError;
use super::admin::Admin;
use crate::gateway::Gateway;

pub(super) async fn list(_: Admin, State(gateway): State<Arc<Gateway>>) -> Json<Vec<Definition>> {
    Json(gateway.hub.definitions.list())
}

pub(super) async fn put(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
    body: Result<Json<Definition>, JsonRejection>,
) -> Result<Json<Done>, ApiError> {
    let Json(definition) = body?;
    let pattern = definition
        .pattern
        .as_ref()
        .map(TopicPattern::to_string)
        .unwrap_or_default();
    let removed = gateway.hub.define(definition.clone())?;
    tracing::info!(
        ?definition,
        removed = removed.len(),
        "admin defined a channel"
    );
    let done = said(&format!("{pattern} is defined"), removed.len());
    gateway.lifecycle.tell(removed);
    Ok(Json(done))
}

pub(super) async fn remove(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(pattern): Path<String>,
) -> Result<Json<Done>, ApiError> {
    let parsed = TopicPattern::new(&pattern)
        .map_err(|error| ApiError::Name(pattern.clone(), "a pattern", error))?;
    let removed = gateway
        .hub
        .undefine(&parsed)
        .ok_or_else(|| ApiError::NotFound("definition", pattern.clone()))?;
    tracing::info!(
        pattern,
        removed = removed.len(),
        "admin removed a definition"
    );
    let done = said(
        &format!("The definition of {pattern} is gone"),
        removed.len(),
    );
    gateway.lifecycle.tell(removed);
    Ok(Json(done))
}

fn said(what: &str, removed: usize) -> Done {
    let done = match removed {
        0 => format!("{what}."),
        1 => format!("{what}; 1 member without the right to stay was removed."),
        n => format!("{what}; {n} members without the right to stay were removed."),
    };
    Done { done }
}
