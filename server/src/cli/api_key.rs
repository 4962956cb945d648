//! `tidegate api-key`: the keys by which programs use the API.

use clap::Subcommand;
use tidegate_protocol::Role;
use tidegate_protocol::trust::{ApiKeyInfo, NewApiKey};

use super::api::{Api, encoded, read};
use super::reach::{Listing, Reach};
use super::token::finish;
use super::user::RoleName;
use super::{CliError, show};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The keys, the latest first
    List(Listing),
    /// Make a key and print it; it is shown this once
    Add {
        /// What it is for: 1 to 64 lower-case letters, digits, . _ - @
        name: String,
        /// What it may do: look, steer the traffic as well, change the rules as well
        #[arg(long, value_enum)]
        role: RoleName,
        /// After how many seconds it ends by itself [default: never]
        #[arg(long)]
        seconds: Option<u64>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Refuse a key from now on
    Revoke {
        /// Its name, or its id
        name: String,
        #[command(flatten)]
        reach: Reach,
    },
}

pub(crate) async fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::List(listing) => list(listing).await,
        Command::Add {
            name,
            role,
            seconds,
            reach,
        } => {
            let role: Role = role.into();
            let as_json = reach.json;
            let api = reach.store().await?;
            let wanted = NewApiKey {
                name,
                role,
                seconds,
            };
            let made = api.post("/auth/api-keys", &wanted).await;
            api.close().await;
            let made = made?;
            if as_json {
                return show::json(&made);
            }
            show::line(made["key"].as_str().unwrap_or_default())
        }
        Command::Revoke { name, reach } => {
            let as_json = reach.json;
            let api = reach.store().await?;
            let done = match find(&api, &name).await {
                Ok(id) => {
                    let path = format!("/auth/api-keys/{}", encoded(&id));
                    api.delete(&path).await
                }
                Err(error) => Err(error),
            };
            finish(api, done, as_json).await
        }
    }
}

/// The id of the key of this name that is not revoked; what is no such name is taken for an id.
async fn find(api: &Api, name: &str) -> Result<String, CliError> {
    let named = [("name", Some(name.to_owned()))];
    let (found, _) = api.list("/auth/api-keys", &named, usize::MAX).await?;
    for key in found {
        let key: ApiKeyInfo = read(key)?;
        if key.revoked_at.is_none() {
            return Ok(key.id);
        }
    }
    // An id is what `api-key list` shows: 32 characters.
    if name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(name.to_owned());
    }
    Err(CliError::NoApiKey(name.to_owned()))
}

async fn list(Listing { limit, reach }: Listing) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.store().await?;
    let found = api.list("/auth/api-keys", &[], limit).await;
    api.close().await;
    let (items, more) = found?;
    show::list(
        items,
        as_json,
        &[
            "ID", "NAME", "ROLE", "KEY", "CREATED", "BY", "EXPIRES", "STATE",
        ],
        |key: ApiKeyInfo| {
            vec![
                key.id,
                key.name,
                key.role.to_string(),
                format!("{}...", key.hint),
                show::time(key.created_at),
                key.created_by,
                show::time_or_dash(key.expires_at),
                if key.revoked_at.is_some() {
                    "revoked"
                } else {
                    "good"
                }
                .to_owned(),
            ]
        },
    )?;
    show::more(more);
    Ok(())
}
