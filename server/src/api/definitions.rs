//! Channel definitions. What administrators define is kept in the store, over what the configuration
//! file says, and holds on every gateway that shares it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tidegate_protocol::admin::Done;
use tidegate_protocol::{Definition, DefinitionError, TopicPattern};
use tidegate_store::StoredDefinition;

use super::ApiError;
use super::admin::{Admin, Viewer};
use super::body::Body;
use super::done::{Answer, done};
use super::openapi::{NotFound, Stored, Unprocessable};
use super::path::Path;
use crate::gateway::Gateway;
use crate::trust::{Trust, change, now_ms, refresh};

/// Channel definitions
///
/// The most specific one that matches a topic holds for it.
#[utoipa::path(
    get, path = "/definitions", tag = "definitions",
    responses(
        (status = 200, description = "Definitions, in the order of their patterns.", body = Vec<Definition>),
    ),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn list(_: Viewer, State(gateway): State<Arc<Gateway>>) -> Json<Vec<Definition>> {
    // Another gateway or a command may have changed them just now, and who asks may be about to write
    // back what it reads. A store that is lost shows what holds here.
    let _ = refresh(&gateway).await;
    Json(gateway.hub.definitions.list())
}

/// Define a channel
///
/// Or change what is defined for this pattern. Who loses the right to be a member is removed and
/// told why; nobody else notices.
#[utoipa::path(
    put, path = "/definitions", tag = "definitions",
    request_body = Definition,
    responses((status = 200, description = "What was done.", body = Done), Unprocessable, Stored),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn put(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    body: Result<Body<Definition>, ApiError>,
) -> Result<Answer<Done>, ApiError> {
    let Body(definition) = body?;
    definition.check()?;
    let pattern = definition
        .pattern
        .as_ref()
        .map(TopicPattern::to_string)
        .unwrap_or_default();
    if !gateway.hub.definitions.has_room_for(&pattern) {
        return Err(DefinitionError::TooMany.into());
    }
    let body = serde_json::to_string(&definition).map_err(|_| ApiError::Fault)?;
    let stored = StoredDefinition {
        pattern: pattern.clone(),
        body: Some(body),
        changed_at: now_ms(),
        changed_by: admin.name.clone(),
    };
    let writing = gateway.trust.store.put_definition(&stored);
    let removed = change(&gateway, writing).await?;
    tracing::info!(by = admin.name, ?definition, removed, "defined a channel");
    Ok(said(&format!("{pattern} is defined"), removed))
}

/// Remove a definition
///
/// What is less specific holds then.
#[utoipa::path(
    delete, path = "/definitions/{pattern}", tag = "definitions",
    params(("pattern" = String, Path, description = "A topic, or `prefix:*`.")),
    responses(
        (status = 200, description = "What was done.", body = Done),
        NotFound,
        Unprocessable,
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn remove(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(pattern): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    let parsed = TopicPattern::new(&pattern)
        .map_err(|error| ApiError::Name(pattern.clone(), "a pattern", error))?;
    if !gateway.hub.definitions.has(&pattern) {
        return Err(ApiError::NotFound("definition", pattern));
    }
    let store = &gateway.trust.store;
    let removed = if Trust::is_configured(&gateway, &parsed) {
        // The file still says so at the next start: the store remembers that it does not hold.
        let gone = StoredDefinition {
            pattern: pattern.clone(),
            body: None,
            changed_at: now_ms(),
            changed_by: admin.name.clone(),
        };
        change(&gateway, store.put_definition(&gone)).await?
    } else {
        let forgetting = async { store.forget_definition(&pattern).await.map(drop) };
        change(&gateway, forgetting).await?
    };
    tracing::info!(by = admin.name, pattern, removed, "removed a definition");
    Ok(said(
        &format!("The definition of {pattern} is gone"),
        removed,
    ))
}

fn said(what: &str, removed: usize) -> Answer<Done> {
    done(match removed {
        0 => format!("{what}."),
        1 => format!("{what}; 1 member without the right to stay was removed."),
        n => format!("{what}; {n} members without the right to stay were removed."),
    })
}
