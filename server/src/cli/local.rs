//! The API over the data folder, in this process: the router of the gateway, without a socket.
//!
//! Who may read the data folder can sign tokens, and so does this: the router is shown an
//! administrator's token like anybody else's, and records what was done with it. No port is opened,
//! no bus is joined, and nothing but the store is touched.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use tidegate_auth::Tokens;
use tidegate_protocol::{Allow, Claims};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::CliError;
use super::api::Answer;
use crate::api;
use crate::config::{BusConfig, Config};
use crate::gateway::Gateway;
use crate::serve::{assemble, now_seconds};
use crate::trust::{self, Trust};

/// What the command line is called in the record of what was done.
const NAME: &str = "command line";
/// How long a token for the command line is good.
const SECONDS: u64 = 60;
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// A gateway that nobody can connect to.
pub(crate) struct Local {
    gateway: Arc<Gateway>,
    router: Router,
    bearer: String,
}

impl Local {
    pub(crate) async fn open(mut config: Config) -> Result<Self, CliError> {
        config.bus = BusConfig::InProcess {
            listen: None,
            password: None,
            limits: tidegate_bus::Limits::default(),
        };
        let (gateway, _) = assemble(config, Arc::default(), CancellationToken::new()).await?;
        Ok(Self {
            router: api::router(gateway.clone()),
            bearer: token(&gateway.tokens)?,
            gateway,
        })
    }

    pub(crate) async fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, CliError> {
        let answer = self.answer(method, path, body).await?;
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), MAX_ANSWER_BYTES)
            .await
            .map_err(strange)?;
        Ok(Answer {
            status,
            body: body.into(),
        })
    }

    /// Writes what comes with 200 into a file; the body of the answer is empty then.
    pub(crate) async fn download(&self, path: &str, file: &mut File) -> Result<Answer, CliError> {
        let answer = self.answer("GET", path, None).await?;
        let status = answer.status();
        let mut body = answer.into_body();
        if status != StatusCode::OK {
            let body = to_bytes(body, MAX_ANSWER_BYTES).await.map_err(strange)?;
            return Ok(Answer {
                status: status.as_u16(),
                body: body.into(),
            });
        }
        while let Some(piece) = body.frame().await {
            if let Ok(bytes) = piece.map_err(strange)?.into_data() {
                file.write_all(&bytes).await?;
            }
        }
        Ok(Answer {
            status: status.as_u16(),
            body: Vec::new(),
        })
    }

    async fn answer(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response, CliError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.bearer))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.unwrap_or_default()))
            .map_err(strange)?;
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        request.extensions_mut().insert(ConnectInfo(here));
        match self.router.clone().oneshot(request).await {
            Ok(answer) => Ok(answer),
            Err(never) => match never {},
        }
    }

    pub(crate) async fn close(self) {
        trust::end(&self.gateway).await;
    }
}

/// A token for the gateway on this machine, where the data folder is there to sign it.
pub(crate) async fn signed_here(config: &Config) -> Result<Option<String>, CliError> {
    let has_key = config
        .store
        .folder
        .as_ref()
        .is_some_and(|folder| folder.join("key").is_file());
    if !has_key && config.shared_secret.is_none() {
        return Ok(None);
    }
    let (trust, tokens) = Trust::open(config).await?;
    let token = token(&tokens)?;
    trust.store.close().await;
    Ok(Some(token))
}

fn strange(error: impl std::fmt::Display) -> CliError {
    CliError::Strange("this program".to_owned(), error.to_string())
}

fn token(tokens: &Tokens) -> Result<String, CliError> {
    let now = now_seconds();
    let claims = Claims {
        id: NAME.to_owned(),
        channels: vec!["admin".to_owned()],
        exp: now.saturating_add(SECONDS),
        allow: Allow {
            join: false,
            push: false,
            presence: false,
            admin: true,
        },
        roles: Vec::new(),
        jti: None,
        iat: Some(now),
        iss: Some("tidegate".to_owned()),
        sid: None,
    };
    Ok(tokens.issue(&claims)?)
}
