//! `tidegate key`: the keys that sign tokens.

use clap::Subcommand;
use tidegate_protocol::trust::{KeyInfo, RotateKey};

use super::api::encoded;
use super::reach::Reach;
use super::token::finish;
use super::{CliError, show};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The keys, the one that signs first, and how many good tokens hang on each
    List(Reach),
    /// Make another key sign tokens; the one before it checks until its last token has expired
    Rotate(Rotate),
    /// Refuse everything that a key has signed which signs no more
    Revoke {
        /// The name of the key (`key list` shows it)
        kid: String,
        #[command(flatten)]
        reach: Reach,
    },
}

/// Rotating, under both of its names.
#[derive(clap::Args)]
pub(crate) struct Rotate {
    /// Refuse at once what the key before it has signed: it has leaked
    #[arg(long)]
    immediate: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) async fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::List(reach) => list(reach).await,
        Command::Rotate(wanted) => rotate(wanted).await,
        Command::Revoke { kid, reach } => {
            let as_json = reach.json;
            let api = reach.store().await?;
            let done = api.delete(&format!("/auth/keys/{}", encoded(&kid))).await;
            finish(api, done, as_json).await
        }
    }
}

pub(crate) async fn rotate(Rotate { immediate, reach }: Rotate) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.store().await?;
    let done = api
        .post("/auth/keys/rotate", &RotateKey { immediate })
        .await;
    finish(api, done, as_json).await
}

async fn list(reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.store().await?;
    let keys = api.get("/auth/keys").await;
    api.close().await;
    let items = keys?.as_array().cloned().unwrap_or_default();
    show::list(
        items,
        as_json,
        &["KID", "STATE", "TOKENS", "CREATED", "CHECKS UNTIL"],
        |key: KeyInfo| {
            vec![
                key.kid,
                if key.shared {
                    format!("{}, --jwt-secret", key.state)
                } else {
                    key.state
                },
                key.tokens.to_string(),
                show::time_or_dash(key.created_at),
                show::time_or_dash(key.verify_until),
            ]
        },
    )
}
