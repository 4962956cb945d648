//! Channels and their members.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use bytes::Bytes;
use serde::Deserialize;
use tidegate_hub::ListQuery;
use tidegate_protocol::admin::{ChannelInfo, Done, MemberInfo, Page, SendEvent};
use tidegate_protocol::{BusName, Direction, Event, Topic, is_reserved_topic};
use utoipa::IntoParams;

use super::ApiError;
use super::admin::{Operator, Viewer};
use super::body::Body;
use super::done::{Answer, done};
use super::openapi::{BusDown, NotFound, Unprocessable};
use super::path::Path;
use crate::gateway::Gateway;

/// What the removed are told.
const REMOVED: &str = "removed by an administrator";
const CLOSED: &str = "closed by an administrator";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// With this in the name.
    search: Option<String>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
    /// How many at most; 50 when it is left out, and never more than 200.
    #[param(value_type = Option<u64>, maximum = 4294967295_u64)]
    limit: Option<u32>,
}

impl From<ListParams> for ListQuery {
    fn from(params: ListParams) -> Self {
        ListQuery {
            search: params.search,
            after: params.after,
            limit: params.limit.map(|limit| limit as usize),
        }
    }
}

/// Channels that have members
///
/// In the order of their topics.
#[utoipa::path(
    get, path = "/channels", tag = "channels",
    params(ListParams),
    responses((status = 200, description = "Channels.", body = Page<ChannelInfo>)),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn list(
    _: Viewer,
    State(gateway): State<Arc<Gateway>>,
    params: Result<Query<ListParams>, QueryRejection>,
) -> Result<Json<Page<ChannelInfo>>, ApiError> {
    Ok(Json(gateway.hub.list_channels(&params?.0.into())))
}

/// One channel
#[utoipa::path(
    get, path = "/channels/{topic}", tag = "channels",
    params(("topic" = String, Path, description = "The channel.")),
    responses((status = 200, description = "The channel.", body = ChannelInfo), NotFound),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn show(
    _: Viewer,
    State(gateway): State<Arc<Gateway>>,
    Path(topic): Path<String>,
) -> Result<Json<ChannelInfo>, ApiError> {
    let channel = gateway
        .hub
        .channel(&topic)
        .ok_or_else(|| no_channel(topic))?;
    Ok(Json(gateway.hub.channel_info(&channel)))
}

fn no_channel(topic: String) -> ApiError {
    ApiError::NotFound("channel", topic)
}

/// The members of a channel
#[utoipa::path(
    get, path = "/channels/{topic}/members", tag = "channels",
    params(
        ("topic" = String, Path, description = "The channel."),
        ListParams,
    ),
    responses((status = 200, description = "Members.", body = Page<MemberInfo>), NotFound),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn members(
    _: Viewer,
    State(gateway): State<Arc<Gateway>>,
    Path(topic): Path<String>,
    params: Result<Query<ListParams>, QueryRejection>,
) -> Result<Json<Page<MemberInfo>>, ApiError> {
    let channel = gateway
        .hub
        .channel(&topic)
        .ok_or_else(|| no_channel(topic))?;
    Ok(Json(gateway.hub.list_members(&channel, &params?.0.into())))
}

/// Close a channel
///
/// Its members are removed and told so; they may join again.
#[utoipa::path(
    delete, path = "/channels/{topic}", tag = "channels",
    params(("topic" = String, Path, description = "The channel.")),
    responses((status = 200, description = "What was done.", body = Done), NotFound),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn close(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    Path(topic): Path<String>,
) -> Result<Answer<Done>, ApiError> {
    let removed = gateway
        .hub
        .close_channel(&topic, CLOSED)
        .ok_or_else(|| no_channel(topic.clone()))?;
    let count = removed.len();
    gateway.lifecycle.tell(removed);
    tracing::info!(
        by = operator.name,
        topic,
        members = count,
        "closed a channel"
    );
    Ok(done(format!(
        "Closed {topic} and removed {}.",
        members_in_words(count)
    )))
}

/// Remove a member
///
/// It is told so, and may join again.
#[utoipa::path(
    delete, path = "/channels/{topic}/members/{id}", tag = "channels",
    params(
        ("topic" = String, Path, description = "The channel."),
        ("id" = String, Path, description = "The member, as the list of members names it."),
    ),
    responses((status = 200, description = "What was done.", body = Done), NotFound),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn remove_member(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    Path((topic, id)): Path<(String, String)>,
) -> Result<Answer<Done>, ApiError> {
    let removed = gateway
        .hub
        .remove_by_id(&topic, &id, REMOVED)
        .ok_or_else(|| ApiError::NotFound("member", id.clone()))?;
    gateway.lifecycle.tell(removed);
    tracing::info!(by = operator.name, topic, member = id, "removed a member");
    Ok(done(format!("Removed {id} from {topic}.")))
}

/// Send an event
///
/// To every member of the channel, on every gateway; backends see it on the bus.
#[utoipa::path(
    post, path = "/channels/{topic}/events", tag = "channels",
    params(("topic" = String, Path, description = "The channel.")),
    request_body = SendEvent,
    responses((status = 200, description = "What was done.", body = Done), Unprocessable, BusDown),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn send(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    Path(topic): Path<String>,
    body: Result<Body<SendEvent>, ApiError>,
) -> Result<Answer<Done>, ApiError> {
    let Body(SendEvent { event, payload }) = body?;
    let topic = Topic::new(&topic).map_err(|e| ApiError::Name(topic, "a topic", e))?;
    let event = Event::new(&event).map_err(|e| ApiError::Name(event, "an event", e))?;
    if is_reserved_topic(topic.as_str()) {
        return Err(ApiError::Reserved(topic.to_string()));
    }
    if event.is_reserved() {
        return Err(ApiError::Reserved(event.to_string()));
    }
    let count = gateway
        .hub
        .channel(topic.as_str())
        .map_or(0, |c| c.member_count());
    let name = BusName {
        direction: Direction::To,
        topic: topic.clone(),
        event: event.clone(),
    };
    gateway
        .bus
        .publish(name, Bytes::from(payload.to_string()))
        .await
        .map_err(|error| ApiError::BusDown(error.to_string()))?;
    tracing::info!(by = operator.name, ?topic, ?event, "sent an event");
    Ok(done(format!(
        "Sent {event} to {} of {topic}.",
        members_in_words(count)
    )))
}

fn members_in_words(count: usize) -> String {
    if count == 1 {
        "1 member".to_owned()
    } else {
        format!("{count} members")
    }
}
