//! A copy of the store, while the gateway runs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt as _;
use tidegate_store::BackupError;
use tokio_util::io::ReaderStream;

use super::ApiError;
use super::admin::Admin;
use super::done::Said;
use super::openapi::{Conflict, Stored};
use crate::gateway::Gateway;

/// Copies that are made or read at once, each as large as the store.
pub(crate) const MAX_COPIES: usize = 2;
/// Bytes that are read of a copy at once.
const STEP_BYTES: usize = 64 * 1024;

/// A copy of the store
///
/// A database of SQLite as it was at one moment, for `--data-dir`. Its signing keys stay sealed: they
/// open with the file `key` of the data folder, which is not in it. A store in PostgreSQL is copied
/// with pg_dump.
#[utoipa::path(
    get, path = "/system/backup", tag = "gateway",
    responses(
        (
            status = 200, description = "The copy.", body = Vec<u8>,
            content_type = "application/vnd.sqlite3",
        ),
        Conflict,
        Stored,
    ),
    security(("session" = ["admin"]), ("bearer" = ["admin"])),
)]
pub(super) async fn copy(
    _: Admin,
    State(gateway): State<Arc<Gateway>>,
) -> Result<Response, ApiError> {
    let copies = gateway.trust.copies.clone();
    let place = copies.try_acquire_owned();
    let place = place.map_err(|_| ApiError::CopiesBusy(MAX_COPIES))?;
    let file = gateway.trust.store.snapshot().await?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let stream = ReaderStream::with_capacity(tokio::fs::File::from_std(file), STEP_BYTES);
    // The place is free again when the copy has been read, or nobody reads it any more.
    let stream = stream.inspect_ok(move |_| {
        let _held = &place;
    });
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.sqlite3".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"tidegate-backup.db\"".to_owned(),
        ),
    ];
    let mut response = (headers, Body::from_stream(stream)).into_response();
    let said = Said("Gave a copy of the store.".to_owned());
    response.extensions_mut().insert(said);
    Ok(response)
}

fn unreadable(error: std::io::Error) -> ApiError {
    tracing::error!(%error, "a copy of the store cannot be read");
    ApiError::Fault
}

impl From<BackupError> for ApiError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(error) => error.into(),
            BackupError::Postgres | BackupError::Nothing => ApiError::NotCopied(error),
            BackupError::File { .. } => {
                tracing::error!(%error, "a copy of the store cannot be made");
                ApiError::Fault
            }
        }
    }
}
