//! Where in the configuration file an error is.

use std::path::Path;

use tidegate_protocol::system::SettingSource;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::listing::Sources;
use super::settings::read;

impl ConfigError {
    /// The same, with file and line where what it is about stands in the file.
    pub(super) fn placed(self, file: &Path, sources: &Sources) -> Self {
        let Some(name) = self.setting() else {
            return self;
        };
        if name != "channels" && sources.of(&name) != SettingSource::File {
            return self;
        }
        let Ok(text) = std::fs::read_to_string(file) else {
            return self;
        };
        match line_of(&text, &name, file) {
            Some(line) => Self::At {
                path: file.to_owned(),
                line,
                source: Box::new(self),
            },
            None => self,
        }
    }

    /// The setting that it is about, as it is called in the file.
    fn setting(&self) -> Option<String> {
        Some(match self {
            Self::Host(_) => "host".to_owned(),
            Self::SocketMode(_) => "unix_socket_mode".to_owned(),
            Self::BusListen(_) => "bus_listen".to_owned(),
            Self::Origin(_) => "allowed_origins".to_owned(),
            Self::TooSmall(flag, _) => flag.replace('-', "_"),
            Self::StaticPath(_) => "static_path".to_owned(),
            Self::ShortPassword => "admin_password".to_owned(),
            Self::ShortMetricsToken => "metrics_token".to_owned(),
            Self::Proxy(_) => "trusted_proxy".to_owned(),
            Self::ProxyHeader(_) => "proxy_header".to_owned(),
            Self::SigningFile { .. } | Self::OpenSigningFile { .. } | Self::ShortSigningSecret => {
                "internal_secret_file".to_owned()
            }
            Self::InternalRole(_) => "internal_role".to_owned(),
            Self::LogFormat(_) => "log_format".to_owned(),
            Self::DatabaseUrl => "database_url".to_owned(),
            Self::Secret(_) => "jwt_secret".to_owned(),
            Self::Definition(_) => "channels".to_owned(),
            _ => return None,
        })
    }
}

/// The line on which a setting begins; of the channels that of the first which cannot be used.
fn line_of(text: &str, name: &str, file: &Path) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (key, value) = table
        .get_ref()
        .iter()
        .find(|(key, _)| key.get_ref() == name)?;
    let at = match value.get_ref() {
        DeValue::Array(channels) if name == "channels" => {
            let wrong = read(file)
                .ok()?
                .channels
                .iter()
                .position(|d| d.check().is_err())?;
            channels.get(wrong)?.span().start
        }
        _ => key.span().start,
    };
    Some(text.get(..at)?.matches('\n').count() + 1)
}
