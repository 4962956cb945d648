//! `tidegate channel`: what flows on a gateway that runs, and what is defined for channels.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Map, Value};
use tidegate_protocol::admin::{ChannelInfo, MemberInfo};
use tidegate_protocol::{Definition, PushRate, RoleName};

use super::api::{Api, encoded, read};
use super::reach::Reach;
use super::token::finish;
use super::{CliError, show};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Channels with members, on a gateway that runs
    List {
        /// With this in their topic only
        #[arg(long)]
        search: Option<String>,
        /// Show so many at most
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        reach: Reach,
    },
    /// One channel and its members
    Show {
        /// Its topic
        topic: String,
        /// Show so many members at most
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        reach: Reach,
    },
    /// Remove every member of a channel
    Close {
        /// Its topic
        topic: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Who may join and push, whether there is presence: kept in the store
    Definitions {
        #[command(subcommand)]
        command: Definitions,
    },
}

#[derive(Subcommand)]
pub(crate) enum Definitions {
    /// What is defined; the most specific pattern that matches a topic holds
    List(Reach),
    /// Define a channel; of a definition that is there, what is not said stays
    Put(Box<Put>),
    /// Remove a definition
    Remove {
        /// The topic, or prefix:*
        pattern: String,
        #[command(flatten)]
        reach: Reach,
    },
}

/// A definition, as far as it is said.
#[derive(clap::Args)]
pub(crate) struct Put {
    /// The topic, or prefix:*
    pattern: String,
    /// Who may join: public, token, roles, admin
    #[arg(long)]
    join: Option<String>,
    /// The roles that may join, comma-separated; with --join roles
    #[arg(long, value_delimiter = ',', value_parser = RoleName::new)]
    join_roles: Option<Vec<RoleName>>,
    /// Who may push: member, token, roles, admin, nobody
    #[arg(long)]
    push: Option<String>,
    /// The roles that may push, comma-separated; with --push roles
    #[arg(long, value_delimiter = ',', value_parser = RoleName::new)]
    push_roles: Option<Vec<RoleName>>,
    /// How often one connection may push: 30/60 is 30 pushes in 60 seconds, 0 as often as everywhere
    #[arg(long, value_name = "PUSHES/SECONDS", value_parser = push_rate)]
    push_rate: Option<Value>,
    /// What members see of each other: full, count, off
    #[arg(long)]
    presence: Option<String>,
    /// Whether a member's event also goes to the other members
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    relay: Option<bool>,
    /// Whether a member's event is also published with its sender, as sent:<topic>:<event>
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    stamp: Option<bool>,
    /// For a member that reads too slowly: close, drop-oldest, latest-only
    #[arg(long)]
    overflow: Option<String>,
    /// File with the rest of the definition as JSON, - for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) async fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::List {
            search,
            limit,
            reach,
        } => list(search, limit, reach).await,
        Command::Show {
            topic,
            limit,
            reach,
        } => show_one(&topic, limit, reach).await,
        Command::Close { topic, reach } => {
            let as_json = reach.json;
            let api = reach.gateway().await?;
            let done = api.delete(&format!("/channels/{}", encoded(&topic))).await;
            finish(api, done, as_json).await
        }
        Command::Definitions { command } => match command {
            Definitions::List(reach) => list_definitions(reach).await,
            Definitions::Put(wanted) => put(*wanted).await,
            Definitions::Remove { pattern, reach } => {
                let as_json = reach.json;
                let api = reach.store().await?;
                let path = format!("/definitions/{}", encoded(&pattern));
                let done = api.delete(&path).await;
                finish(api, done, as_json).await
            }
        },
    }
}

async fn list(search: Option<String>, limit: usize, reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.gateway().await?;
    let (items, more) = api.list("/channels", &[("search", search)], limit).await?;
    show::list(
        items,
        as_json,
        &["TOPIC", "MEMBERS", "TO", "FROM", "PER SECOND", "OPENED"],
        |channel: ChannelInfo| {
            vec![
                channel.topic,
                channel.members.to_string(),
                channel.events_to.to_string(),
                channel.events_from.to_string(),
                channel.rate.to_string(),
                show::time(channel.opened_at),
            ]
        },
    )?;
    if more {
        show::note("There are more; --limit shows them.");
    }
    Ok(())
}

async fn show_one(topic: &str, limit: usize, reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.gateway().await?;
    let path = format!("/channels/{}", encoded(topic));
    let channel = api.get(&path).await?;
    let (members, more) = api.list(&format!("{path}/members"), &[], limit).await?;
    if as_json {
        return show::json(&serde_json::json!({ "channel": channel, "members": members }));
    }
    let info: ChannelInfo = read(channel)?;
    show::line(&format!(
        "{}: {} members, {} events to them and {} from them, {} a second; open since {}",
        info.topic,
        info.members,
        info.events_to,
        info.events_from,
        info.rate,
        show::time(info.opened_at)
    ))?;
    show::list(
        members,
        false,
        &["USER", "CONNECTION", "TOKEN", "JOINED", "PRESENCE"],
        |member: MemberInfo| {
            vec![
                member.user,
                member.connection,
                if member.token { "yes" } else { "no" }.to_owned(),
                show::time(member.joined_at),
                member.presence.to_string(),
            ]
        },
    )?;
    if more {
        show::note("There are more; --limit shows them.");
    }
    Ok(())
}

async fn definitions(api: &Api) -> Result<Vec<Value>, CliError> {
    read(api.get("/definitions").await?)
}

/// A rule, with the roles that it means.
fn by(rule: String, roles: &[RoleName]) -> String {
    if roles.is_empty() {
        return rule;
    }
    let roles: Vec<&str> = roles.iter().map(RoleName::as_str).collect();
    format!("{rule}: {}", roles.join(","))
}

async fn list_definitions(reach: Reach) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.store().await?;
    let items = definitions(&api).await;
    api.close().await;
    show::list(
        items?,
        as_json,
        &[
            "PATTERN", "JOIN", "PUSH", "RATE", "PRESENCE", "RELAY", "OVERFLOW",
        ],
        |definition: Definition| {
            let written = serde_json::to_value(&definition).unwrap_or_default();
            let word = |name: &str| written[name].as_str().unwrap_or_default().to_owned();
            vec![
                definition
                    .pattern
                    .as_ref()
                    .map_or_else(|| "(every other)".to_owned(), ToString::to_string),
                by(word("join"), &definition.join_roles),
                by(word("push"), &definition.push_roles),
                definition.push_rate.map_or_else(
                    || "-".to_owned(),
                    |rate| format!("{}/{}", rate.pushes, rate.seconds),
                ),
                word("presence"),
                if definition.relay { "yes" } else { "no" }.to_owned(),
                word("overflow"),
            ]
        },
    )
}

/// `30/60`, `5` for each second, or `0`, which is null: none of its own.
fn push_rate(said: &str) -> Result<Value, String> {
    let (pushes, seconds) = said.split_once('/').unwrap_or((said, "1"));
    let number = |text: &str| {
        text.parse::<u32>()
            .map_err(|_| "this is no rate: 30/60 is 30 pushes in 60 seconds".to_owned())
    };
    let (pushes, seconds) = (number(pushes)?, number(seconds)?);
    let rate = (pushes > 0).then_some(PushRate { pushes, seconds });
    Ok(serde_json::json!(rate))
}

async fn put(wanted: Put) -> Result<(), CliError> {
    let as_json = wanted.reach.json;
    let mut said = match &wanted.file {
        Some(file) => from_file(file)?,
        None => Map::new(),
    };
    // Roles of before do not count where something else decides now.
    for (what, rule) in [("join", &wanted.join), ("push", &wanted.push)] {
        if rule.as_ref().is_some_and(|rule| rule != "roles") {
            said.insert(format!("{what}_roles"), Value::Array(Vec::new()));
        }
    }
    for (what, roles) in [("join", wanted.join_roles), ("push", wanted.push_roles)] {
        if let Some(roles) = roles {
            said.insert(format!("{what}_roles"), serde_json::json!(roles));
        }
    }
    if let Some(rate) = wanted.push_rate {
        said.insert("push_rate".to_owned(), rate);
    }
    for (name, value) in [
        ("join", wanted.join),
        ("push", wanted.push),
        ("presence", wanted.presence),
        ("overflow", wanted.overflow),
    ] {
        if let Some(value) = value {
            said.insert(name.to_owned(), Value::String(value));
        }
    }
    for (name, value) in [("relay", wanted.relay), ("stamp", wanted.stamp)] {
        if let Some(value) = value {
            said.insert(name.to_owned(), Value::Bool(value));
        }
    }
    said.insert("pattern".to_owned(), Value::String(wanted.pattern.clone()));
    let api = wanted.reach.store().await?;
    let done = match definitions(&api).await {
        Ok(all) => {
            let before = all
                .into_iter()
                .find(|definition| definition["pattern"] == wanted.pattern.as_str());
            let mut definition = match before {
                Some(Value::Object(before)) => before,
                _ => Map::new(),
            };
            definition.extend(said);
            api.put("/definitions", &definition).await
        }
        Err(error) => Err(error),
    };
    finish(api, done, as_json).await
}

fn from_file(file: &std::path::Path) -> Result<Map<String, Value>, CliError> {
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| CliError::Unreadable(file.to_owned(), error))?;
    serde_json::from_str(&text).map_err(|error| CliError::Json(file.display().to_string(), error))
}
