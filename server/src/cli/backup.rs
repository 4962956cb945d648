//! A copy of the store, in a file that is its owner's alone.

use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};

use super::CliError;
use super::reach::Reach;
use super::show;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A file that is not there yet
    file: PathBuf,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) async fn run(args: Args) -> Result<(), CliError> {
    let Args { file: path, reach } = args;
    let as_json = reach.json;
    let api = reach.store().await?;
    let mut file = create(&path).await?;
    let written = match api.download("/system/backup", &mut file).await {
        Ok(()) => file.sync_all().await.map_err(CliError::from),
        Err(error) => Err(error),
    };
    api.close().await;
    if let Err(error) = written {
        // Half a copy is worse than none: somebody would rely on it.
        let _ = tokio::fs::remove_file(&path).await;
        return Err(error);
    }
    let done = format!("The store is copied to {}.", path.display());
    show::done(&serde_json::json!({ "done": done }), as_json, None)
}

async fn create(path: &Path) -> Result<File, CliError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let file = options.open(path).await;
    file.map_err(|error| CliError::Unwritable(path.to_owned(), error))
}
