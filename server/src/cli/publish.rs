//! `tidegate publish`: an event for the members of a channel, or for some of them.

use serde_json::value::RawValue;
use tidegate_protocol::publish::{PublishEvent, Published, Recipients};

use super::api::read;
use super::reach::Reach;
use super::{CliError, show};

/// What is sent, where to, and whom it is for.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The channel
    topic: String,
    /// The name of the event
    event: String,
    /// Its payload as JSON, - for standard input
    #[arg(value_name = "JSON", default_value = "{}")]
    json_payload: String,
    /// For these users only, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    user: Vec<String>,
    /// For these connections only, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    connection: Vec<String>,
    /// Not for these connections, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Names the event: it is published once, however often it is sent
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) async fn run(args: Args) -> Result<(), CliError> {
    let text = if args.json_payload == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        args.json_payload
    };
    // As it was written: the members get these bytes.
    let payload: Box<RawValue> = serde_json::from_str(text.trim())
        .map_err(|error| CliError::Json("the payload".to_owned(), error))?;
    let to = Recipients {
        connections: args.connection,
        users: args.user,
        exclude: args.exclude,
    };
    let event = PublishEvent {
        topic: args.topic,
        event: args.event,
        payload,
        to: (to != Recipients::default()).then_some(to),
        id: args.id,
    };
    let as_json = args.reach.json;
    let api = args.reach.gateway().await?;
    let published = api.post("/publish", &event).await;
    api.close().await;
    let published = published?;
    if as_json {
        return show::json(&published);
    }
    let published: Published = read(published)?;
    for one in published.events {
        let members = match one.members {
            1 => "1 member".to_owned(),
            n => format!("{n} members"),
        };
        show::line(&format!(
            "Published {} to {}, for {members}.",
            one.event, one.topic
        ))?;
    }
    Ok(())
}
