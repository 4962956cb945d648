//! The HTTP API as commands use it, wherever it is.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidegate_protocol::admin::Problem;
use tokio::fs::File;

use super::CliError;
use super::local::Local;
use super::remote::Remote;

/// What stands for itself in a part of a path and in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// As a part of a path, or as a value in a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// `name=value&...` of those that have a value.
pub(crate) fn query(pairs: &[(&str, Option<String>)]) -> String {
    let said: Vec<_> = pairs
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encoded(value.as_deref()?))))
        .collect();
    said.join("&")
}

/// What comes back: a status, and a body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// A gateway that runs, or one that is put together over the data folder.
pub(crate) enum Api {
    /// Over the network, or a socket of this machine.
    Remote(Remote),
    /// In this process.
    Local(Local),
}

impl Api {
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CliError> {
        self.ask("GET", path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, CliError> {
        self.ask("DELETE", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, CliError> {
        self.send("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &impl Serialize) -> Result<Value, CliError> {
        self.send("PUT", path, body).await
    }

    async fn send(
        &self,
        method: &'static str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Value, CliError> {
        let body = serde_json::to_vec(body)
            .map_err(|error| CliError::Json("the request".to_owned(), error))?;
        self.ask(method, path, Some(body)).await
    }

    /// Items of a list that comes part by part (`items`, `next`), up to `most`; whether there are more.
    pub(crate) async fn list(
        &self,
        path: &str,
        params: &[(&str, Option<String>)],
        most: usize,
    ) -> Result<(Vec<Value>, bool), CliError> {
        /// The API gives no more at once.
        const PART: usize = 200;
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let wanted = most.saturating_sub(items.len()).min(PART);
            let mut all = params.to_vec();
            all.push(("limit", Some(wanted.to_string())));
            all.push(("after", after));
            let mut part = self.get(&format!("{path}?{}", query(&all))).await?;
            if let Some(Value::Array(found)) = part.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            after = part["next"].as_str().map(str::to_owned);
            if after.is_none() || items.len() >= most {
                return Ok((items, after.is_some()));
            }
        }
    }

    async fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Value, CliError> {
        let answer = match self {
            Api::Remote(remote) => remote.ask(method, path, body).await?,
            Api::Local(local) => local.ask(method, path, body).await?,
        };
        if (200..300).contains(&answer.status) {
            return serde_json::from_slice(&answer.body)
                .map_err(|error| CliError::Strange(self.name(), error.to_string()));
        }
        Err(self.refused(&answer))
    }

    /// Writes the body of an answer into a file.
    pub(crate) async fn download(&self, path: &str, file: &mut File) -> Result<(), CliError> {
        let answer = match self {
            Api::Remote(remote) => remote.download(path, file).await?,
            Api::Local(local) => local.download(path, file).await?,
        };
        match answer.status {
            200 => Ok(()),
            _ => Err(self.refused(&answer)),
        }
    }

    /// What an answer that is none says.
    fn refused(&self, answer: &Answer) -> CliError {
        match serde_json::from_slice::<Problem>(&answer.body) {
            Ok(_) if answer.status == 401 && !self.shows_something() => CliError::NoCredential,
            Ok(problem) => CliError::Refused(problem.detail),
            Err(_) => CliError::Strange(self.name(), format!("status {}", answer.status)),
        }
    }

    fn name(&self) -> String {
        match self {
            Api::Remote(remote) => remote.name(),
            Api::Local(_) => "this program".to_owned(),
        }
    }

    fn shows_something(&self) -> bool {
        match self {
            Api::Remote(remote) => remote.shows_something(),
            Api::Local(_) => true,
        }
    }

    /// Says what was done elsewhere, once it is done: gateways that share the store follow.
    pub(crate) fn follow_up(&self) -> Option<&'static str> {
        matches!(self, Api::Local(_))
            .then_some("Gateways that run on this store know it within a second.")
    }

    /// Writes down what still waits.
    pub(crate) async fn close(self) {
        if let Api::Local(local) = self {
            local.close().await;
        }
    }
}

/// A part of an answer as a type of the API.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, CliError> {
    serde_json::from_value(value)
        .map_err(|error| CliError::Strange("the gateway".to_owned(), error.to_string()))
}
