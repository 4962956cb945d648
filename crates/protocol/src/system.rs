//! What the API under `/api/v1/system` says of a gateway: the same types on both sides.
//!
//! Times are milliseconds since 1970, sizes bytes.

use serde::{Deserialize, Serialize};

use crate::admin::{BusInfo, Figures};

/// The state of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreInfo {
    /// Whether it can be used.
    pub state: StoreState,
    /// `sqlite` or `postgresql`.
    pub kind: String,
    /// What the last error was, in words, while it is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Connections to it.
    pub connections: u64,
    /// Records that it has not taken yet.
    pub waiting: u64,
}

/// Whether the store can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StoreState {
    /// It answers.
    Ready,
    /// It does not answer: what it holds cannot be changed, live traffic goes on.
    Lost,
    /// There is none that outlives the process (`--data-dir none` without a database).
    #[default]
    None,
}

/// `GET /api/v1/system`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SystemInfo {
    /// Version of the gateway.
    pub version: String,
    /// This gateway's name among others.
    pub node: String,
    /// When it started.
    pub started_at: u64,
    /// Seconds since then.
    pub uptime: u64,
    /// Whether it takes traffic, as `/readyz` says.
    pub ready: bool,
    /// Why it does not, each in a sentence.
    #[serde(default)]
    pub not_ready: Vec<String>,
    /// The bus.
    pub bus: BusInfo,
    /// The store.
    pub store: StoreInfo,
    /// What the metrics say, in short.
    pub metrics: MetricsSummary,
}

/// What `GET /metrics` says at length. Counters are those since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricsSummary {
    /// Open connections.
    pub connections: u64,
    /// Channels with members.
    pub channels: u64,
    /// Members of all channels on this gateway.
    pub members: u64,
    /// Members on other gateways that presence shows here.
    pub remote_members: u64,
    /// Other gateways that are heard.
    pub peers: u64,
    /// Events that came from clients.
    pub events_from_clients: u64,
    /// Events that came from the bus.
    pub events_from_bus: u64,
    /// Events handed to connections.
    pub deliveries: u64,
    /// Bytes read from sockets.
    pub bytes_in: u64,
    /// Bytes handed to sockets.
    pub bytes_out: u64,
    /// Resident memory of the process.
    pub memory: u64,
    /// What was lost and how long things take.
    pub figures: Figures,
}

/// `GET /api/v1/system/configuration`: every setting that holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Configuration {
    /// All of them, in the order of `tidegate serve --help`.
    pub settings: Vec<Setting>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Setting {
    /// The flag without its dashes, for instance `max-connections`.
    pub name: String,
    /// The environment variable that sets it as well.
    pub environment: String,
    /// What holds; absent where nothing does. Of a secret that is set this is [`MASK`].
    pub value: Option<String>,
    /// Who said so.
    pub source: SettingSource,
    /// Whether the value is kept from view.
    pub secret: bool,
    /// What it is for.
    pub about: String,
}

/// What stands in the place of a secret that is set.
pub const MASK: &str = "********";

/// Where a setting comes from; an earlier one wins over a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SettingSource {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// The configuration file.
    File,
    /// Nobody has said anything.
    Default,
}

impl SettingSource {
    /// Its name, as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SettingSource::Flag => "flag",
            SettingSource::Environment => "environment",
            SettingSource::File => "file",
            SettingSource::Default => "default",
        }
    }
}
