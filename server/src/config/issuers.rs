//! Outside issuers, as the operator writes them: `[[issuers]]` in the file, or one by flags.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use serde::Deserialize;
use tidegate_auth::{ISSUER_MARK, IssuerRules, LEEWAY_SECONDS, RoleRights, Signature};
use tidegate_protocol::TopicPattern;
use tidegate_protocol::{Right, is_reserved_topic};

use super::{ConfigError, Settings};
use crate::fetch::{Bounds, check_address};

/// Issuers at most: each has a task and its keys.
const MAX_ISSUERS: usize = 100;
/// Clocks that differ more should be set.
const MAX_LEEWAY_SECONDS: u64 = 300;

/// One `[[issuers]]` of the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IssuerSettings {
    issuer: String,
    audience: Vec<String>,
    jwks: String,
    algorithms: Option<Vec<Signature>>,
    refresh_seconds: Option<u64>,
    leeway_seconds: Option<u64>,
    id_claim: Option<String>,
    id_prefix: String,
    channels_claim: Option<String>,
    allow_claim: Option<String>,
    roles_claim: Option<String>,
    channels: Vec<String>,
    allow: Option<Vec<Right>>,
    roles: HashMap<String, RoleRights>,
    admin: bool,
    authorities: Option<PathBuf>,
    plain_http: bool,
}

/// One issuer, everything checked.
#[derive(Debug, Clone)]
pub(crate) struct IssuerConfig {
    pub(crate) rules: IssuerRules,
    pub(crate) source: KeySource,
    /// How often the keys are read anew.
    pub(crate) refresh: Duration,
}

/// Where an issuer's keys are.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    File(PathBuf),
    Address {
        address: Uri,
        /// Whom to trust in the place of the usual authorities.
        authorities: Option<PathBuf>,
        /// Whether it may be asked without TLS although it is not on this machine.
        plain: bool,
    },
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeySource::File(path) => path.display().fmt(f),
            KeySource::Address { address, .. } => address.fmt(f),
        }
    }
}

/// The bounds that hold for the key documents of all issuers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyDocuments {
    pub(crate) bounds: Bounds,
    pub(crate) keys: usize,
    /// At least so long passes between two attempts because of unknown keys or failures.
    pub(crate) retry: Duration,
}

pub(super) fn key_documents(s: &Settings) -> KeyDocuments {
    KeyDocuments {
        bounds: Bounds {
            bytes: s.jwks_max_bytes.unwrap_or(256 * 1024).max(1024),
            time: Duration::from_secs(s.jwks_timeout_seconds.unwrap_or(10).max(1)),
        },
        keys: s.jwks_max_keys.unwrap_or(100).max(1),
        retry: Duration::from_secs(s.jwks_retry_seconds.unwrap_or(10).max(1)),
    }
}

/// Those of the file, and the one of the flags.
pub(super) fn issuers(s: &Settings) -> Result<Vec<IssuerConfig>, ConfigError> {
    let mut all = s.issuers.clone();
    if s.issuer.is_some() || s.issuer_jwks.is_some() || s.issuer_audience.is_some() {
        all.push(IssuerSettings {
            issuer: s.issuer.clone().unwrap_or_default(),
            jwks: s.issuer_jwks.clone().unwrap_or_default(),
            audience: list(s.issuer_audience.as_deref()),
            channels: list(s.issuer_channels.as_deref()),
            ..IssuerSettings::default()
        });
    }
    if all.len() > MAX_ISSUERS {
        return Err(wrong("(all)", format!("at most {MAX_ISSUERS} are taken")));
    }
    let mut names = HashSet::new();
    all.into_iter()
        .map(|one| {
            if !names.insert(one.issuer.clone()) {
                return Err(wrong(&one.issuer, "it is there twice"));
            }
            one.checked()
        })
        .collect()
}

fn list(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split(',').map(str::trim);
    words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn wrong(issuer: &str, why: impl Into<String>) -> ConfigError {
    ConfigError::Issuer(issuer.to_owned(), why.into())
}

impl IssuerSettings {
    fn checked(self) -> Result<IssuerConfig, ConfigError> {
        let name = self.issuer.clone();
        let wrong = |why: &str| wrong(&name, why);
        if self.issuer.is_empty() || self.issuer.contains(ISSUER_MARK) {
            return Err(wrong("`issuer` is the `iss` of its tokens, and has no `#`"));
        }
        if self.audience.is_empty() {
            return Err(wrong(
                "`audience` must say for whom its tokens are meant: without it a token for any other service would open this one",
            ));
        }
        let signatures = self.algorithms.unwrap_or_else(|| Signature::ALL.to_vec());
        if signatures.is_empty() {
            return Err(wrong("`algorithms` is empty"));
        }
        let leeway = self.leeway_seconds.unwrap_or(LEEWAY_SECONDS);
        if leeway > MAX_LEEWAY_SECONDS {
            return Err(wrong("`leeway_seconds` is more than 300: set the clock"));
        }
        for channel in self
            .roles
            .values()
            .flat_map(|role| &role.channels)
            .chain(&self.channels)
        {
            if TopicPattern::new(channel).is_err() {
                return Err(wrong("one of its channels is no topic and no `prefix:*`"));
            }
            if is_reserved_topic(channel) && !self.admin {
                return Err(wrong(
                    "a channel belongs to the gateway; `admin = true` lets this issuer name administrators",
                ));
            }
        }
        if !self.roles.is_empty() && self.roles_claim.is_none() {
            return Err(wrong("there are `roles` but no `roles_claim`"));
        }
        let source = if self.jwks.contains("://") {
            let address: Uri = self
                .jwks
                .parse()
                .map_err(|_| wrong("`jwks` is no address"))?;
            check_address(&address).map_err(|error| wrong(&error.to_string()))?;
            if self.jwks.contains('@') {
                return Err(wrong("`jwks` has a user in it; keys are public"));
            }
            KeySource::Address {
                address,
                authorities: self.authorities,
                plain: self.plain_http,
            }
        } else if self.jwks.is_empty() {
            return Err(wrong("`jwks` must name a file or an address with its keys"));
        } else {
            KeySource::File(self.jwks.into())
        };
        Ok(IssuerConfig {
            rules: IssuerRules {
                issuer: self.issuer,
                audience: self.audience,
                signatures,
                leeway,
                id_claim: self.id_claim.unwrap_or_else(|| "sub".to_owned()),
                id_prefix: self.id_prefix,
                channels_claim: self.channels_claim.unwrap_or_else(|| "channels".to_owned()),
                allow_claim: self.allow_claim.unwrap_or_else(|| "allow".to_owned()),
                roles_claim: self.roles_claim,
                default: RoleRights {
                    channels: self.channels,
                    allow: self.allow,
                },
                roles: self.roles,
                admin: self.admin,
            },
            source,
            refresh: Duration::from_secs(self.refresh_seconds.unwrap_or(600).max(1)),
        })
    }
}
