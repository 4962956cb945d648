//! The gateway itself: what it is, how it is, and the settings that hold.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tidegate_protocol::system::{Configuration, MetricsSummary, SystemInfo};

use super::admin::{Admin, Viewer};
use super::health::not_ready;
use crate::gateway::Gateway;
use crate::sampler::resident_bytes;

/// What the gateway is and how it is
#[utoipa::path(
    get, path = "/system", tag = "gateway",
    responses((status = 200, description = "The gateway.", body = SystemInfo)),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn show(_: Viewer, State(gateway): State<Arc<Gateway>>) -> Json<SystemInfo> {
    let not_ready = not_ready(&gateway);
    Json(SystemInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: gateway.config.node.clone(),
        started_at: gateway.started_at,
        uptime: gateway.hub.now_ms().saturating_sub(gateway.started_at) / 1000,
        ready: not_ready.is_empty(),
        not_ready,
        bus: gateway.bus_info(),
        store: gateway.store_info(),
        metrics: summary(&gateway),
    })
}

fn summary(gateway: &Gateway) -> MetricsSummary {
    let (hub, stats) = (&gateway.hub, &gateway.hub.stats);
    MetricsSummary {
        connections: hub.connection_count() as u64,
        channels: hub.channel_count() as u64,
        members: hub.member_count() as u64,
        remote_members: hub.remote_member_count() as u64,
        peers: hub.peer_count() as u64,
        events_from_clients: stats.events_from_clients.get(),
        events_from_bus: stats.events_from_bus.get(),
        deliveries: stats.deliveries.get(),
        bytes_in: stats.bytes_in.get(),
        bytes_out: stats.bytes_out.get(),
        memory: resident_bytes(),
        figures: gateway.figures.now(hub),
    }
}

/// Every setting that holds
///
/// What the settings tell of the machine is for administrators; secrets are masked.
#[utoipa::path(
    get, path = "/system/configuration", tag = "gateway",
    responses((status = 200, description = "The settings.", body = Configuration)),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn configuration(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
) -> Json<Configuration> {
    Json(gateway.config.listing.clone())
}
