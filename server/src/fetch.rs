//! Asking another HTTP server: one request, one answer, both bounded. The answer is kept in memory, or
//! goes into a file piece by piece.
//!
//! No connection is kept, no redirect is followed, and nothing is asked without TLS except of the
//! machine itself or where the caller says that it may be: what comes back decides whose tokens are
//! taken. A name is resolved once, and what it was resolved to is what is connected to.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// How much an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Bytes of the answer's body.
    pub(crate) bytes: usize,
    /// From the name's look-up to the last byte.
    pub(crate) time: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0} is no address; write https://host/path")]
    Address(String),
    #[error("{0} is not asked without TLS: only the machine itself is")]
    Plain(String),
    #[error("{host} cannot be reached: {source}")]
    Connect {
        host: String,
        source: std::io::Error,
    },
    #[error("the connection broke: {0}")]
    Http(#[from] hyper::Error),
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
    #[error("there was no whole answer within {} seconds", .0.as_secs_f32())]
    TooSlow(Duration),
    #[error("nothing came for {} seconds", .0.as_secs_f32())]
    Stalled(Duration),
    #[error("what came cannot be written: {0}")]
    Write(std::io::Error),
    #[error("the answer was {0}")]
    Status(StatusCode),
    #[error("the certificates of {path} cannot be used: {why}")]
    Roots { path: String, why: String },
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Asks other servers.
#[derive(Clone)]
pub(crate) struct Client {
    tls: TlsConnector,
    /// Whether servers beyond this machine may be asked without TLS.
    plain: bool,
}

impl Client {
    /// Trusts who the usual authorities vouch for, or those of a PEM file in their place.
    pub(crate) fn new(authorities: Option<&Path>) -> Result<Self, FetchError> {
        let mut roots = RootCertStore::empty();
        match authorities {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => {
                let fail = |why: String| FetchError::Roots {
                    path: path.display().to_string(),
                    why,
                };
                let found =
                    CertificateDer::pem_file_iter(path).map_err(|error| fail(error.to_string()))?;
                for certificate in found {
                    let certificate = certificate.map_err(|error| fail(error.to_string()))?;
                    roots
                        .add(certificate)
                        .map_err(|error| fail(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(fail("there is none".to_owned()));
                }
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            plain: false,
        })
    }

    /// Servers beyond this machine may be asked without TLS.
    pub(crate) fn plain(self, plain: bool) -> Self {
        Self { plain, ..self }
    }

    /// What stands at this address; anything but 200 is an error.
    pub(crate) async fn get(&self, address: &Uri, bounds: Bounds) -> Result<Bytes, FetchError> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = address.clone();
        let accept = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, accept);
        let answer = self.send(None, request, bounds).await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body()),
            other => Err(FetchError::Status(other)),
        }
    }

    /// Sends a request, whose address must be a whole one, to who listens there, or on a socket of
    /// this machine.
    pub(crate) async fn send(
        &self,
        socket: Option<&Path>,
        request: Request<Full<Bytes>>,
        bounds: Bounds,
    ) -> Result<Response<Bytes>, FetchError> {
        let exchange = async { gather(self.open(socket, request).await?, bounds.bytes).await };
        tokio::time::timeout(bounds.time, exchange)
            .await
            .unwrap_or(Err(FetchError::TooSlow(bounds.time)))
    }

    /// The same, and writes what comes with 200 into a file, however much it is: each piece has the
    /// time of `bounds`. Any other answer comes back as ever.
    pub(crate) async fn download(
        &self,
        socket: Option<&Path>,
        request: Request<Full<Bytes>>,
        bounds: Bounds,
        file: &mut File,
    ) -> Result<Response<Bytes>, FetchError> {
        let stalled = |_| FetchError::Stalled(bounds.time);
        let begun = tokio::time::timeout(bounds.time, self.open(socket, request)).await;
        let answer = begun.map_err(stalled)??;
        if answer.status() != StatusCode::OK {
            let rest = tokio::time::timeout(bounds.time, gather(answer, bounds.bytes)).await;
            return rest.map_err(stalled)?;
        }
        let (parts, mut body) = answer.into_parts();
        while let Some(piece) = tokio::time::timeout(bounds.time, body.frame())
            .await
            .map_err(stalled)?
        {
            if let Ok(bytes) = piece?.into_data() {
                file.write_all(&bytes).await.map_err(FetchError::Write)?;
            }
        }
        Ok(Response::from_parts(parts, Bytes::new()))
    }

    /// Sends a request and waits for the head of its answer.
    async fn open(
        &self,
        socket: Option<&Path>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, FetchError> {
        if let Some(path) = socket {
            let socket = UnixStream::connect(path).await;
            let socket = socket.map_err(|source| FetchError::Connect {
                host: path.display().to_string(),
                source,
            })?;
            return talk(socket, request).await;
        }
        let target = Target::of(request.uri())?;
        let failed = |source| FetchError::Connect {
            host: target.host.clone(),
            source,
        };
        let found = tokio::net::lookup_host((target.host.as_str(), target.port));
        let mut addresses: Vec<SocketAddr> = found.await.map_err(failed)?.collect();
        if !target.tls && !self.plain {
            addresses.retain(|address| address.ip().is_loopback());
            if addresses.is_empty() {
                return Err(FetchError::Plain(request.uri().to_string()));
            }
        }
        let socket = TcpStream::connect(&addresses[..]).await.map_err(failed)?;
        if target.tls {
            let name = ServerName::try_from(target.host.clone())
                .map_err(|_| FetchError::Address(request.uri().to_string()))?;
            let socket = self.tls.connect(name, socket).await.map_err(failed)?;
            talk(socket, request).await
        } else {
            talk(socket, request).await
        }
    }
}

/// Where a request goes.
struct Target {
    tls: bool,
    host: String,
    port: u16,
}

impl Target {
    fn of(address: &Uri) -> Result<Self, FetchError> {
        let wrong = || FetchError::Address(address.to_string());
        let tls = match address.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let host = address.host().ok_or_else(wrong)?;
        Ok(Self {
            tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: address.port_u16().unwrap_or(if tls { 443 } else { 80 }),
        })
    }
}

/// Whether this is an address that can be asked.
pub(crate) fn check_address(address: &Uri) -> Result<(), FetchError> {
    Target::of(address).map(|_| ())
}

async fn talk(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, FetchError> {
    if let Some(host) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(host.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    let agent = HeaderValue::from_static(concat!("tidegate/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().insert(header::USER_AGENT, agent);
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    // The connection moves the bytes, and ends when nobody wants the answer any more. What breaks it
    // is told to who waits for that.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// The whole of an answer.
async fn gather(answer: Response<Incoming>, most: usize) -> Result<Response<Bytes>, FetchError> {
    let (parts, body) = answer.into_parts();
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(Response::from_parts(parts, body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLong(most)),
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Err(FetchError::Http(*error)),
            Err(_) => Err(FetchError::TooLong(most)),
        },
    }
}
