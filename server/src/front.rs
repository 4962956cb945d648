//! Where every request comes in.
//!
//! The handshake of a socket is what nearly every connection asks, and asks once: it goes straight to
//! where sockets are opened. The way through the routes would cost it as much again as the handshake
//! itself, for layers that have nothing to say to it (docs/PERFORMANCE.md). Whatever is not plainly such
//! a handshake takes the way through the routes, among which the same handshake is one: what is answered
//! is the same.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::http::{Method, Request, header};
use axum::response::Response;
use tower::ServiceExt as _;

use crate::api;
use crate::client::Client;
use crate::gateway::Gateway;
use crate::socket::{ConnectParams, handshake};

/// The path of the socket.
const SOCKET: &str = "/websocket";

/// The way in.
#[derive(Clone)]
pub(crate) struct Front(Arc<Inner>);

struct Inner {
    gateway: Arc<Gateway>,
    routes: Router,
}

impl Front {
    pub(crate) fn new(gateway: Arc<Gateway>) -> Self {
        let routes = api::router(gateway.clone());
        Self(Arc::new(Inner { gateway, routes }))
    }

    /// Answers a request that came from there.
    pub(crate) async fn answer(&self, mut request: Request<Body>, peer: SocketAddr) -> Response {
        let Inner { gateway, routes } = &*self.0;
        gateway.config.proxies.resolve(&mut request, peer);
        if let Some((params, client)) = asks_for_socket(&request) {
            return self.open_socket(params, &client, request);
        }
        match routes.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Whether this is a trusted proxy, which stands for many.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.0.gateway.config.proxies.trust(address)
    }

    /// Answers the handshake of a socket.
    fn open_socket(
        &self,
        params: ConnectParams,
        client: &Client,
        request: Request<Body>,
    ) -> Response {
        let gateway = self.0.gateway.clone();
        let mut response = handshake(gateway, client.address, client, params, request);
        for (name, value) in api::SECURITY_HEADERS {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// What a request says that is plainly the handshake of a socket, and who it comes from.
fn asks_for_socket(request: &Request<Body>) -> Option<(ConnectParams, Client)> {
    let asks = request.method() == Method::GET
        && request.uri().path() == SOCKET
        && request.headers().contains_key(header::UPGRADE);
    if !asks {
        return None;
    }
    let Query(params) = Query::<ConnectParams>::try_from_uri(request.uri()).ok()?;
    let client = request.extensions().get::<Client>().cloned()?;
    Some((params, client))
}
