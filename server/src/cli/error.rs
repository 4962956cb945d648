//! Why a command did not do its work, and the exit code that says so.

use std::path::PathBuf;
use std::process::ExitCode;

use tidegate_auth::TokenError;
use tidegate_store::OpenError;

use crate::config::ConfigError;
use crate::serve::ServeError;
use crate::trust::TrustError;

/// Why the program ends with an error. Each is a sentence: what happened, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The sentence of the API.
    #[error("{0}")]
    Refused(String),
    #[error(
        "the gateway does not know who asks: put an API key into TIDEGATE_API_KEY or a file named with --api-key-file (`tidegate api-key add` makes one)"
    )]
    NoCredential,
    #[error(
        "the API key has spaces or signs that no key has; give the file or the variable the key alone"
    )]
    BadKey,
    #[error(
        "--server {0:?} is no address; write https://host, http://127.0.0.1:2025 or unix:/path"
    )]
    Server(String),
    #[error("{0} cannot be reached ({1}); is a gateway running there?")]
    Unreachable(String, String),
    #[error("{0} answered what no gateway answers ({1}); is it one, and of this version?")]
    Strange(String, String),
    #[error(
        "with --data-dir none there is no store to work on: name a gateway with --server, or a folder with --data-dir"
    )]
    NoStore,
    #[error("this works on the data folder, not through --server: run it where the folder is")]
    FolderOnly,
    #[error("{path} cannot be read: {why}", path = .0.display(), why = .1)]
    Unreadable(PathBuf, std::io::Error),
    #[error("{path} cannot be written: {why}", path = .0.display(), why = .1)]
    Unwritable(PathBuf, std::io::Error),
    #[error("the two passwords differ; nothing was changed")]
    PasswordsDiffer,
    #[error("nothing was entered; nothing was changed")]
    NothingEntered,
    #[error("{0} is no JSON: {1}")]
    Json(String, serde_json::Error),
    #[error("there is no user {0:?}; `tidegate user list` shows all")]
    NoUser(String),
    #[error("there is no API key {0:?}; `tidegate api-key list` shows all")]
    NoApiKey(String),
    #[error("the token is not good: {0}")]
    TokenNotGood(String),
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl CliError {
    /// 1: it was not done. 3: the gateway or the store could not be reached. (2, a command line that
    /// cannot be understood, is said by the parser.)
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            // Who reads has seen enough.
            Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                ExitCode::SUCCESS
            }
            Self::Unreachable(..)
            | Self::Trust(TrustError::Open(OpenError::Unusable(_)))
            | Self::Serve(ServeError::Trust(TrustError::Open(OpenError::Unusable(_)))) => {
                ExitCode::from(3)
            }
            _ => ExitCode::FAILURE,
        }
    }

    /// Whether there is anything to say.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
