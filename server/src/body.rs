//! Bodies of requests have to come in time.
//!
//! A request holds one of the places of plain HTTP until it is answered, and whoever reads its body
//! waits for it: a body that drips would hold the place for as long as it likes. It is cut instead,
//! answered 408, and counted. One that says itself that it is too large is refused at once.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures::future::{BoxFuture, Either};
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;
use tower::{Layer, Service};

use crate::api::ApiError;
use crate::gateway::Gateway;

/// Puts the time limit around routes. A request without a body, as the handshake of every socket is,
/// passes at the price of a comparison.
#[derive(Clone)]
pub(crate) struct InTime(pub(crate) Arc<Gateway>);

impl<S> Layer<S> for InTime {
    type Service = Timing<S>;

    fn layer(&self, inner: S) -> Timing<S> {
        let gateway = self.0.clone();
        Timing { gateway, inner }
    }
}

/// The routes within the limit.
#[derive(Clone)]
pub(crate) struct Timing<S> {
    gateway: Arc<Gateway>,
    inner: S,
}

impl<S> Service<Request> for Timing<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.body().is_end_stream() {
            return Either::Left(self.inner.call(request));
        }
        // The one that is ready answers; a copy waits for the next request.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        Either::Right(Box::pin(in_time(self.gateway.clone(), request, inner)))
    }
}

/// Hands the request on with a body that ends when its time is over.
async fn in_time<S>(
    gateway: Arc<Gateway>,
    request: Request,
    mut inner: S,
) -> Result<Response, S::Error>
where
    S: Service<Request, Response = Response>,
{
    // What says itself that it is too large is not waited for.
    let most = if request.uri().path() == "/longpoll" {
        crate::socket::longpoll::MAX_BODY_BYTES
    } else {
        // Some routes have bounds of their own.
        crate::api::MAX_BODY_BYTES
            .max(gateway.publishes.limits.bytes)
            .max(gateway.plugins.limits.bytes)
    };
    if request.body().size_hint().lower() > most as u64 {
        return Ok(closing(ApiError::TooLarge(most)));
    }
    let late = Arc::new(AtomicBool::new(false));
    let patience = gateway.places.limits().body;
    let request = request.map(|body| {
        Body::new(Timed {
            body,
            over: Box::pin(tokio::time::sleep(patience)),
            late: late.clone(),
        })
    });
    let response = inner.call(request).await?;
    if !late.load(Ordering::Relaxed) {
        return Ok(response);
    }
    gateway.places.slow_bodies.add(1);
    Ok(closing(ApiError::SlowBody))
}

/// Refuses, and does not wait for what is still to come of the body.
fn closing(error: ApiError) -> Response {
    let mut response = error.into_response();
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// Why such a body ends.
#[derive(Debug, thiserror::Error)]
#[error("the body did not come in time")]
struct Late;

struct Timed {
    body: Body,
    over: Pin<Box<Sleep>>,
    late: Arc<AtomicBool>,
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.over.as_mut().poll(context).is_ready() {
            self.late.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(axum::Error::new(Late))));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
