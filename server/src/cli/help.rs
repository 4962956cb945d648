//! What `--help` shows. Every command takes the settings of `serve`, so that one configuration file
//! and one environment do for all; but a command shows only those by which it finds its data folder.

use clap::CommandFactory;

use crate::config::Settings;

pub(crate) const AFTER: &str = "\
`tidegate COMMAND --help` says more. Every setting may also be an environment variable of the same \
name in upper case (DATA_DIR for --data-dir) or stand in the file of --config.

Commands work on the data folder, also while a gateway runs, or with --server through the API of a \
gateway. Exit codes: 0 done, 1 not done (standard error says why), 2 the command line cannot be \
understood, 3 the gateway or the store cannot be reached.";

/// Settings that commands show beside `serve` and `check-config`.
const SHOWN: [&str; 4] = ["config", "data_dir", "database_url", "jwt_secret"];

/// The whole command line.
pub(crate) fn command<C: CommandFactory>() -> clap::Command {
    let settings = <Settings as clap::Args>::augment_args(clap::Command::new("settings"));
    let hidden: Vec<clap::Id> = settings
        .get_arguments()
        .map(|arg| arg.get_id().clone())
        .filter(|id| !SHOWN.contains(&id.as_str()))
        .collect();
    let mut command = C::command();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .filter(|name| name != "serve" && name != "check-config")
        .collect();
    for name in names {
        command = command.mut_subcommand(name, |command| quiet(command, &hidden));
    }
    command
}

fn quiet(command: clap::Command, hidden: &[clap::Id]) -> clap::Command {
    let mut command = command.mut_args(|arg| {
        if hidden.contains(arg.get_id()) {
            arg.hide(true)
        } else if SHOWN.contains(&arg.get_id().as_str()) {
            arg.help_heading("Where")
        } else {
            arg
        }
    });
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(name, |command| quiet(command, hidden));
    }
    command
}
