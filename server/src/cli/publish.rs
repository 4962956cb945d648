//! `tidegate publish`: an event for the members of a channel.

use serde_json::Value;
use tidegate_protocol::admin::SendEvent;

use super::CliError;
use super::api::encoded;
use super::reach::Reach;
use super::token::finish;

/// What is sent, and where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The channel
    topic: String,
    /// The name of the event
    event: String,
    /// Its payload as JSON, - for standard input
    #[arg(value_name = "JSON", default_value = "{}")]
    json_payload: String,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) async fn run(args: Args) -> Result<(), CliError> {
    let text = if args.json_payload == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        args.json_payload
    };
    let payload: Value = serde_json::from_str(&text)
        .map_err(|error| CliError::Json("the payload".to_owned(), error))?;
    let as_json = args.reach.json;
    let api = args.reach.gateway().await?;
    let path = format!("/channels/{}/events", encoded(&args.topic));
    let body = SendEvent {
        event: args.event,
        payload,
    };
    let done = api.post(&path, &body).await;
    finish(api, done, as_json).await
}
