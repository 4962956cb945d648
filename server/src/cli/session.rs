//! `tidegate session`: who is signed in to the admin pages.

use clap::Subcommand;
use tidegate_protocol::trust::SessionEntry;

use super::api::encoded;
use super::reach::{Listing, Reach};
use super::token::finish;
use super::{CliError, show};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The open sessions, the latest first
    List(Listing),
    /// End a session: whoever holds it has to sign in again
    End {
        /// Its id (`session list` shows it)
        id: String,
        #[command(flatten)]
        reach: Reach,
    },
}

pub(crate) async fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::List(listing) => list(listing).await,
        Command::End { id, reach } => {
            let as_json = reach.json;
            let api = reach.store().await?;
            let done = api
                .delete(&format!("/auth/sessions/{}", encoded(&id)))
                .await;
            finish(api, done, as_json).await
        }
    }
}

async fn list(Listing { limit, reach }: Listing) -> Result<(), CliError> {
    let as_json = reach.json;
    let api = reach.store().await?;
    let found = api.list("/auth/sessions", &[], limit).await;
    api.close().await;
    let (items, more) = found?;
    show::list(
        items,
        as_json,
        &["ID", "WHO", "OPENED", "EXPIRES", "FROM", "BROWSER"],
        |session: SessionEntry| {
            vec![
                session.id,
                session.principal,
                show::time(session.created_at),
                show::time(session.expires_at),
                session.address,
                session.agent,
            ]
        },
    )?;
    show::more(more);
    Ok(())
}
