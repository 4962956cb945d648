//! The command line.

use std::io::Write;

use clap::{Parser, Subcommand};
use tidegate_auth::{AdminAuth, LINK_SECONDS, TokenError, Tokens};
use tidegate_protocol::{Claims, NameError, TopicPattern};

use crate::config::{Config, ConfigError, Settings};
use crate::serve::{ServeError, now_seconds, serve};

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
    #[error("{0:?} cannot be a channel: {1}")]
    Channel(String, NameError),
    #[error("the id must have 1 to 255 bytes")]
    Id,
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

/// Parses the command line and does what it says.
pub(crate) fn run() -> Result<(), CliError> {
    match Cli::parse().command {
        Command::Serve(settings) => serve(Config::resolve(*settings)?)?,
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
            let exp = now_seconds() + config.token_seconds;
            let token = Tokens::new(&config.secret).issue(&Claims { id, channel, exp })?;
            writeln!(std::io::stdout(), "{token}")?;
        }
        Command::AdminLink(settings) => {
            let config = Config::resolve(*settings)?;
            let tokens = Tokens::new(&config.secret);
            let link = AdminAuth::make_link(&tokens, now_seconds(), LINK_SECONDS)?;
            writeln!(std::io::stdout(), "{}", admin_link(&config, &link))?;
        }
    }
    Ok(())
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
