//! Members of all channels, and who is present: who gets what (G13).

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use tidegate_hub::{ListQuery, MemberFilter};
use tidegate_protocol::Topic;
use tidegate_protocol::admin::{MemberInfo, Page, PresenceInfo};
use utoipa::IntoParams;

use super::ApiError;
use super::admin::Viewer;
use super::openapi::Unprocessable;
use crate::gateway::Gateway;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MemberParams {
    /// Members of this topic.
    topic: Option<String>,
    /// Members of this user.
    user: Option<String>,
    /// Members of this connection.
    connection: Option<String>,
    /// With this in the id or the user.
    search: Option<String>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
    /// How many at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
}

/// List members of all channels
///
/// Those on this gateway. `DELETE /channels/{topic}/members/{id}` removes one.
#[utoipa::path(
    get, path = "/members", tag = "channels",
    params(MemberParams),
    responses((status = 200, description = "Members.", body = Page<MemberInfo>)),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn list(
    _: Viewer,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<MemberParams>, QueryRejection>,
) -> Result<Json<Page<MemberInfo>>, ApiError> {
    let Query(params) = params?;
    let filter = MemberFilter {
        topic: params.topic,
        user: params.user,
        connection: params.connection,
    };
    let query = ListQuery {
        search: params.search,
        after: params.after,
        limit: params.limit.map(|limit| limit as usize),
    };
    Ok(Json(gateway.hub.list_all_members(&filter, &query)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PresenceParams {
    /// The topic.
    #[param(min_length = 1, max_length = 255)]
    topic: String,
    /// With this in the key.
    search: Option<String>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
    /// How many keys at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
}

/// Show who is present on a topic
///
/// On all gateways, in the shape of Phoenix's `presence_state`.
#[utoipa::path(
    get, path = "/presence", tag = "channels",
    params(PresenceParams),
    responses((status = 200, description = "Who is there.", body = PresenceInfo), Unprocessable),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn presence(
    _: Viewer,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<PresenceParams>, QueryRejection>,
) -> Result<Json<PresenceInfo>, ApiError> {
    let Query(params) = params?;
    let topic = Topic::new(&params.topic)
        .map_err(|error| ApiError::Name(params.topic.clone(), "a topic", error))?;
    let query = ListQuery {
        search: params.search,
        after: params.after,
        limit: params.limit.map(|limit| limit as usize),
    };
    Ok(Json(gateway.hub.presence(&topic, &query)))
}
