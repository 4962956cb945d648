//! Where a command does its work: through a gateway's API, or on the data folder.
//!
//! A gateway that is named with `--server` is asked, with an API key. Without one the work is done on
//! the data folder, whether a gateway runs there or not: the store lets several programs in, and
//! gateways read anew what has changed within a second. What only a gateway that runs can know or do
//! (its channels, events) is asked of the one on this machine; there, who may read the data folder
//! needs no API key.

use std::path::PathBuf;

use tidegate_store::Place;

use super::CliError;
use super::api::Api;
use super::local::{Local, signed_here};
use super::remote::{Address, Remote};
use crate::config::{Config, Settings, Sources};

const HEADING: &str = "Where";

/// What a command works on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Store,
    Signer,
    Gateway,
}

/// The flags that say it, the same for every command.
#[derive(clap::Args)]
pub(crate) struct Reach {
    /// Ask this gateway: https://host, http://host:port or unix:/path [default: work on the data
    /// folder; channels and events: the gateway on this machine]
    #[arg(long, env = "TIDEGATE_SERVER", value_name = "URL", help_heading = HEADING)]
    server: Option<String>,
    /// File with the API key to show it; or put the key itself into TIDEGATE_API_KEY
    #[arg(long, env = "TIDEGATE_API_KEY_FILE", value_name = "FILE", help_heading = HEADING)]
    api_key_file: Option<PathBuf>,
    /// Write JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    settings: Box<Settings>,
}

/// A list of the store.
#[derive(clap::Args)]
pub(crate) struct Listing {
    /// Show so many at most
    #[arg(long, default_value_t = 1000)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

impl Reach {
    /// The gateway that is named with `--server`.
    pub(crate) fn server(&self) -> Option<String> {
        self.server.clone()
    }

    /// Where the settings come from.
    pub(crate) fn sources_mut(&mut self) -> &mut Sources {
        &mut self.settings.sources
    }

    /// For what is kept in the store: a named gateway, or the data folder.
    pub(crate) async fn store(self) -> Result<Api, CliError> {
        self.open(Needs::Store).await
    }

    /// For signing a token, which a shared secret is enough for.
    pub(crate) async fn signer(self) -> Result<Api, CliError> {
        self.open(Needs::Signer).await
    }

    /// For what only a gateway that runs knows.
    pub(crate) async fn gateway(self) -> Result<Api, CliError> {
        self.open(Needs::Gateway).await
    }

    /// The settings, for what is done on the data folder alone.
    pub(crate) fn folder(self) -> Result<Config, CliError> {
        if self.server.is_some() {
            return Err(CliError::FolderOnly);
        }
        Ok(Config::resolve(*self.settings)?)
    }

    async fn open(self, needs: Needs) -> Result<Api, CliError> {
        let key = self.api_key()?;
        let settings = self.settings.with_file()?;
        let names_folder = settings.data_dir.is_some() || settings.database_url.is_some();
        if let Some(server) = self.server {
            let address = Address::parse(&server).ok_or(CliError::Server(server))?;
            let bearer = match key {
                Some(key) => Some(key),
                // Only what listens on this machine is shown what the folder signs.
                None if address.is_here() => signed_here(&Config::resolve(settings)?).await?,
                None => None,
            };
            return Ok(Api::Remote(Remote::new(address, bearer)?));
        }
        let config = Config::resolve(settings)?;
        if needs == Needs::Gateway || (key.is_some() && !names_folder) {
            let address =
                Address::of(&config).ok_or_else(|| CliError::Server(config.listen.to_string()))?;
            let bearer = match key {
                Some(key) => Some(key),
                None if address.is_here() => signed_here(&config).await?,
                None => None,
            };
            return Ok(Api::Remote(Remote::new(address, bearer)?));
        }
        let forgets = matches!(config.store.config.place, Place::Memory);
        // What is written there would be gone with the command.
        if forgets && (needs != Needs::Signer || config.shared_secret.is_none()) {
            return Err(CliError::NoStore);
        }
        Ok(Api::Local(Local::open(config).await?))
    }

    fn api_key(&self) -> Result<Option<String>, CliError> {
        let key = match (&self.api_key_file, std::env::var("TIDEGATE_API_KEY")) {
            (Some(path), _) => Some(
                std::fs::read_to_string(path)
                    .map_err(|error| CliError::Unreadable(path.clone(), error))?,
            ),
            (None, Ok(key)) => Some(key),
            (None, Err(_)) => None,
        };
        let key = key
            .map(|key| key.trim().to_owned())
            .filter(|key| !key.is_empty());
        // It becomes a header; what it holds is not repeated.
        match key {
            Some(key) if !key.bytes().all(|b| b.is_ascii_graphic()) => Err(CliError::BadKey),
            key => Ok(key),
        }
    }
}
