//! `tidegate check-config`: the settings that hold, and who said each of them.

use serde_json::json;
use tidegate_protocol::system::SettingSource;

use super::{CliError, show};
use crate::config::{Config, Settings};

/// The settings that are checked.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) settings: Box<Settings>,
}

pub(crate) fn run(args: Args) -> Result<(), CliError> {
    let config = Config::resolve(*args.settings)?;
    if args.json {
        return show::json(&json!({
            "listens": config.listen,
            "settings": config.listing.settings,
        }));
    }
    show::line(&format!(
        "The configuration is valid; it would listen on {}.",
        config.listen
    ))?;
    let rows: Vec<_> = config
        .listing
        .settings
        .into_iter()
        .map(|setting| {
            let said_by = match setting.source {
                SettingSource::Default => "default".to_owned(),
                SettingSource::File => "file".to_owned(),
                SettingSource::Environment => setting.environment,
                SettingSource::Flag => format!("--{}", setting.name),
            };
            let value = setting.value.unwrap_or_else(|| "-".to_owned());
            vec![setting.name, value, said_by]
        })
        .collect();
    show::line("")?;
    show::table(&["SETTING", "VALUE", "SAID BY"], &rows)
}
