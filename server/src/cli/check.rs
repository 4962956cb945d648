//! `tidegate check-config`: the settings that hold, and who said each of them; of this command line, or
//! with `--server` of a gateway that runs.

use serde_json::json;
use tidegate_protocol::system::{Configuration, Setting, SettingSource};

use super::api::read;
use super::reach::Reach;
use super::{CliError, show};

/// The settings that are checked, or the gateway that is asked for its own.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) reach: Reach,
}

pub(crate) async fn run(Args { reach }: Args) -> Result<(), CliError> {
    let as_json = reach.json;
    if let Some(server) = reach.server() {
        let head = format!("These settings hold at {server}.");
        let answer = reach.gateway().await?.get("/system/configuration").await?;
        if as_json {
            return show::json(&answer);
        }
        let Configuration { settings } = read(answer)?;
        return table(&head, settings);
    }
    let config = reach.folder()?;
    if as_json {
        return show::json(&json!({
            "listens": config.listen,
            "settings": config.listing.settings,
        }));
    }
    let head = format!(
        "The configuration is valid; it would listen on {}.",
        config.listen
    );
    table(&head, config.listing.settings)
}

fn table(head: &str, settings: Vec<Setting>) -> Result<(), CliError> {
    show::line(head)?;
    let rows: Vec<_> = settings
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
