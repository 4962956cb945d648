//! The API of a gateway that runs, over HTTP, HTTPS or a Unix socket.
//!
//! The credential goes to the named address and nowhere else: redirects are not followed. What does
//! not answer in time, or without end, is given up.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderValue, Request, Response, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use tokio::fs::File;

use super::CliError;
use super::api::Answer;
use super::{reachable, show};
use crate::config::Config;
use crate::fetch::{Bounds, Client, FetchError};

/// What an answer may take.
const BOUNDS: Bounds = Bounds {
    bytes: 64 << 20,
    time: Duration::from_secs(60),
};

/// Where a gateway listens.
pub(crate) struct Address {
    /// Scheme, host and port.
    base: String,
    host: String,
    socket: Option<PathBuf>,
}

impl Address {
    /// `http://...`, `https://...` or `unix:/path`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return path.is_absolute().then(|| Self {
                base: "http://localhost".to_owned(),
                host: "localhost".to_owned(),
                socket: Some(path),
            });
        }
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?.as_str();
        let good = matches!(uri.scheme_str(), Some("http" | "https"))
            && !authority.contains('@')
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none();
        good.then(|| Self {
            base: format!("{}://{authority}", uri.scheme_str().unwrap_or_default()),
            host: uri.host().unwrap_or_default().to_owned(),
            socket: None,
        })
    }

    /// The gateway of this configuration, on this machine.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        Self::parse(&format!("http://{}", reachable(config)))
    }

    /// Whether nobody but this machine hears what is said there.
    pub(crate) fn is_here(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        self.socket.is_some()
            || host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

/// A gateway, and what it is shown.
pub(crate) struct Remote {
    client: Client,
    address: Address,
    bearer: Option<HeaderValue>,
}

impl Remote {
    pub(crate) fn new(address: Address, bearer: Option<String>) -> Result<Self, CliError> {
        if bearer.is_some() && address.base.starts_with("http:") && !address.is_here() {
            show::note("tidegate: the API key goes over the network as it is; https would hide it");
        }
        let bearer = bearer
            .map(|bearer| {
                let mut value = HeaderValue::try_from(format!("Bearer {bearer}"))
                    .map_err(|_| CliError::BadKey)?;
                value.set_sensitive(true);
                Ok::<_, CliError>(value)
            })
            .transpose()?;
        let client = Client::new(None).map_err(|error| unreachable(&address, &error))?;
        Ok(Self {
            client: client.plain(true),
            address,
            bearer,
        })
    }

    pub(crate) fn name(&self) -> String {
        name(&self.address)
    }

    pub(crate) fn shows_something(&self) -> bool {
        self.bearer.is_some()
    }

    pub(crate) async fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, CliError> {
        let request = self.request(method, path, body)?;
        let socket = self.address.socket.as_deref();
        let answer = self.client.send(socket, request, BOUNDS).await;
        self.answered(answer)
    }

    /// Writes what comes with 200 into a file; the body of the answer is empty then.
    pub(crate) async fn download(&self, path: &str, file: &mut File) -> Result<Answer, CliError> {
        let request = self.request("GET", path, None)?;
        let socket = self.address.socket.as_deref();
        let answer = self.client.download(socket, request, BOUNDS, file).await;
        self.answered(answer)
    }

    fn request(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Request<Full<Bytes>>, CliError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api/v1{path}", self.address.base));
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| CliError::Strange(self.name(), error.to_string()))
    }

    fn answered(&self, answer: Result<Response<Bytes>, FetchError>) -> Result<Answer, CliError> {
        let answer = answer.map_err(|error| match error {
            FetchError::Write(error) => CliError::Output(error),
            error => unreachable(&self.address, &error),
        })?;
        Ok(Answer {
            status: answer.status().as_u16(),
            body: answer.into_body().into(),
        })
    }
}

fn name(address: &Address) -> String {
    match &address.socket {
        Some(path) => format!("unix:{}", path.display()),
        None => address.base.clone(),
    }
}

fn unreachable(address: &Address, error: &FetchError) -> CliError {
    CliError::Unreachable(name(address), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, here) in [
            ("http://127.0.0.1:2025", true),
            ("http://localhost:2025/", true),
            ("http://[::1]:1", true),
            ("unix:/run/tidegate.sock", true),
            ("http://127.0.0.1.example.com", false),
            ("https://gateway.example.com", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_here(), here, "{text}");
        }
        for text in [
            "example.com",
            "ftp://example.com",
            "unix:here",
            "http://user:secret@example.com",
            "http://example.com/path",
        ] {
            assert!(Address::parse(text).is_none(), "{text}");
        }
    }
}
