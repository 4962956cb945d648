//! `POST /publish`: one event or a list of them, for all members of a topic or for some.
//!
//! The request is checked as a whole before anything of it reaches the bus. The events then go to
//! the bus in their order, whatever becomes of the connection that asked; from there they reach
//! the members on every gateway.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tidegate_hub::Audience;
use tidegate_protocol::publish::{
    DIRECTED, Directed, PublishEvent, PublishOutcome, PublishRequest, Published, PublishedEvent,
};
use tidegate_protocol::{BusName, Direction, Event, Topic, is_reserved_topic};

use super::ApiError;
use super::admin::Operator;
use super::done::Answer;
use super::openapi::{BusDown, Conflict as Contradiction};
use crate::gateway::Gateway;
use crate::publishes::{Conflict, Key};

const KEY_HEADER: &str = "idempotency-key";
/// Says that nothing was delivered, as it was before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest name of an event or a request.
const MAX_KEY_BYTES: usize = 255;

/// What tells one event of a name from another; different in each process.
static FINGERPRINTS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// One event, checked.
struct Checked {
    topic: Topic,
    event: Event,
    id: Option<String>,
    name: BusName,
    body: Bytes,
    audience: Option<Audience>,
    keys: Vec<Key>,
}

/// Publish events
///
/// The body is one event or a list of them. It is checked as a whole before any of it is published.
/// A repeat, by the key of the request or by the ids of its events, gets the answer of the first and
/// delivers nothing.
#[utoipa::path(
    post, path = "/publish", tag = "channels",
    params(
        ("idempotency-key" = Option<String>, Header,
            description = "Names the request: it is carried out once, however often it is sent."),
    ),
    request_body = PublishRequest,
    responses(
        (status = 200, description = "How it went with each event.", body = Published),
        (status = 207, description = "The bus has refused some of them.", body = Published),
        Contradiction, BusDown,
    ),
    security(("session" = ["operator"]), ("bearer" = ["operator"])),
)]
pub(super) async fn publish(
    operator: Operator,
    State(gateway): State<Arc<Gateway>>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let limits = gateway.publishes.limits;
    let Ok(body) = axum::body::to_bytes(body, limits.bytes).await else {
        gateway.publishes.too_large.add(1);
        return Err(ApiError::TooLarge(limits.bytes));
    };
    if !is_json(&parts.headers) {
        return Err(ApiError::NotJson);
    }
    let events = parse(&body)?;
    if events.is_empty() || events.len() > limits.events {
        gateway
            .publishes
            .too_many
            .add(usize::from(!events.is_empty()));
        return Err(ApiError::EventCount(limits.events));
    }
    let key = request_key(&parts.headers)?;
    let whole = key.map(|key| (key, FINGERPRINTS.hash_one(&body)));
    let mut checked = Vec::with_capacity(events.len());
    for (at, event) in events.into_iter().enumerate() {
        let one = check(event, &operator.name, at, whole)
            .map_err(|error| ApiError::Event(at, Box::new(error)))?;
        if one.id.is_some() && checked.iter().any(|other: &Checked| other.id == one.id) {
            return Err(ApiError::Event(at, Box::new(ApiError::SameId)));
        }
        checked.push(one);
    }
    let by = operator.name.clone();
    // In a task of its own: what was begun is ended and remembered, though nobody may listen.
    let published = tokio::spawn(async move { send(&gateway, checked, &by).await });
    published.await.map_err(|_| ApiError::Fault)?
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json")
        })
}

/// One event, or a list of them.
fn parse(body: &[u8]) -> Result<Vec<PublishEvent>, ApiError> {
    let list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let parsed = match list {
        true => serde_json::from_slice(body),
        false => serde_json::from_slice(body).map(|event| vec![event]),
    };
    parsed.map_err(ApiError::Body)
}

fn request_key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(key) = headers.get(KEY_HEADER) else {
        return Ok(None);
    };
    let key = key.to_str().map_err(|_| ApiError::BadKey)?;
    good_key(key).map(Some)
}

fn good_key(key: &str) -> Result<&str, ApiError> {
    let good = !key.is_empty() && key.len() <= MAX_KEY_BYTES && !key.chars().any(char::is_control);
    good.then_some(key).ok_or(ApiError::BadKey)
}

fn check(
    event: PublishEvent,
    principal: &str,
    at: usize,
    whole: Option<(&str, u64)>,
) -> Result<Checked, ApiError> {
    let PublishEvent {
        topic,
        event,
        payload,
        to,
        id,
    } = event;
    let topic = Topic::new(&topic).map_err(|e| ApiError::Name(topic, "a topic", e))?;
    let event = Event::new(&event).map_err(|e| ApiError::Name(event, "an event", e))?;
    if is_reserved_topic(topic.as_str()) {
        return Err(ApiError::Reserved(topic.to_string()));
    }
    if event.is_reserved() {
        return Err(ApiError::Reserved(event.to_string()));
    }
    // Names of one principal are no names of another.
    let mut keys = Vec::new();
    if let Some((key, fingerprint)) = whole {
        let name = format!("{principal}\0request\0{key}\0{at}");
        keys.push(Key { name, fingerprint });
    }
    if let Some(id) = &id {
        let name = format!("{principal}\0event\0{}", good_key(id)?);
        let said = to.as_ref().map(serde_json::to_string);
        let said = said.transpose().map_err(|_| ApiError::Fault)?;
        let fingerprint =
            FINGERPRINTS.hash_one((topic.as_str(), event.as_str(), payload.get(), said));
        keys.push(Key { name, fingerprint });
    }
    let (name, body) = match &to {
        None => (
            (topic.clone(), event.clone()),
            Bytes::from(payload.get().to_owned()),
        ),
        Some(to) => {
            let directed = Directed {
                topic: topic.clone(),
                event: event.clone(),
                payload,
                to: to.clone(),
            };
            let body = serde_json::to_vec(&directed).map_err(|_| ApiError::Fault)?;
            let of = |(topic, event)| Some((Topic::new(topic).ok()?, Event::new(event).ok()?));
            (of(DIRECTED).ok_or(ApiError::Fault)?, Bytes::from(body))
        }
    };
    Ok(Checked {
        topic,
        event,
        id,
        name: BusName {
            direction: Direction::To,
            topic: name.0,
            event: name.1,
        },
        body,
        audience: to.map(Audience::from),
        keys,
    })
}

/// Hands all events to the bus in their order, then waits for its answers.
async fn send(gateway: &Gateway, events: Vec<Checked>, by: &str) -> Result<Response, ApiError> {
    let publishes = &gateway.publishes;
    let keys: Vec<_> = events.iter().map(|event| event.keys.clone()).collect();
    let before = publishes.begin(&keys).map_err(|conflict| match conflict {
        Conflict::Reused => ApiError::KeyReused,
        Conflict::UnderWay => ApiError::KeyBusy,
    })?;
    let all_repeated = before.iter().all(Option::is_some);
    let mut under_way = Vec::with_capacity(events.len());
    for (one, before) in events.into_iter().zip(before) {
        let publishing = match before {
            Some(before) => Err(before),
            None => {
                let members = gateway.hub.count_for(&one.topic, one.audience.as_ref());
                Ok((members, gateway.bus.publish(one.name, one.body)))
            }
        };
        under_way.push((one.topic, one.event, one.id, one.keys, publishing));
    }
    let (mut answers, mut sent, mut refused) = (Vec::new(), 0, None);
    for (topic, event, id, keys, publishing) in under_way {
        let (members, publishing) = match publishing {
            Ok(publishing) => publishing,
            Err(before) => {
                publishes.repeated.add(1);
                answers.push(before);
                continue;
            }
        };
        let result = publishing.await;
        let reason = result.err().map(|error| error.to_string());
        let answer = PublishedEvent {
            topic: topic.to_string(),
            event: event.to_string(),
            id,
            outcome: match reason {
                None => PublishOutcome::Sent,
                Some(_) => PublishOutcome::Failed,
            },
            members: members as u64,
            reason: reason.clone(),
        };
        publishes.end(&keys, reason.is_none().then_some(&answer));
        match reason {
            None => {
                sent += 1;
                publishes.sent.add(1);
                tracing::info!(by, %topic, %event, "sent an event");
            }
            Some(reason) => {
                publishes.failed.add(1);
                refused = Some(reason);
            }
        }
        answers.push(answer);
    }
    let failed = answers
        .iter()
        .filter(|a| a.outcome == PublishOutcome::Failed);
    let failed = failed.count();
    if failed == answers.len() {
        return Err(ApiError::BusDown(refused.unwrap_or_default()));
    }
    let repeated = answers.len() - sent - failed;
    let said = format!("Sent {sent} events, {repeated} were sent before, {failed} failed.");
    let body = Published { events: answers };
    let mut response = Answer { said, body }.into_response();
    if failed > 0 {
        *response.status_mut() = StatusCode::MULTI_STATUS;
    }
    if all_repeated {
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, replayed);
    }
    Ok(response)
}
