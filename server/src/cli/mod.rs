//! The command line: what can be said, and who does it.
//!
//! `serve` runs the gateway. Every other command asks the HTTP API, of a gateway that runs or of one
//! that is put together over the data folder for as long as the command takes (`reach`): there is one
//! set of rules, and the command line has no door of its own.

mod activity;
mod api;
mod api_key;
mod backup;
mod channel;
mod check;
mod error;
mod folder;
mod help;
mod key;
mod local;
mod publish;
mod reach;
mod remote;
mod secrets;
mod session;
mod show;
mod token;
mod user;

use std::future::Future;

use clap::{FromArgMatches as _, Parser, Subcommand};

pub(crate) use error::CliError;
pub(crate) use folder::{admin_link, reachable};

use crate::config::{Config, Settings};
use crate::serve::serve;
use reach::Reach;

/// Live events between browsers and backends: Phoenix Channels on one side, Redis on the other.
#[derive(Parser)]
#[command(
    name = "tidegate",
    version,
    about,
    max_term_width = 100,
    after_help = help::AFTER
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway
    Serve(Box<Settings>),
    /// Print the settings that hold, secrets masked, or what is wrong with them; of a gateway that
    /// runs with --server
    CheckConfig(check::Args),
    /// Issue, list, look into and revoke tokens; `token CHANNEL ID` prints one
    Token(token::Args),
    /// Signing keys: list, rotate, revoke
    Key {
        #[command(subcommand)]
        command: key::Command,
    },
    /// Keys by which programs use the API: list, add, revoke
    ApiKey {
        #[command(subcommand)]
        command: api_key::Command,
    },
    /// Users of the admin pages: list, add, role, password, disable, enable, remove
    User {
        #[command(subcommand)]
        command: user::Command,
    },
    /// Sessions of the admin pages: list, end
    Session {
        #[command(subcommand)]
        command: session::Command,
    },
    /// Channels that have members, and what is defined for channels
    Channel {
        #[command(subcommand)]
        command: channel::Command,
    },
    /// Send an event to the members of a channel
    Publish(publish::Args),
    /// Who did what
    Activity(activity::Args),
    /// Copy the store to a file, also while the gateway runs
    Backup(backup::Args),
    /// Print a link that opens the admin pages once, within ten minutes
    AdminLink(Reach),
    /// The same as `key rotate`
    #[command(hide = true)]
    RotateKey(key::Rotate),
}

/// Parses the command line and does what it says.
pub(crate) fn run() -> Result<(), CliError> {
    let matches = help::command::<Cli>().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        Command::Serve(mut settings) => {
            if let Some((_, said)) = matches.subcommand() {
                settings.sources.add_matches(said);
            }
            Ok(serve(Config::resolve(*settings)?)?)
        }
        Command::CheckConfig(mut args) => {
            if let Some((_, said)) = matches.subcommand() {
                args.reach.sources_mut().add_matches(said);
            }
            wait(check::run(args))
        }
        Command::Token(args) => wait(token::run(args)),
        Command::Key { command } => wait(key::run(command)),
        Command::ApiKey { command } => wait(api_key::run(command)),
        Command::User { command } => wait(user::run(command)),
        Command::Session { command } => wait(session::run(command)),
        Command::Channel { command } => wait(channel::run(command)),
        Command::Publish(args) => wait(publish::run(args)),
        Command::Activity(args) => wait(activity::run(args)),
        Command::Backup(args) => wait(backup::run(args)),
        Command::AdminLink(reach) => wait(folder::print_admin_link(reach)),
        Command::RotateKey(rotate) => wait(key::rotate(rotate)),
    }
}

fn wait(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

#[cfg(test)]
mod tests {
    /// Every command, its flags and its help are put together without a contradiction.
    #[test]
    fn the_command_line_is_sound() {
        super::help::command::<super::Cli>().debug_assert();
    }
}
