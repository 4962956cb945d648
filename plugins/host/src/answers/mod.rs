//! What the plugin answers to HTTP requests that the gateway passes on: all of it read from the
//! machine at that moment, nothing of it through a shell.

mod bluetooth;
mod network;
mod services;
mod utils;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_plugin::http::{Answer, Request};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

pub(crate) use services::{Services, is_service_name};

/// Requests that are answered at the same time.
const MAX_UNDER_WAY: usize = 16;
/// How long a look at the machine may take: a dead network mount answers never.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers requests.
#[derive(Clone)]
pub(crate) struct Desk {
    services: Arc<Services>,
    bluetooth: PathBuf,
    room: Arc<Semaphore>,
}

/// The addresses there are, for who asks for none of them.
const PATHS: [&str; 15] = [
    "network",
    "network/interfaces",
    "network/routes",
    "network/dns",
    "bluetooth",
    "utils",
    "utils/time",
    "utils/hostname",
    "utils/uptime",
    "utils/disk",
    "utils/uuid",
    "utils/resolve?name=",
    "utils/hash?text=&algorithm=",
    "services",
    "services/<name>",
];

impl Desk {
    pub(crate) fn new(services: Services, bluetooth: PathBuf) -> Self {
        Self {
            services: Arc::new(services),
            bluetooth,
            room: Arc::new(Semaphore::new(MAX_UNDER_WAY)),
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: &Request) -> Answer {
        let Ok(place) = self.room.clone().try_acquire_owned() else {
            return Answer::refused(503, "The machine is asked too much at once; try again.");
        };
        let path = request.path.trim_matches('/');
        if path == "services" || path.starts_with("services/") {
            let name = path.strip_prefix("services/").unwrap_or_default();
            return self.services.answer(request, name).await;
        }
        let posts_hash = path == "utils/hash" && request.method == "POST";
        if !request.looks() && !posts_hash {
            return Answer::refused(405, "This can only be looked at: use GET.");
        }
        match path {
            "" => Answer::ok(json!({ "paths": PATHS })),
            "network" => look(place, network::all).await,
            "network/interfaces" => look(place, network::interfaces).await,
            "network/routes" => look(place, network::routes).await,
            "network/dns" => look(place, network::dns).await,
            "bluetooth" => {
                let folder = self.bluetooth.clone();
                look(place, move || bluetooth::all(&folder)).await
            }
            "utils" => {
                let of_utils = PATHS.iter().filter(|path| path.starts_with("utils/"));
                Answer::ok(json!({ "paths": of_utils.collect::<Vec<_>>() }))
            }
            "utils/time" => Answer::ok(utils::time()),
            "utils/hostname" => Answer::ok(utils::hostname()),
            "utils/uptime" => Answer::ok(utils::uptime()),
            "utils/uuid" => Answer::ok(utils::uuid()),
            "utils/disk" => look(place, utils::disk).await,
            "utils/resolve" => utils::resolve(request).await,
            "utils/hash" => utils::hash(request),
            _ => Answer::refused(404, format!("This machine is not asked for {path:?}.")),
        }
    }
}

/// Looks beside the other requests. A look that hangs keeps its place, so that few can.
async fn look(place: OwnedSemaphorePermit, at: impl FnOnce() -> Value + Send + 'static) -> Answer {
    let looking = tokio::task::spawn_blocking(move || {
        let seen = at();
        drop(place);
        seen
    });
    match timeout(PATIENCE, looking).await {
        Ok(Ok(seen)) => Answer::ok(seen),
        Ok(Err(_)) => Answer::refused(500, "The machine could not be looked at."),
        Err(_) => Answer::refused(504, "The machine does not answer in time."),
    }
}
