//! The settings that hold, for administrators to read: each with who said it, no secret in clear.
//!
//! What a setting is for, which environment variable it has, whether it is a secret and what holds
//! where nobody says anything are read from the flag itself, so that a new flag is listed without
//! being named here. Only where the default depends on something else it is worked out below.

use std::collections::HashMap;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args as _, Command};
use serde::Serialize;
use serde_json::Value;
use tidegate_protocol::system::{Configuration, MASK, Setting, SettingSource};

use super::{Config, Settings};
use crate::logs::DebugPlace;

/// Who said what, by the name of the setting's field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources(HashMap<String, SettingSource>);

impl Sources {
    /// What the command line and the environment say.
    pub(crate) fn add_matches(&mut self, said: &ArgMatches) {
        for id in said.ids() {
            let source = match said.value_source(id.as_str()) {
                Some(ValueSource::CommandLine) => SettingSource::Flag,
                Some(ValueSource::EnvVariable) => SettingSource::Environment,
                _ => continue,
            };
            self.0.insert(id.as_str().to_owned(), source);
        }
    }

    /// What the file says, where nobody has said anything `before`.
    pub(super) fn add_file(&mut self, before: &Settings, said: &Settings) {
        for ((name, before), (_, value)) in before.texts().into_iter().zip(said.texts()) {
            if before.is_none() && value.is_some() {
                let name = name.to_owned();
                self.0.entry(name).or_insert(SettingSource::File);
            }
        }
    }

    pub(super) fn of(&self, name: &str) -> SettingSource {
        self.0.get(name).copied().unwrap_or(SettingSource::Default)
    }
}

/// A value as it is spelled in a file, without quotes.
pub(super) fn text(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value).ok()? {
        Value::String(text) => Some(text),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Every setting with what holds.
pub(super) fn listing(said: &Settings, config: &Config) -> Configuration {
    let mut texts: HashMap<_, _> = said.texts().into_iter().collect();
    let file = said.config.as_ref();
    texts.insert("config", file.map(|path| path.display().to_string()));
    let command = Settings::augment_args(Command::new("serve"));
    let settings = command
        .get_arguments()
        .filter_map(|flag| setting(flag, said, &texts, config))
        .collect();
    Configuration { settings }
}

fn setting(
    flag: &Arg,
    said: &Settings,
    texts: &HashMap<&'static str, Option<String>>,
    config: &Config,
) -> Option<Setting> {
    let id = flag.get_id().as_str();
    let given = texts.get(id)?.clone();
    let secret = flag.is_hide_env_values_set();
    let (about, default) = about(flag);
    let value = match (secret, worked_out(id, config)) {
        // A secret that nobody has set shows that it is not set, whatever takes its place.
        (true, _) => given.is_some().then(|| MASK.to_owned()),
        (false, Some(holds)) => Some(holds),
        (false, None) => given.or(default),
    };
    Some(Setting {
        name: flag.get_long()?.to_owned(),
        environment: flag
            .get_env()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        value,
        source: said.sources.of(id),
        secret,
        about,
    })
}

/// What a flag is for, and the default that its help names.
fn about(flag: &Arg) -> (String, Option<String>) {
    let help = flag.get_long_help().or_else(|| flag.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    match help.rsplit_once(" [default: ") {
        Some((about, default)) => {
            let default = default.trim_end_matches(']').to_owned();
            (about.to_owned(), Some(default))
        }
        None => (help, None),
    }
}

/// What holds where the default depends on other settings, or where a value that is too small is
/// raised.
fn worked_out(id: &str, config: &Config) -> Option<String> {
    Some(match id {
        "open_tokens" => config.open_tokens.to_string(),
        "plain_tokens" => config.plain_tokens.to_string(),
        "tangram_compat" => config.tangram_compat.to_string(),
        "node" => config.node.clone(),
        "data_dir" => match &config.store.folder {
            Some(folder) => folder.display().to_string(),
            None => "none".to_owned(),
        },
        "log_dir" => match &config.logs.app {
            Some(folder) => folder.display().to_string(),
            None => "none".to_owned(),
        },
        "debug_log_dir" => match &config.logs.debug {
            DebugPlace::Folder(folder) => folder.display().to_string(),
            DebugPlace::None => "none".to_owned(),
            DebugPlace::Volatile => return None,
        },
        "debug" => config.logs.debug_on_console.to_string(),
        "store_connections" => config.store.config.connections.to_string(),
        "activity_days" => config.activity_days.to_string(),
        "rate_window_seconds" => config.rates.window.as_secs().to_string(),
        "signature_seconds" => config.internal.seconds.to_string(),
        "idle_seconds" => config.idle.as_secs().to_string(),
        "peer_lease_seconds" => config.peer_lease.as_secs().to_string(),
        "max_http_connections" => config.http.connections.to_string(),
        "jwks_max_bytes" => config.key_documents.bounds.bytes.to_string(),
        "jwks_max_keys" => config.key_documents.keys.to_string(),
        "jwks_timeout_seconds" => config.key_documents.bounds.time.as_secs().to_string(),
        "jwks_retry_seconds" => config.key_documents.retry.as_secs().to_string(),
        "plugin_seconds" => config.plugins.patience.as_secs().to_string(),
        "request_seconds" => config.http.request.as_secs().to_string(),
        "http_head_seconds" => config.http.head.as_secs().to_string(),
        "http_write_seconds" => config.http.write.as_secs().to_string(),
        "http_body_seconds" => config.http.body.as_secs().to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(settings: Settings) -> Configuration {
        let settings = Settings {
            data_dir: Some("none".into()),
            ..settings
        };
        Config::resolve(settings).unwrap().listing
    }

    /// Every setting is listed with what it is for, and its default where there is one.
    #[test]
    fn every_setting_is_listed() {
        let listing = resolved(Settings::default());
        let names: Vec<_> = Settings::default()
            .texts()
            .into_iter()
            .map(|(name, _)| name.replace('_', "-"))
            .collect();
        for name in &names {
            let found = listing.settings.iter().find(|s| s.name == *name);
            let found = found.unwrap_or_else(|| panic!("{name}"));
            let variable = match name.as_str() {
                // DEBUG means something to many a program.
                "debug" => "TIDEGATE_DEBUG".to_owned(),
                name => name.replace('-', "_").to_uppercase(),
            };
            assert_eq!(found.environment, variable);
            assert!(!found.about.is_empty(), "{name}");
            assert!(!found.about.contains("[default"), "{found:?}");
        }
        assert_eq!(listing.settings.len(), names.len() + 1, "and --config");
        let value = |name: &str| {
            let found = listing.settings.iter().find(|s| s.name == name);
            found.and_then(|s| s.value.clone())
        };
        assert_eq!(value("max-frame-bytes").as_deref(), Some("1048576"));
        assert_eq!(value("bus-listen").as_deref(), Some("127.0.0.1:2026"));
        assert_eq!(value("open-tokens").as_deref(), Some("true"));
        assert_eq!(value("metrics-token"), None);
    }

    /// No secret is in the list: neither a password nor an address that may hold one.
    #[test]
    fn secrets_are_masked() {
        let secret = || Some("redis://:opensesame@127.0.0.1/".to_owned());
        let listing = resolved(Settings {
            redis_url: secret(),
            jwt_secret: secret(),
            admin_password: secret(),
            bus_password: secret(),
            metrics_token: secret(),
            ..Settings::default()
        });
        assert!(!format!("{listing:?}").contains("sesame"));
        let masked = listing.settings.iter().filter(|s| s.secret);
        let masked = masked.filter(|s| s.value.as_deref() == Some(MASK));
        assert_eq!(masked.count(), 5);
    }
}
