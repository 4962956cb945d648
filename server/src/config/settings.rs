//! Everything an operator may say, as a flag, as an upper-case environment variable, or as a key
//! of the TOML file (with `_` for `-`).

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use tidegate_protocol::Definition;

use super::ConfigError;
use super::issuers::IssuerSettings;
use super::listing::{Sources, text};

macro_rules! settings {
    ($($(#[$meta:meta])* $name:ident: $type:ty,)*) => {
        /// The settings of `tidegate serve`; the same for `check-config` and `token`.
        #[derive(Args, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct Settings {
            $(#[arg(long, env)] $(#[$meta])* pub(crate) $name: Option<$type>,)*
            /// A TOML file with any of these settings, [[channels]] definitions and [[issuers]]
            #[arg(long, env = "TIDEGATE_CONFIG", value_name = "FILE")]
            #[serde(skip)]
            pub(crate) config: Option<PathBuf>,
            #[arg(skip)]
            pub(crate) channels: Vec<Definition>,
            /// Who said each of them, as far as anybody did.
            #[arg(skip)]
            #[serde(skip)]
            pub(crate) sources: Sources,
            #[arg(skip)]
            pub(crate) issuers: Vec<IssuerSettings>,
        }

        impl Settings {
            /// What is said here holds; what is not said comes from `other`.
            fn or(self, other: Settings) -> Settings {
                Settings {
                    $($name: self.$name.or(other.$name),)*
                    config: self.config,
                    channels: other.channels,
                    sources: self.sources,
                    issuers: other.issuers,
                }
            }

            /// What was said, by the name of the field; as it is spelled in a file, without quotes.
            pub(super) fn texts(&self) -> Vec<(&'static str, Option<String>)> {
                vec![$((stringify!($name), self.$name.as_ref().and_then(text)),)*]
            }
        }
    };
}

settings! {
    /// Address to listen on [default: 127.0.0.1]
    host: String,
    /// Port to listen on [default: 2025]
    port: u16,
    /// Unix socket to listen on beside the port, for programs of the same machine
    unix_socket: PathBuf,
    /// Who may connect to it, as chmod writes it [default: 0660]
    unix_socket_mode: String,
    /// Redis or Valkey to use as the bus, redis://[:password@]host:port/ [default: in-process bus]
    #[arg(hide_env_values = true)]
    redis_url: String,
    /// Where the in-process bus listens for Redis clients, or none [default: 127.0.0.1:2026]
    bus_listen: String,
    /// Password that Redis clients of the in-process bus must give
    #[arg(hide_env_values = true)]
    bus_password: String,
    /// Secret that signs tokens (HS256) and is shared with programs that sign their own
    /// [default: a random key, kept sealed in the store]
    #[arg(hide_env_values = true)]
    jwt_secret: String,
    /// How long an issued token is valid, in seconds [default: 86400]
    token_seconds: u64,
    /// Let POST /token answer anybody although the gateway listens beyond loopback
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    open_tokens: bool,
    /// Password of the admin pages [default: a one-time link printed at start]
    #[arg(hide_env_values = true)]
    admin_password: String,
    /// Token that GET /metrics asks for; without one it is open on loopback and else for
    /// who has signed in
    #[arg(hide_env_values = true)]
    metrics_token: String,
    /// Folder of files that replace or add to the embedded assets
    static_path: PathBuf,
    /// Folder that keeps what must survive a restart: the store, the key it is sealed under; or
    /// none, for a gateway that forgets [default: $XDG_STATE_HOME/tidegate]
    data_dir: PathBuf,
    /// PostgreSQL for the store, postgres://user:password@host:port/database, which several gateways
    /// may share [default: SQLite in the data folder]
    #[arg(hide_env_values = true)]
    database_url: String,
    /// Connections to the store at most [default: 8]
    store_connections: u32,
    /// Milliseconds that a request waits for one of them [default: 2000]
    store_wait_ms: u64,
    /// Take tokens that name no key, signed with --jwt-secret by programs [default: true with
    /// --jwt-secret or --tangram-compat]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    plain_tokens: bool,
    /// An outside issuer whose tokens are taken too: their `iss`; several go into the file
    issuer: String,
    /// Where its keys are: a file, or an https address, with a JSON Web Key Set
    issuer_jwks: String,
    /// For whom its tokens must be meant (`aud`), comma-separated
    issuer_audience: String,
    /// Channels that its tokens open which name none, comma-separated
    issuer_channels: String,
    /// Largest document with the keys of an issuer, in bytes [default: 262144]
    jwks_max_bytes: usize,
    /// Keys in such a document [default: 100]
    jwks_max_keys: usize,
    /// Seconds that reading one may take [default: 10]
    jwks_timeout_seconds: u64,
    /// Seconds between two attempts after a failure, or because tokens name unknown keys [default: 10]
    jwks_retry_seconds: u64,
    /// Seconds for which an anonymous client is known again by its cookie, 0 for never
    /// [default: 2592000]
    client_cookie_seconds: u64,
    /// Seconds before a token ends at which its member is told, 0 for never [default: 60]
    token_warning_seconds: u64,
    /// Days after which the signing key is rotated by itself, 0 for never [default: 0]
    key_rotation_days: u32,
    /// Records of activity that are kept [default: 100000]
    activity_records: u32,
    /// Days for which they are kept [default: 90]
    activity_days: u32,
    /// Tokens issued to anybody by POST /token of which a record is kept; the oldest go first
    /// [default: 100000]
    max_open_tokens: u32,
    /// File with the secret, of at least 32 bytes, that programs sign requests to the API with
    /// [default: none, and no signed requests]
    internal_secret_file: PathBuf,
    /// What a signed request may do: viewer, operator or admin [default: operator]
    internal_role: String,
    /// Seconds after which a signed request is too old [default: 300]
    signature_seconds: u64,
    /// Signed requests that are remembered, so that none is let in twice [default: 100000]
    max_nonces: usize,
    /// Origins whose pages may connect, and use the API, beside the gateway's own; comma-separated
    allowed_origins: String,
    /// Networks of the proxies that may say who a request comes from, such as 10.0.0.0/8
    /// (repeatable, or comma-separated) [default: none]
    #[arg(value_delimiter = ',', value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// The headers in which they say it: x-forwarded, or forwarded (RFC 7239)
    /// [default: x-forwarded]
    proxy_header: String,
    /// Let a socket's token for `system` open every topic but `admin`, as Tangram's pages expect
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    tangram_compat: bool,
    /// The name of this gateway among others [default: a random one]
    node: String,
    /// Seconds without a sign of life after which another gateway is gone [default: 10]
    peer_lease_seconds: u64,
    /// Members of other gateways that are shown in presence [default: 1000000]
    max_remote_members: usize,
    /// Seconds without a byte from a client after which it is closed [default: 60]
    idle_seconds: u64,
    /// Seconds over which clients are sent away when the gateway stops, 0 for at once [default: 5]
    drain_seconds: u64,
    /// Largest frame from a client, in bytes [default: 1048576]
    max_frame_bytes: usize,
    /// Compress events of at least so many bytes for clients that can read them
    /// (permessage-deflate) [default: off]
    deflate_min_bytes: usize,
    /// Malformed or forbidden frames after which a client is closed [default: 20]
    max_errors: usize,
    /// Bytes that may wait for one client before it is closed as too slow [default: 8388608]
    queue_bytes: usize,
    /// Frames that may wait for one client before it is closed as too slow [default: 16384]
    queue_frames: usize,
    /// Threads that write to channels of 1024 members and more, 1 for none of their own
    /// [default: one for each core]
    fan_out_threads: usize,
    /// Connections in all [default: 100000]
    max_connections: usize,
    /// Connections from one address [default: 20000]
    max_connections_per_address: usize,
    /// HTTP connections at the same time, WebSockets not counted [default: 4096]
    max_http_connections: usize,
    /// Those of them that may come from one address, 0 for no limit; trusted proxies and the Unix socket
    /// are not counted so [default: 2048]
    max_http_connections_per_address: usize,
    /// Seconds that a request's head may take, and that a connection may have nothing to ask [default: 10]
    http_head_seconds: u64,
    /// Seconds that a request's body may take [default: 30]
    http_body_seconds: u64,
    /// Seconds in which a client may take nothing of its answer [default: 30]
    http_write_seconds: u64,
    /// Seconds that the API may take to answer a request [default: 30]
    request_seconds: u64,
    /// Channels in all [default: 100000]
    max_channels: usize,
    /// Channels that one connection may join [default: 100]
    max_channels_per_connection: usize,
    /// Pushes per second of one connection, 0 for no limit [default: 1000]
    pushes_per_second: u32,
    /// Joins per second of one connection, 0 for no limit [default: 200]
    joins_per_second: u32,
    /// Events in one request to publish [default: 100]
    max_publish_events: usize,
    /// Bytes of one request to publish [default: 1048576]
    max_publish_bytes: usize,
    /// Ids of published events and idempotency keys that are remembered [default: 10000]
    max_idempotency_keys: usize,
    /// Seconds for which they are [default: 600]
    idempotency_seconds: u64,
    /// Seconds that a plugin may take to answer a request, less than --request-seconds [default: 10]
    plugin_seconds: u64,
    /// Requests that may wait for plugins at the same time [default: 64]
    max_plugin_requests: usize,
    /// Bytes of a request's body for a plugin, and of its answer [default: 1048576]
    max_plugin_bytes: usize,
    /// Seconds in which the requests and pushes of the next four limits are counted [default: 10]
    rate_window_seconds: u32,
    /// Requests of one address to the API, /token and /longpoll, 0 for no limit [default: 50000]
    requests_per_address: u32,
    /// Requests of one user or key, 0 for no limit [default: 20000]
    requests_per_principal: u32,
    /// Pushes of all connections of one address, 0 for no limit [default: 5000000]
    pushes_per_address: u32,
    /// Pushes of all connections of one user, 0 for no limit [default: 5000000]
    pushes_per_principal: u32,
    /// Addresses and principals that each of these limits remembers [default: 100000]
    rate_limit_keys: usize,
    /// Clients of the in-process bus [default: 1000]
    bus_clients: usize,
    /// Bytes that may wait for one client of the in-process bus before it is cut [default: 33554432]
    bus_output_bytes: usize,
    /// Largest message from a client of the in-process bus, in bytes [default: 16777216]
    bus_request_bytes: usize,
    /// What the console shows: error, warn, info, debug, trace, or a tracing filter [default: info]
    log: String,
    /// Show on the console what the gateway says at DEBUG as well
    #[arg(env = "TIDEGATE_DEBUG", num_args = 0..=1, default_missing_value = "true")]
    debug: bool,
    /// How the console shows it: text, or json for one object a line [default: text]
    log_format: String,
    /// Folder of the app log (INFO and above), or none [default: logs in the data folder]
    log_dir: PathBuf,
    /// Folder of the debug log (DEBUG and above), or none [default: the first that can be used of
    /// $XDG_RUNTIME_DIR/tidegate, /run/tidegate, /dev/shm/tidegate-UID, /tmp/tidegate-UID]
    debug_log_dir: PathBuf,
    /// Bytes of a log file, after which the next one begins [default: 8388608]
    log_file_bytes: u64,
    /// Files of one log that are kept [default: 4]
    log_files: usize,
    /// Bytes that may wait to be written for the console or a log file; what comes then is lost and
    /// counted [default: 4194304]
    log_queue_bytes: usize,
}

impl Settings {
    /// Adds what the configuration file says, if one is named.
    pub(crate) fn with_file(self) -> Result<Settings, ConfigError> {
        match self.config.clone() {
            Some(path) => {
                let said = read(&path)?;
                let mut sources = self.sources.clone();
                sources.add_file(&self, &said);
                Ok(Settings {
                    sources,
                    ..self.or(said)
                })
            }
            None => Ok(self),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<Settings, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::Invalid {
        path: path.to_owned(),
        // The text around the place may hold a secret: the message alone is shown.
        message: match error.span() {
            Some(span) => {
                let line = text[..span.start.min(text.len())].lines().count().max(1);
                format!("line {line}: {}", error.message())
            }
            None => error.message().to_owned(),
        },
    })
}
