//! Requests that programs of one's own sign (P15): `x-tidegate-signature`.
//!
//! Nothing but the signature makes a request internal: no address, and no header of a proxy.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderName, HeaderValue};
use tidegate_auth::{NoRoom, Principal, RequestSignature, Secret, SignatureError, SignedHead};
use tidegate_hub::Counter;
use tidegate_store::Place;

use super::admin::Shown;
use super::{ApiError, MAX_BODY_BYTES};
use crate::gateway::Gateway;
use crate::serve::now_seconds;
use crate::trust::signed;

pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("x-tidegate-signature");
/// Who asks with a signature.
const INTERNAL: &str = "internal";

/// Signed requests that were refused, by reason, and for want of room.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    by_reason: [Counter; SignatureError::ALL.len()],
    pub(crate) no_room: Counter,
}

impl Refusals {
    fn count(&self, error: SignatureError) {
        let mut all = SignatureError::ALL.iter().zip(&self.by_reason);
        if let Some((_, counter)) = all.find(|(reason, _)| **reason == error) {
            counter.add(1);
        }
    }

    /// Every reason with its number.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let reasons = SignatureError::ALL.iter().zip(&self.by_reason);
        reasons.map(|(reason, counter)| (reason.as_str(), counter.get()))
    }
}

/// Who signed the request, where it bears a signature, and the request with its body read.
pub(super) async fn signer(
    gateway: &Arc<Gateway>,
    request: Request,
) -> Result<(Request, Option<Shown>), ApiError> {
    if !request.headers().contains_key(SIGNATURE) {
        return Ok((request, None));
    }
    let checked = check(gateway, request)
        .await
        .inspect_err(|error| match error {
            ApiError::Signature(error) => gateway.signatures.count(*error),
            ApiError::NoncesFull => gateway.signatures.no_room.add(1),
            _ => {}
        })?;
    let principal = Principal {
        name: INTERNAL.to_owned(),
        role: gateway.config.internal.role,
        user: None,
        session: None,
    };
    let shown = Shown {
        principal,
        by_cookie: false,
    };
    Ok((checked, Some(shown)))
}

async fn check(gateway: &Gateway, request: Request) -> Result<Request, ApiError> {
    let internal = &gateway.config.internal;
    let secret = internal.secret.as_ref().ok_or(SignatureError::NotTaken)?;
    let (signature, now) = (read(&request)?, now_seconds());
    head_is_signed(&signature, secret, &request, now, internal.seconds)?;
    // A store in memory has forgotten what was let in before.
    let started = gateway.started_at / 1000;
    if matches!(gateway.config.store.config.place, Place::Memory) && signature.time() < started {
        return Err(SignatureError::TooOld.into());
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let body = body.map_err(|_| ApiError::TooLarge(MAX_BODY_BYTES))?;
    if !signature.covers(&body) {
        return Err(SignatureError::OtherBody.into());
    }
    let until = signature.time().saturating_add(internal.seconds);
    // First here, which costs nothing, then where every gateway asks.
    match gateway
        .trust
        .nonces
        .first_use(signature.nonce(), until, now)
    {
        Ok(true) => {}
        Ok(false) => return Err(SignatureError::Replayed.into()),
        Err(NoRoom) => return Err(ApiError::NoncesFull),
    }
    let until = signed(until.saturating_mul(1000));
    if !gateway
        .trust
        .store
        .first_use(signature.nonce(), until)
        .await?
    {
        return Err(SignatureError::Replayed.into());
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The one signature that the request bears.
fn read(request: &Request) -> Result<RequestSignature, SignatureError> {
    let mut lines = request.headers().get_all(SIGNATURE).iter();
    let line = lines.next().filter(|_| lines.next().is_none());
    let text = line.and_then(|line| HeaderValue::to_str(line).ok());
    RequestSignature::read(text.ok_or(SignatureError::Malformed)?)
}

fn head_is_signed(
    signature: &RequestSignature,
    secret: &Secret,
    request: &Request,
    now: u64,
    seconds: u64,
) -> Result<(), SignatureError> {
    // Of a nested router the request's own address lacks the beginning.
    let uri = match request.extensions().get::<OriginalUri>() {
        Some(OriginalUri(uri)) => uri,
        None => request.uri(),
    };
    let head = SignedHead {
        method: request.method().as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
    };
    signature.check(secret, head, now, seconds)
}
