//! `tidegate activity`: who did what.

use std::time::Duration;

use serde_json::Value;
use tidegate_protocol::trust::ActivityInfo;

use super::api::{Api, read};
use super::reach::Reach;
use super::{CliError, show};

/// How often new records are looked for.
const EVERY: Duration = Duration::from_secs(1);

/// Which records, and how.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Of this principal only: admin, user:<name>, key:<name>, token:<id>
    #[arg(long)]
    principal: Option<String>,
    /// With this in what was asked for or what came of it only
    #[arg(long)]
    search: Option<String>,
    /// What was refused only
    #[arg(long)]
    refused: bool,
    /// Show so many at most
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Go on showing what is recorded, until Ctrl-C
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) async fn run(args: Args) -> Result<(), CliError> {
    let as_json = args.reach.json;
    let params = [
        ("principal", args.principal),
        ("search", args.search),
        ("refused", args.refused.then(|| "true".to_owned())),
    ];
    let api = args.reach.store().await?;
    let first = api.list("/activity", &params, args.limit).await;
    if args.follow {
        let result = follow(&api, &params, first?.0, as_json).await;
        api.close().await;
        return result;
    }
    api.close().await;
    let (items, _) = first?;
    if as_json {
        return items.iter().try_for_each(show::json);
    }
    show::list(
        items,
        false,
        &["TIME", "WHO", "STATUS", "WHAT", "OUTCOME", "FROM"],
        |record: ActivityInfo| {
            vec![
                show::time(record.at),
                record.principal,
                record.status.to_string(),
                what(&record.action, &record.target),
                record.outcome,
                record.address,
            ]
        },
    )
}

/// The oldest first, and then what comes.
async fn follow(
    api: &Api,
    params: &[(&str, Option<String>)],
    first: Vec<Value>,
    as_json: bool,
) -> Result<(), CliError> {
    /// So many are looked at for new ones; more in a second are cut.
    const MOST: usize = 1_000;
    let mut newest = String::new();
    let mut found = first;
    loop {
        let new: Vec<Value> = found
            .into_iter()
            .filter(|record| record["id"].as_str().is_some_and(|id| id > newest.as_str()))
            .collect();
        if let Some(id) = new.first().and_then(|record| record["id"].as_str()) {
            newest = id.to_owned();
        }
        for record in new.into_iter().rev() {
            if as_json {
                show::json(&record)?;
            } else {
                show::line(&one_line(read(record)?))?;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
        found = api.list("/activity", params, MOST).await?.0;
    }
}

fn one_line(record: ActivityInfo) -> String {
    format!(
        "{}  {}  {}  {}  {}  {}",
        show::time(record.at),
        record.principal,
        record.status,
        what(&record.action, &record.target),
        record.outcome,
        record.address
    )
}

/// The method and the path that was asked for: the path's template is for counting.
fn what(action: &str, target: &str) -> String {
    match action.split_once(' ') {
        Some((method, _)) if target.starts_with('/') => format!("{method} {target}"),
        _ => action.to_owned(),
    }
}
