//! Why a configuration cannot be used, each in one sentence.

use std::path::PathBuf;

use tidegate_auth::{MIN_BEARER_BYTES, MIN_SIGNING_BYTES, SecretError};
use tidegate_protocol::DefinitionError;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the configuration file {path} cannot be read: {source}")]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the configuration file {path} is not valid: {message}")]
    Invalid { path: PathBuf, message: String },
    #[error("{}, line {line}: {source}", .path.display())]
    At {
        path: PathBuf,
        line: usize,
        source: Box<ConfigError>,
    },
    #[error("--host {0} is no IP address; give one such as 127.0.0.1 or 0.0.0.0")]
    Host(String),
    #[error("--unix-socket-mode {0:?} is no mode; write one such as 0660")]
    SocketMode(String),
    #[error("--bus-listen {0} is no address; give one such as 127.0.0.1:2026, or none")]
    BusListen(String),
    #[error(
        "--allowed-origins has {0:?}; write origins such as https://app.example.com or //*.example.com"
    )]
    Origin(String),
    #[error("--trusted-proxy {0:?} is no network; write one such as 10.0.0.0/8, or an address")]
    Proxy(String),
    #[error("--proxy-header {0:?} is none; use x-forwarded or forwarded")]
    ProxyHeader(String),
    #[error("--internal-secret-file {path} cannot be read ({source}); check its owner and mode")]
    SigningFile {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "--internal-secret-file {path} is open to others (mode {mode:04o}), and who reads it can sign requests; close it with `chmod 600 {path}`"
    )]
    OpenSigningFile { path: PathBuf, mode: u32 },
    #[error(
        "--internal-secret-file must hold at least {MIN_SIGNING_BYTES} bytes; make one with `openssl rand -hex 32`"
    )]
    ShortSigningSecret,
    #[error("--internal-role {0:?} is none; use viewer, operator or admin")]
    InternalRole(String),
    #[error("--{0} must be at least {1}")]
    TooSmall(&'static str, usize),
    #[error("--plugin-seconds ({0}) must be less than --request-seconds ({1})")]
    PluginSeconds(u64, u64),
    #[error("--static-path {0} is no folder that can be read")]
    StaticPath(PathBuf),
    #[error("the admin password must have at least 8 characters")]
    ShortPassword,
    #[error("--metrics-token must have at least {MIN_BEARER_BYTES} bytes")]
    ShortMetricsToken,
    #[error("--log-format {0:?} is none; use text or json")]
    LogFormat(String),
    #[error("no data folder: set --data-dir (none for a gateway that forgets), or HOME")]
    NoDataDir,
    #[error("--database-url must begin with postgres:// or postgresql://")]
    DatabaseUrl,
    #[error("a channel definition cannot be used: {0}")]
    Definition(#[from] DefinitionError),
    #[error("the issuer {0:?} cannot be used: {1}")]
    Issuer(String, String),
    #[error(transparent)]
    Secret(#[from] SecretError),
}
