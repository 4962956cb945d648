//! The administration API, call by call.

use tidegate_protocol::Definition;
use tidegate_protocol::admin::{ChannelInfo, Done, Overview, SendEvent, SessionInfo, SignIn};

use tidegate_protocol::system::SystemInfo;

use crate::http::{ApiError, delete, get, segment, send};

const BASE: &str = "/api/v1";

pub(crate) async fn session() -> Result<SessionInfo, ApiError> {
    get("/api/v1/session").await
}

pub(crate) async fn sign_in(sign_in: SignIn) -> Result<SessionInfo, ApiError> {
    send("POST", "/api/v1/session", &sign_in).await
}

pub(crate) async fn sign_out() -> Result<Done, ApiError> {
    delete("/api/v1/session").await
}

pub(crate) async fn system() -> Result<SystemInfo, ApiError> {
    get("/api/v1/system").await
}

pub(crate) async fn overview() -> Result<Overview, ApiError> {
    get("/api/v1/overview").await
}

/// The path of the list of channels.
pub(crate) const CHANNELS: &str = "/api/v1/channels";

/// The path of the list of connections.
pub(crate) const CONNECTIONS: &str = "/api/v1/connections";

fn channel_path(topic: &str) -> String {
    format!("{CHANNELS}/{}", segment(topic))
}

/// The path of the list of a channel's members.
pub(crate) fn members_path(topic: &str) -> String {
    format!("{}/members", channel_path(topic))
}

pub(crate) async fn channel(topic: &str) -> Result<ChannelInfo, ApiError> {
    get(&channel_path(topic)).await
}

pub(crate) async fn close_channel(topic: String) -> Result<Done, ApiError> {
    delete(&channel_path(&topic)).await
}

pub(crate) async fn remove_member(topic: String, id: String) -> Result<Done, ApiError> {
    delete(&format!("{}/{}", members_path(&topic), segment(&id))).await
}

pub(crate) async fn send_event(topic: String, event: SendEvent) -> Result<Done, ApiError> {
    send("POST", &format!("{}/events", channel_path(&topic)), &event).await
}

pub(crate) async fn close_connection(id: String) -> Result<Done, ApiError> {
    delete(&format!("{CONNECTIONS}/{}", segment(&id))).await
}

pub(crate) async fn definitions() -> Result<Vec<Definition>, ApiError> {
    get(&format!("{BASE}/definitions")).await
}

pub(crate) async fn define(definition: Definition) -> Result<Done, ApiError> {
    send("PUT", &format!("{BASE}/definitions"), &definition).await
}

pub(crate) async fn undefine(pattern: String) -> Result<Done, ApiError> {
    delete(&format!("{BASE}/definitions/{}", segment(&pattern))).await
}
