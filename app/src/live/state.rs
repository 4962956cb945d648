//! What the parts of the Live page share.

use std::sync::Arc;

use leptos::prelude::*;

use super::fleet::Fleet;
use super::host_log::HostLog;

/// How a channel of the page is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Health {
    /// Not joined yet.
    #[default]
    Joining,
    /// Joined; whether anything comes is another question.
    Joined,
    /// The gateway does not let the page in, with its reason.
    Refused(String),
    /// Something came that the page cannot read.
    Unreadable(String),
}

/// How the map is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MapState {
    /// On its way.
    #[default]
    Loading,
    /// Shown.
    Ready,
    /// This browser cannot show it.
    NoWebGl,
    /// It could not be loaded, with the reason.
    Failed(String),
}

/// The state of the Live page. Cheap to copy; everything in it is reactive.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// All aircraft; changes with every message.
    pub fleet: RwSignal<Fleet>,
    /// The host's figures; changes once a second.
    pub host: RwSignal<HostLog>,
    /// How the channel `flights` is.
    pub flights_health: RwSignal<Health>,
    /// How the channel `host` is.
    pub host_health: RwSignal<Health>,
    /// The selected aircraft.
    pub selected: RwSignal<Option<Arc<str>>>,
    /// Whether all aircraft show their trails.
    pub trails: RwSignal<bool>,
    /// Whether all aircraft show their names.
    pub labels: RwSignal<bool>,
    /// How the map is.
    pub map: RwSignal<MapState>,
    /// The page's monotonic time in milliseconds; ticks once a second.
    pub page_time: RwSignal<f64>,
    /// Counts requests to show the selected aircraft in the middle of the map.
    pub centre: RwSignal<u32>,
    /// Goes up and down with requests to zoom in and out.
    pub zoom: RwSignal<i32>,
    /// Counts requests to show all of the traffic.
    pub overview: RwSignal<u32>,
}

impl Live {
    /// The state at first paint.
    pub fn new() -> Self {
        Self {
            fleet: RwSignal::default(),
            host: RwSignal::default(),
            flights_health: RwSignal::default(),
            host_health: RwSignal::default(),
            selected: RwSignal::default(),
            trails: RwSignal::new(false),
            labels: RwSignal::new(false),
            map: RwSignal::default(),
            page_time: RwSignal::new(0.0),
            centre: RwSignal::new(0),
            zoom: RwSignal::new(0),
            overview: RwSignal::new(0),
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

/// The state of the Live page around.
pub fn use_live() -> Live {
    use_context::<Live>().unwrap_or_default()
}
