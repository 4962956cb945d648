//! What the plugin `host` answers for its machine, under addresses of its own: `/network`,
//! `/bluetooth`, `/utils`, `/system/services`. The same general rule carries them.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::ApiError;
use super::admin::{Admin, Operator, Viewer};
use super::openapi::Asked;
use super::path::Path;
use super::plugins::forward;
use crate::gateway::Gateway;

/// The plugin.
const HOST: &str = "host";

/// Show the machine's interfaces, addresses, routes and name servers
#[utoipa::path(
    get, path = "/network", tag = "host",
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn network(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(&gateway, &viewer, HOST, "network", request).await
}

/// Show a part of the machine's network: interfaces, routes or dns
#[utoipa::path(
    get, path = "/network/{part}", tag = "host",
    params(("part" = String, Path, description = "Which part.")),
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn network_part(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    Path(part): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(&gateway, &viewer, HOST, &format!("network/{part}"), request).await
}

/// Show the machine's Bluetooth adapters and devices
///
/// Without an adapter `present` is false.
#[utoipa::path(
    get, path = "/bluetooth", tag = "host",
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn bluetooth(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(&gateway, &viewer, HOST, "bluetooth", request).await
}

/// List the small things that the machine is asked
#[utoipa::path(
    get, path = "/utils", tag = "host",
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn utils(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(&gateway, &viewer, HOST, "utils", request).await
}

/// Ask the machine a small thing: time, hostname, uptime, disk, uuid, resolve, hash
#[utoipa::path(
    get, path = "/utils/{thing}", tag = "host",
    params(("thing" = String, Path, description = "What is asked.")),
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["viewer"]), ("bearer" = ["viewer"])),
)]
pub(super) async fn util(
    viewer: Viewer,
    State(gateway): State<Arc<Gateway>>,
    Path(thing): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(&gateway, &viewer, HOST, &format!("utils/{thing}"), request).await
}

/// Have the machine work on a body: hash
#[utoipa::path(
    post, path = "/utils/{thing}", tag = "host",
    params(("thing" = String, Path, description = "What is to be done.")),
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn work(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    Path(thing): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(
        &gateway,
        &operator,
        HOST,
        &format!("utils/{thing}"),
        request,
    )
    .await
}

/// List the services that may be steered
#[utoipa::path(
    get, path = "/system/services", tag = "host",
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn services(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(&gateway, &admin, HOST, "services", request).await
}

/// Show the state of a service
///
/// P17: the plugin asks for the role as well, since its general address leads there too.
#[utoipa::path(
    get, path = "/system/services/{name}", tag = "host",
    params(("name" = String, Path, description = "The service.")),
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn service(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(&gateway, &admin, HOST, &format!("services/{name}"), request).await
}

/// Start or stop a service
///
/// The body is an object with the `action`: `start`, `stop` or `status`.
#[utoipa::path(
    post, path = "/system/services/{name}", tag = "host",
    params(("name" = String, Path, description = "The service.")),
    responses((status = 200, description = "Its answer.", body = Value), Asked),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn steer_service(
    admin: Admin,
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    forward(&gateway, &admin, HOST, &format!("services/{name}"), request).await
}
