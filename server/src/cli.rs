//! The command line.

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tidegate_auth::{AdminAuth, LINK_SECONDS, TokenError};
use tidegate_protocol::{Allow, NameError, TopicPattern};
use tidegate_store::BackupError;

use crate::config::{Config, ConfigError, Settings};
use crate::serve::{ServeError, now_seconds, serve};
use crate::trust::{Issue, Trust, TrustError};

/// Live events between browsers and backends: Phoenix Channels on one side, Redis on the other.
#[derive(Parser)]
#[command(name = "tidegate", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway
    Serve(Box<Settings>),
    /// Check the settings and say what is wrong with them, without starting anything
    CheckConfig(Box<Settings>),
    /// Print a token for a channel
    Token {
        /// The topic, or prefix:*
        channel: String,
        /// The user
        id: String,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Make another key sign tokens
    RotateKey {
        /// Refuse at once what the key before it has signed: it has leaked
        #[arg(long)]
        immediate: bool,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Copy the store to a file while the gateway runs
    Backup {
        /// A file that is not there yet
        file: PathBuf,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Print a link that opens the admin pages once, within ten minutes
    AdminLink(Box<Settings>),
}

/// Why the program ends with an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("{0:?} cannot be a channel: {1}")]
    Channel(String, NameError),
    #[error("the id must have 1 to 255 bytes")]
    Id,
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

/// Parses the command line and does what it says.
pub(crate) fn run() -> Result<(), CliError> {
    // As `Cli::parse` does, but what was said by whom is kept for the list of settings.
    let said = Cli::command().get_matches();
    match Cli::from_arg_matches(&said)
        .unwrap_or_else(|error| error.exit())
        .command
    {
        Command::Serve(mut settings) => {
            if let Some((_, said)) = said.subcommand() {
                settings.sources.add_matches(said);
            }
            serve(Config::resolve(*settings)?)?;
        }
        Command::CheckConfig(settings) => {
            let config = Config::resolve(*settings)?;
            writeln!(
                std::io::stdout(),
                "The configuration is valid; it would listen on {}.",
                config.listen
            )?;
        }
        Command::Token {
            channel,
            id,
            settings,
        } => {
            let config = Config::resolve(*settings)?;
            TopicPattern::new(&channel).map_err(|e| CliError::Channel(channel.clone(), e))?;
            if id.trim().is_empty() || id.len() > 255 {
                return Err(CliError::Id);
            }
            let issue = Issue {
                id,
                channels: vec![channel],
                allow: Allow::MEMBER,
                seconds: config.token_seconds,
                by: "command line".to_owned(),
            };
            let token = on_the_store(async {
                let (trust, tokens) = Trust::open(&config).await?;
                let (token, record) = issue.sign(&tokens)?;
                trust
                    .store
                    .add_token(&record)
                    .await
                    .map_err(TrustError::from)?;
                trust.store.close().await;
                Ok(token)
            })?;
            writeln!(std::io::stdout(), "{token}")?;
        }
        Command::RotateKey {
            immediate,
            settings,
        } => {
            let config = Config::resolve(*settings)?;
            let kid = on_the_store(async {
                let (trust, _) = Trust::open(&config).await?;
                let kid = trust.rotate(immediate, config.token_seconds).await?;
                trust.store.close().await;
                Ok(kid)
            })?;
            writeln!(
                std::io::stdout(),
                "Key {kid} signs from now on; gateways that run know it within a second."
            )?;
        }
        Command::Backup { file, settings } => {
            let config = Config::resolve(*settings)?;
            on_the_store(async {
                let (trust, _) = Trust::open(&config).await?;
                trust.store.backup(&file).await?;
                trust.store.close().await;
                Ok(())
            })?;
            writeln!(
                std::io::stdout(),
                "The store is copied to {}.",
                file.display()
            )?;
        }
        Command::AdminLink(settings) => {
            let config = Config::resolve(*settings)?;
            let link = on_the_store(async {
                let (trust, tokens) = Trust::open(&config).await?;
                let link = AdminAuth::make_link(&tokens, now_seconds(), LINK_SECONDS)?;
                trust.store.close().await;
                Ok(link)
            })?;
            writeln!(std::io::stdout(), "{}", admin_link(&config, &link))?;
        }
    }
    Ok(())
}

/// Commands work on the store itself, whether a gateway runs or not.
fn on_the_store<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// The address that opens the admin pages with this link.
pub(crate) fn admin_link(config: &Config, link: &str) -> String {
    format!("http://{}/login?link={link}", reachable(config))
}

/// The listening address as a browser on this machine would spell it.
pub(crate) fn reachable(config: &Config) -> std::net::SocketAddr {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}
