//! `tidegate user`: who may sign in to the admin pages.

use std::path::PathBuf;

use clap::Subcommand;
use tidegate_protocol::Role;
use tidegate_protocol::trust::{ChangeUser, NewUser, UserInfo};

use super::api::{Api, encoded, read};
use super::reach::{Listing, Reach};
use super::token::finish;
use super::{CliError, secrets, show};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The users, the latest first
    List(Listing),
    /// Add a user
    Add {
        /// 1 to 64 lower-case letters, digits, . _ - @
        name: String,
        /// What the user may do: look, steer the traffic as well, change the rules as well
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleName,
        /// File with the password, - for standard input [default: asked on the terminal]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Change what a user may do
    Role {
        /// The user
        name: String,
        /// What the user may do from now on
        #[arg(value_enum)]
        role: RoleName,
        #[command(flatten)]
        reach: Reach,
    },
    /// Give a user a new password; every session of the user ends
    Password {
        /// The user
        name: String,
        /// File with the password, - for standard input [default: asked on the terminal]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Let a user sign in no more; sessions end, and tokens that the user has issued are refused
    Disable(One),
    /// Let a user sign in again
    Enable(One),
    /// Remove a user; sessions end, and tokens that the user has issued are refused
    Remove(One),
}

#[derive(clap::Args)]
pub(crate) struct One {
    /// The user
    name: String,
    #[command(flatten)]
    reach: Reach,
}

/// A role, as it is written.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum RoleName {
    Viewer,
    Operator,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Role::Viewer,
            RoleName::Operator => Role::Operator,
            RoleName::Admin => Role::Admin,
        }
    }
}

pub(crate) async fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::List(listing) => list(listing).await,
        Command::Add {
            name,
            role,
            password_file,
            reach,
        } => {
            let wanted = NewUser {
                name,
                role: role.into(),
                password: password(password_file)?,
            };
            let as_json = reach.json;
            let api = reach.store().await?;
            let added = api.post("/auth/users", &wanted).await;
            let follow_up = api.follow_up();
            api.close().await;
            let mut added = added?;
            if !as_json {
                // The API answers with the user.
                let done = format!("Added user {} as {}.", wanted.name, wanted.role);
                added = serde_json::json!({ "done": done });
            }
            show::done(&added, as_json, follow_up)
        }
        Command::Role { name, role, reach } => {
            let wanted = ChangeUser {
                role: Some(role.into()),
                ..ChangeUser::default()
            };
            change(&name, wanted, reach).await
        }
        Command::Password {
            name,
            password_file,
            reach,
        } => {
            let wanted = ChangeUser {
                password: Some(password(password_file)?),
                ..ChangeUser::default()
            };
            change(&name, wanted, reach).await
        }
        Command::Disable(one) => disable(one, true).await,
        Command::Enable(one) => disable(one, false).await,
        Command::Remove(One { name, reach }) => {
            let as_json = reach.json;
            let api = reach.store().await?;
            let done = match find(&api, &name).await {
                Ok(path) => api.delete(&path).await,
                Err(error) => Err(error),
            };
            finish(api, done, as_json).await
        }
    }
}

fn password(file: Option<PathBuf>) -> Result<String, CliError> {
    secrets::secret("Password", file.as_deref(), true)
}

async fn disable(One { name, reach }: One, disabled: bool) -> Result<(), CliError> {
    let wanted = ChangeUser {
        disabled: Some(disabled),
        ..ChangeUser::default()
    };
    change(&name, wanted, reach).await
}

async fn change(name: &str, wanted: ChangeUser, reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.store().await?;
    let done = match find(&api, name).await {
        Ok(path) => api.put(&path, &wanted).await,
        Err(error) => Err(error),
    };
    finish(api, done, as_json).await
}

/// The address of the user of this name.
async fn find(api: &Api, name: &str) -> Result<String, CliError> {
    let named = [("name", Some(name.to_owned()))];
    let (found, _) = api.list("/auth/users", &named, 1).await?;
    let user: UserInfo = match found.into_iter().next() {
        Some(user) => read(user)?,
        None => return Err(CliError::NoUser(name.to_owned())),
    };
    Ok(format!("/auth/users/{}", encoded(&user.id)))
}

async fn list(Listing { limit, reach }: Listing) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.store().await?;
    let found = api.list("/auth/users", &[], limit).await;
    api.close().await;
    let (items, more) = found?;
    show::list(
        items,
        as_json,
        &["NAME", "ROLE", "STATE", "CREATED"],
        |user: UserInfo| {
            vec![
                user.name,
                user.role.to_string(),
                if user.disabled { "disabled" } else { "enabled" }.to_owned(),
                show::time(user.created_at),
            ]
        },
    )?;
    show::more(more);
    Ok(())
}
