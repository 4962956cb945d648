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

/// Settings of `serve` by what they are about; what stands nowhere comes first, with `--config`.
const GROUPS: [(&str, &[&str]); 9] = [
    (
        "Listening",
        &[
            "host",
            "port",
            "unix_socket",
            "unix_socket_mode",
            "static_path",
            "allowed_origins",
            "trusted_proxy",
            "proxy_header",
            "max_http_connections",
            "max_http_connections_per_address",
            "http_head_seconds",
            "http_body_seconds",
            "http_write_seconds",
            "request_seconds",
        ],
    ),
    (
        "Bus and other gateways",
        &[
            "redis_url",
            "bus_listen",
            "bus_password",
            "bus_clients",
            "bus_output_bytes",
            "bus_request_bytes",
            "node",
            "peer_lease_seconds",
            "max_remote_members",
        ],
    ),
    (
        "Who may do what",
        &[
            "admin_password",
            "jwt_secret",
            "plain_tokens",
            "token_seconds",
            "open_tokens",
            "token_warning_seconds",
            "key_rotation_days",
            "metrics_token",
            "tangram_compat",
            "client_cookie_seconds",
            "max_open_tokens",
            "internal_secret_file",
            "internal_role",
            "signature_seconds",
            "max_nonces",
        ],
    ),
    (
        "Tokens of outside issuers",
        &[
            "issuer",
            "issuer_jwks",
            "issuer_audience",
            "issuer_channels",
            "jwks_max_bytes",
            "jwks_max_keys",
            "jwks_timeout_seconds",
            "jwks_retry_seconds",
        ],
    ),
    (
        "Publishing and plugins",
        &[
            "max_publish_events",
            "max_publish_bytes",
            "max_idempotency_keys",
            "idempotency_seconds",
            "plugin_seconds",
            "max_plugin_requests",
            "max_plugin_bytes",
        ],
    ),
    (
        "How often",
        &[
            "rate_window_seconds",
            "requests_per_address",
            "requests_per_principal",
            "pushes_per_address",
            "pushes_per_principal",
            "rate_limit_keys",
            "pushes_per_second",
            "joins_per_second",
        ],
    ),
    (
        "Store",
        &[
            "data_dir",
            "database_url",
            "store_connections",
            "store_wait_ms",
            "activity_records",
            "activity_days",
        ],
    ),
    (
        "Clients and their bounds",
        &[
            "idle_seconds",
            "drain_seconds",
            "max_frame_bytes",
            "deflate_min_bytes",
            "max_errors",
            "queue_bytes",
            "queue_frames",
            "fan_out_threads",
            "max_connections",
            "max_connections_per_address",
            "max_channels",
            "max_channels_per_connection",
        ],
    ),
    (
        "Logs",
        &[
            "log",
            "debug",
            "log_format",
            "log_dir",
            "debug_log_dir",
            "log_file_bytes",
            "log_files",
            "log_queue_bytes",
        ],
    ),
];

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
    for name in ["serve", "check-config"] {
        command = command.mut_subcommand(name, |command| command.mut_args(grouped));
    }
    command
}

fn grouped(arg: clap::Arg) -> clap::Arg {
    let id = arg.get_id().as_str();
    match GROUPS.iter().find(|(_, settings)| settings.contains(&id)) {
        Some((heading, _)) => arg.help_heading(*heading),
        None => arg,
    }
}

fn quiet(command: clap::Command, hidden: &[clap::Id]) -> clap::Command {
    let mut command = command.mut_args(|arg| {
        if hidden.contains(arg.get_id()) {
            arg.hide(true)
        } else if SHOWN.contains(&arg.get_id().as_str()) {
            arg.help_heading("Where").hide_env(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every setting has its place in the help, and every place its setting.
    #[test]
    fn every_setting_is_in_a_group() {
        let settings = <Settings as clap::Args>::augment_args(clap::Command::new("settings"));
        let all: Vec<&str> = settings
            .get_arguments()
            .map(|arg| arg.get_id().as_str())
            .collect();
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        for name in &all {
            let times = grouped.iter().filter(|other| *other == name).count();
            assert_eq!(times, usize::from(*name != "config"), "{name}");
        }
        for name in grouped {
            assert!(all.contains(&name), "{name}");
        }
    }
}
