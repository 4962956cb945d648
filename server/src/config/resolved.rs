//! What holds, every part checked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tidegate_auth::{Bearer, MIN_SIGNING_BYTES, Secret, read_own};
use tidegate_protocol::system::Configuration;
use tidegate_protocol::{Definition, Role, builtin_definitions};
use tidegate_store::{Place, StoreConfig};

use super::issuers::{issuers, key_documents};
use super::logs::logs;
use super::{ConfigError, IssuerConfig, KeyDocuments, Settings};
use crate::client::{NoNetwork, ProxyHeader, TrustedProxies};
use crate::http::HttpLimits;
use crate::limits::RateLimits;
use crate::logs::LogSettings;
use crate::origin::AllowedOrigins;
use crate::plugins::PluginLimits;
use crate::publishes::PublishLimits;

/// The configuration of a gateway.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// The Unix socket and its mode.
    pub(crate) unix_socket: Option<(PathBuf, u32)>,
    pub(crate) bus: BusConfig,
    /// The secret of `--jwt-secret`.
    pub(crate) shared_secret: Option<Secret>,
    /// Whether tokens that name no key are checked with it.
    pub(crate) plain_tokens: bool,
    /// Whose tokens are taken beside the gateway's own.
    pub(crate) issuers: Vec<IssuerConfig>,
    pub(crate) key_documents: KeyDocuments,
    pub(crate) store: StoreSettings,
    pub(crate) token_warning_seconds: u64,
    /// 0: anonymous clients are not known again.
    pub(crate) client_cookie_seconds: u64,
    pub(crate) key_rotation_days: u32,
    pub(crate) activity_records: u32,
    pub(crate) activity_days: u32,
    pub(crate) max_open_tokens: u32,
    pub(crate) internal: Internal,
    pub(crate) token_seconds: u64,
    /// Whether POST /token answers anybody.
    pub(crate) open_tokens: bool,
    pub(crate) admin_password: Option<Hidden>,
    pub(crate) static_path: Option<PathBuf>,
    pub(crate) allowed_origins: AllowedOrigins,
    pub(crate) proxies: TrustedProxies,
    pub(crate) tangram_compat: bool,
    pub(crate) node: String,
    pub(crate) idle: Duration,
    pub(crate) http: HttpLimits,
    pub(crate) peer_lease: Duration,
    /// From how many bytes on events are compressed; `None` where they never are.
    pub(crate) deflate_min_bytes: Option<usize>,
    /// Threads that write to large channels.
    pub(crate) fan_out_threads: usize,
    pub(crate) drain: Duration,
    pub(crate) publish: PublishLimits,
    pub(crate) plugins: PluginLimits,
    pub(crate) max_frame_bytes: usize,
    pub(crate) max_errors: usize,
    pub(crate) pushes_per_second: u32,
    pub(crate) joins_per_second: u32,
    pub(crate) rates: RateLimits,
    pub(crate) limits: tidegate_hub::Limits,
    /// The built-in definitions first, so that the operator's replace them.
    pub(crate) definitions: Vec<Definition>,
    pub(crate) logs: LogSettings,
    /// What programs show that read the metrics.
    pub(crate) metrics_token: Option<Bearer>,
    /// All of the above as it was said, for administrators to read.
    pub(crate) listing: Configuration,
}

/// The store, and where the key file is.
#[derive(Debug, Clone)]
pub(crate) struct StoreSettings {
    pub(crate) config: StoreConfig,
    /// `None` for a gateway that forgets.
    pub(crate) folder: Option<PathBuf>,
}

/// Requests that programs of one's own sign.
#[derive(Debug, Clone)]
pub(crate) struct Internal {
    /// `None` where none is taken.
    pub(crate) secret: Option<Secret>,
    pub(crate) role: Role,
    /// How old they may be.
    pub(crate) seconds: u64,
    /// How many are remembered.
    pub(crate) nonces: usize,
}

/// Which bus.
#[derive(Debug, Clone)]
pub(crate) enum BusConfig {
    InProcess {
        listen: Option<SocketAddr>,
        password: Option<Hidden>,
        limits: tidegate_bus::Limits,
    },
    Redis {
        url: Hidden,
    },
}

/// A text that `Debug` does not show.
#[derive(Clone)]
pub(crate) struct Hidden(pub(crate) String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Config {
    /// Reads the file, fills in the defaults, checks everything. Opens and makes nothing.
    pub(crate) fn resolve(settings: Settings) -> Result<Self, ConfigError> {
        let settings = settings.with_file()?;
        let (file, sources) = (settings.config.clone(), settings.sources.clone());
        Self::checked(settings).map_err(|error| match &file {
            Some(file) => error.placed(file, &sources),
            None => error,
        })
    }

    fn checked(settings: Settings) -> Result<Self, ConfigError> {
        let host = settings
            .host
            .clone()
            .unwrap_or_else(|| "127.0.0.1".to_owned());
        let ip = match host.as_str() {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            text => text.parse().map_err(|_| ConfigError::Host(host.clone()))?,
        };
        if let Some(path) = settings.static_path.as_ref().filter(|path| !path.is_dir()) {
            return Err(ConfigError::StaticPath(path.clone()));
        }
        if settings
            .admin_password
            .as_ref()
            .is_some_and(|p| p.chars().count() < 8)
        {
            return Err(ConfigError::ShortPassword);
        }
        let definitions: Vec<_> = builtin_definitions()
            .into_iter()
            .chain(settings.channels.clone())
            .collect();
        for definition in &definitions {
            definition.check()?;
        }
        let request = Duration::from_secs(settings.request_seconds.unwrap_or(30).max(1));
        let said = settings.clone();
        let mut config = Self {
            listen: SocketAddr::new(ip, settings.port.unwrap_or(2025)),
            unix_socket: unix_socket(&settings)?,
            bus: bus(&settings)?,
            shared_secret: settings
                .jwt_secret
                .as_deref()
                .map(Secret::given)
                .transpose()?,
            plain_tokens: settings.plain_tokens.unwrap_or(
                settings.jwt_secret.is_some() || settings.tangram_compat.unwrap_or(false),
            ),
            issuers: issuers(&settings)?,
            key_documents: key_documents(&settings),
            store: store(&settings)?,
            client_cookie_seconds: settings.client_cookie_seconds.unwrap_or(30 * 24 * 3600),
            token_warning_seconds: settings.token_warning_seconds.unwrap_or(60),
            key_rotation_days: settings.key_rotation_days.unwrap_or(0),
            activity_records: settings.activity_records.unwrap_or(100_000),
            activity_days: settings.activity_days.unwrap_or(90).max(1),
            max_open_tokens: settings.max_open_tokens.unwrap_or(100_000),
            internal: internal(&settings)?,
            token_seconds: settings.token_seconds.unwrap_or(24 * 3600),
            // Whoever reaches a proxy reaches the gateway behind it.
            open_tokens: settings.open_tokens.unwrap_or(false)
                || (ip.is_loopback() && settings.trusted_proxy.iter().flatten().next().is_none()),
            admin_password: settings.admin_password.clone().map(Hidden),
            static_path: settings.static_path.clone(),
            allowed_origins: AllowedOrigins::parse(
                settings.allowed_origins.as_deref().unwrap_or_default(),
                ip.is_loopback(),
            )?,
            proxies: proxies(&settings)?,
            tangram_compat: settings.tangram_compat.unwrap_or(false),
            node: settings
                .node
                .clone()
                .unwrap_or_else(|| tidegate_hub::random_id(8)),
            idle: Duration::from_secs(settings.idle_seconds.unwrap_or(60).max(1)),
            deflate_min_bytes: settings.deflate_min_bytes,
            fan_out_threads: fan_out_threads(settings.fan_out_threads)?,
            // Below three signs of life a single lost one would end a gateway.
            peer_lease: Duration::from_secs(settings.peer_lease_seconds.unwrap_or(10).max(6)),
            http: HttpLimits {
                connections: settings
                    .max_http_connections
                    .unwrap_or(4096)
                    .clamp(1, tokio::sync::Semaphore::MAX_PERMITS),
                per_address: settings.max_http_connections_per_address.unwrap_or(2048),
                head: Duration::from_secs(settings.http_head_seconds.unwrap_or(10).max(1)),
                body: Duration::from_secs(settings.http_body_seconds.unwrap_or(30).max(1)),
                write: Duration::from_secs(settings.http_write_seconds.unwrap_or(30).max(1)),
                request,
            },
            drain: Duration::from_secs(settings.drain_seconds.unwrap_or(5)),
            publish: publish(&settings)?,
            plugins: plugins(&settings, request)?,
            max_frame_bytes: at_least(settings.max_frame_bytes, 1 << 20, 1024, "max-frame-bytes")?,
            max_errors: at_least(settings.max_errors, 20, 1, "max-errors")?,
            pushes_per_second: settings.pushes_per_second.unwrap_or(1000),
            joins_per_second: settings.joins_per_second.unwrap_or(200),
            rates: rates(&settings)?,
            limits: limits(&settings)?,
            definitions,
            metrics_token: settings
                .metrics_token
                .as_deref()
                .map(|token| Bearer::new(token).ok_or(ConfigError::ShortMetricsToken))
                .transpose()?,
            logs: logs(&settings)?,
            listing: Configuration::default(),
        };
        config.listing = super::listing::listing(&said, &config);
        Ok(config)
    }
}

fn publish(s: &Settings) -> Result<PublishLimits, ConfigError> {
    Ok(PublishLimits {
        events: at_least(s.max_publish_events, 100, 1, "max-publish-events")?,
        bytes: at_least(s.max_publish_bytes, 1 << 20, 1024, "max-publish-bytes")?,
        keys: at_least(s.max_idempotency_keys, 10_000, 1, "max-idempotency-keys")?,
        keep: Duration::from_secs(s.idempotency_seconds.unwrap_or(600)),
    })
}

fn plugins(s: &Settings, request: Duration) -> Result<PluginLimits, ConfigError> {
    let request = request.as_secs();
    let usual = 10.min(request.saturating_sub(1));
    let seconds = s.plugin_seconds.unwrap_or(usual).max(1);
    // Else a silent plugin would look like a gateway that has too much to do.
    if s.plugin_seconds.is_some() && seconds >= request {
        return Err(ConfigError::PluginSeconds(seconds, request));
    }
    let patience = Duration::from_secs(seconds);
    let most = tokio::sync::Semaphore::MAX_PERMITS;
    let requests = at_least(s.max_plugin_requests, 64, 1, "max-plugin-requests")?;
    Ok(PluginLimits {
        patience,
        requests: requests.min(most),
        bytes: at_least(s.max_plugin_bytes, 1 << 20, 1024, "max-plugin-bytes")?,
    })
}

fn unix_socket(s: &Settings) -> Result<Option<(PathBuf, u32)>, ConfigError> {
    let said = s.unix_socket_mode.as_deref().unwrap_or("0660");
    let mode = u32::from_str_radix(said, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| ConfigError::SocketMode(said.to_owned()))?;
    Ok(s.unix_socket.clone().map(|path| (path, mode)))
}

pub(super) fn at_least(
    given: Option<usize>,
    default: usize,
    least: usize,
    name: &'static str,
) -> Result<usize, ConfigError> {
    match given.unwrap_or(default) {
        value if value < least => Err(ConfigError::TooSmall(name, least)),
        value => Ok(value),
    }
}

/// By default one for each core that the gateway may use.
fn fan_out_threads(given: Option<usize>) -> Result<usize, ConfigError> {
    /// More are of no use, and a slip of the pen should not take a machine's memory.
    const MOST: usize = 1024;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    at_least(given, cores, 1, "fan-out-threads").map(|threads| threads.min(MOST))
}

fn limits(s: &Settings) -> Result<tidegate_hub::Limits, ConfigError> {
    let d = tidegate_hub::Limits::default();
    Ok(tidegate_hub::Limits {
        connections: at_least(s.max_connections, d.connections, 1, "max-connections")?,
        connections_per_address: at_least(
            s.max_connections_per_address,
            d.connections_per_address,
            1,
            "max-connections-per-address",
        )?,
        channels: at_least(s.max_channels, d.channels, 1, "max-channels")?,
        channels_per_connection: at_least(
            s.max_channels_per_connection,
            d.channels_per_connection,
            1,
            "max-channels-per-connection",
        )?,
        deflate_min_bytes: s.deflate_min_bytes.unwrap_or(usize::MAX),
        remote_members: s.max_remote_members.unwrap_or(d.remote_members),
        queue_bytes: at_least(s.queue_bytes, d.queue_bytes, 4096, "queue-bytes")?,
        queue_frames: at_least(s.queue_frames, d.queue_frames, 16, "queue-frames")?,
        ..d
    })
}

fn bus(s: &Settings) -> Result<BusConfig, ConfigError> {
    if let Some(url) = &s.redis_url {
        return Ok(BusConfig::Redis {
            url: Hidden(url.clone()),
        });
    }
    let listen = match s.bus_listen.as_deref().unwrap_or("127.0.0.1:2026") {
        "none" => None,
        text => Some(
            text.parse()
                .map_err(|_| ConfigError::BusListen(text.to_owned()))?,
        ),
    };
    let d = tidegate_bus::Limits::default();
    Ok(BusConfig::InProcess {
        listen,
        password: s.bus_password.clone().map(Hidden),
        limits: tidegate_bus::Limits {
            clients: at_least(s.bus_clients, d.clients, 1, "bus-clients")?,
            output_bytes: at_least(s.bus_output_bytes, d.output_bytes, 4096, "bus-output-bytes")?,
            request_bytes: at_least(
                s.bus_request_bytes,
                d.request_bytes,
                1024,
                "bus-request-bytes",
            )?,
            ..d
        },
    })
}

fn internal(s: &Settings) -> Result<Internal, ConfigError> {
    let secret = s.internal_secret_file.as_ref().map(|path| {
        let read = read_own(path).map_err(|source| ConfigError::SigningFile {
            path: path.clone(),
            source,
        })?;
        let text = read.map_err(|mode| ConfigError::OpenSigningFile {
            path: path.clone(),
            mode,
        })?;
        match text.trim() {
            text if text.len() < MIN_SIGNING_BYTES => Err(ConfigError::ShortSigningSecret),
            text => Ok(Secret::from_bytes(text.as_bytes().to_vec())),
        }
    });
    let role = s.internal_role.as_deref().map(|name| {
        let role = Role::named(name);
        role.ok_or_else(|| ConfigError::InternalRole(name.to_owned()))
    });
    Ok(Internal {
        secret: secret.transpose()?,
        role: role.transpose()?.unwrap_or(Role::Operator),
        seconds: s.signature_seconds.unwrap_or(300).max(1),
        nonces: at_least(s.max_nonces, 100_000, 1, "max-nonces")?,
    })
}

fn rates(s: &Settings) -> Result<RateLimits, ConfigError> {
    let window = s.rate_window_seconds.unwrap_or(10).clamp(1, 86_400);
    Ok(RateLimits {
        window: Duration::from_secs(window.into()),
        requests_per_address: s.requests_per_address.unwrap_or(50_000),
        requests_per_principal: s.requests_per_principal.unwrap_or(20_000),
        pushes_per_address: s.pushes_per_address.unwrap_or(5_000_000),
        pushes_per_principal: s.pushes_per_principal.unwrap_or(5_000_000),
        keys: at_least(s.rate_limit_keys, 100_000, 16, "rate-limit-keys")?,
    })
}

fn proxies(s: &Settings) -> Result<TrustedProxies, ConfigError> {
    let networks = s.trusted_proxy.iter().flatten().map(|text| {
        let network = text.trim().parse();
        network.map_err(|NoNetwork| ConfigError::Proxy(text.clone()))
    });
    Ok(TrustedProxies {
        networks: networks.collect::<Result<_, _>>()?,
        header: match s.proxy_header.as_deref() {
            None | Some("x-forwarded") => ProxyHeader::XForwarded,
            Some("forwarded") => ProxyHeader::Forwarded,
            Some(other) => return Err(ConfigError::ProxyHeader(other.to_owned())),
        },
    })
}

/// Where the store is, and the key that its secrets are sealed under.
fn store(s: &Settings) -> Result<StoreSettings, ConfigError> {
    let folder = data_folder(s)?;
    let place = match (&s.database_url, &folder) {
        (Some(url), _) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Place::Postgres(url.clone())
        }
        (Some(_), _) => return Err(ConfigError::DatabaseUrl),
        (None, Some(folder)) => Place::Embedded(folder.join("tidegate.db")),
        (None, None) => Place::Memory,
    };
    Ok(StoreSettings {
        config: StoreConfig {
            place,
            connections: s.store_connections.unwrap_or(8).max(1),
            wait: Duration::from_millis(s.store_wait_ms.unwrap_or(2000).max(1)),
        },
        folder,
    })
}

/// The data folder; none for a gateway that forgets.
pub(super) fn data_folder(s: &Settings) -> Result<Option<PathBuf>, ConfigError> {
    Ok(match s.data_dir.as_deref().map(|folder| folder.to_str()) {
        Some(Some("none")) => None,
        Some(_) => s.data_dir.clone(),
        None => Some(default_data_dir().ok_or(ConfigError::NoDataDir)?),
    })
}

fn default_data_dir() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("tidegate"))
}
