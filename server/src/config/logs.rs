//! Where and how much is logged.

use std::path::{Path, PathBuf};

use super::resolved::{at_least, data_folder};
use super::{ConfigError, Settings};
use crate::logs::{DebugPlace, LogFormat, LogSettings};

/// The sinks that the settings ask for. A gateway that forgets writes no files but those whose
/// folder is named.
pub(super) fn logs(s: &Settings) -> Result<LogSettings, ConfigError> {
    let mut console = s.log.clone().unwrap_or_else(|| "info".to_owned());
    let debug_on_console = s.debug.unwrap_or(false);
    if debug_on_console {
        console.push_str(",tidegate=debug");
    }
    let data = data_folder(s)?;
    let debug = match named(s.debug_log_dir.as_deref()) {
        Some(Some(folder)) => DebugPlace::Folder(folder),
        None if data.is_some() => DebugPlace::Volatile,
        Some(None) | None => DebugPlace::None,
    };
    Ok(LogSettings {
        console,
        format: match s.log_format.as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => return Err(ConfigError::LogFormat(other.to_owned())),
        },
        app: named(s.log_dir.as_deref()).unwrap_or_else(|| Some(data?.join("logs"))),
        debug,
        debug_on_console,
        file_bytes: s.log_file_bytes.unwrap_or(8 << 20),
        files: at_least(s.log_files, 4, 1, "log-files")?,
        queue_bytes: at_least(s.log_queue_bytes, 4 << 20, 4096, "log-queue-bytes")?,
    })
}

/// A folder that was named; `Some(None)` where `none` was said.
fn named(said: Option<&Path>) -> Option<Option<PathBuf>> {
    said.map(|folder| (folder.as_os_str() != "none").then(|| folder.to_owned()))
}
