//! The page's one connection: opening it, joining, leaving, pushing, and following what comes.

use std::collections::VecDeque;

use futures::StreamExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidegate_client::{
    Channel, ChannelEvent, Client, Config, Payload, PushError, Status, Update as Happening,
    Updates, parse,
};
use tidegate_protocol::presence::{Count, Diff, State};

use super::state::{
    Answer, ClientState, JoinOptions, Joined, MAX_ANSWERS, Phase, ServerClock, Who,
};
use crate::connection::{Link, PageConnection};
use crate::http::{self, ApiError};
use crate::timing;

/// How often the list of frames is drawn anew at most, in milliseconds.
const REDRAW_MS: u32 = 50;

#[derive(Serialize)]
struct TokenRequest<'a> {
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

#[derive(Deserialize)]
struct Token {
    id: String,
    token: String,
}

/// Asks for a token. Topics of the gateway's own are opened by a token for `admin`.
async fn token(topic: &str, id: Option<&str>) -> Result<Token, ApiError> {
    let channel = if topic.starts_with("admin:") {
        "admin"
    } else {
        topic
    };
    http::send("POST", "/token", &TokenRequest { channel, id }).await
}

/// Opens the connection as whoever stands in the name field and joins `system`.
pub(crate) fn open(state: ClientState, page: PageConnection) {
    close(state);
    let client = Client::connect(Config {
        trace: true,
        ..Config::new(timing::socket_address())
    });
    let updates = client.updates();
    state.client.set_value(Some(client));
    state
        .id
        .set(Some(state.name.get_untracked().trim().to_owned()).filter(|id| !id.is_empty()));
    spawn_local(follow(state, page, updates));
    join(
        state,
        "system",
        JoinOptions {
            with_token: true,
            presence: None,
        },
    );
}

/// Ends the connection and forgets its channels; the frames stay to be read.
pub(crate) fn close(state: ClientState) {
    let client = state.client.try_update_value(Option::take).flatten();
    if let Some(client) = client {
        client.close();
    }
    // The page may be gone already.
    let _ = state.channels.try_update(Vec::clear);
    let _ = state.selected.try_set(None);
    let _ = state.clock.try_set(None);
}

/// Tries at once what waits for a later try.
pub(crate) fn retry(state: ClientState) {
    state
        .client
        .with_value(|client| client.iter().for_each(Client::retry_now));
}

/// Copies what happens to the connection into the page, a few times a second at most.
async fn follow(state: ClientState, page: PageConnection, updates: Updates) {
    let mut updates = updates.ready_chunks(256);
    let mut waiting: VecDeque<Happening> = VecDeque::new();
    while let Some(chunk) = updates.next().await {
        waiting.extend(chunk);
        let statuses = waiting.iter().filter_map(|update| match update {
            Happening::Status(status) => Some(status),
            Happening::Frame { .. } => None,
        });
        if let Some(status) = statuses.last() {
            page.link.try_set(link(status));
            state.status.try_set(Some(status.clone()));
        }
        let gone = state.log.try_update(|log| {
            for update in waiting.drain(..) {
                if let Happening::Frame {
                    sent,
                    time_ms,
                    frame,
                } = update
                {
                    log.add(sent, time_ms as f64, frame);
                }
            }
        });
        if gone.is_none() {
            return;
        }
        timing::pause(REDRAW_MS).await;
    }
}

/// The connection's state as the header shows it.
pub(crate) fn link(status: &Status) -> Link {
    match status {
        Status::Connecting { attempt: 0, .. } => Link::Connecting,
        Status::Connecting { retry_at_ms, .. } => Link::Reconnecting {
            retry_at: retry_at_ms.map(|at| at as f64),
        },
        Status::Open => Link::Open,
        // Only the page itself closes its connection, when none is wanted any more.
        Status::Closed { .. } => Link::None,
    }
}

/// Joins a topic and chooses it. A channel of the same topic is replaced.
pub(crate) fn join(state: ClientState, topic: &str, options: JoinOptions) {
    let Some(client) = state.client.get_value() else {
        return;
    };
    let kept = options.clone();
    let asked = topic.to_owned();
    let channel = client.channel_with(topic, move || {
        let topic = asked.clone();
        let options = options.clone();
        async move {
            let mut payload = Map::new();
            if let Some(presence) = options.presence {
                payload.insert("presence".to_owned(), presence);
            }
            if options.with_token {
                let id = state.id.try_get_untracked().flatten();
                let token = token(&topic, id.as_deref())
                    .await
                    .map_err(|error| format!("No token for {topic}: {error}"))?;
                payload.insert("token".to_owned(), token.token.into());
                // The gateway chose a name: it is this page's from now on.
                if id.is_none() {
                    state.id.try_set(Some(token.id));
                }
            }
            Ok(Value::Object(payload))
        }
    });
    let key = state.next_key.try_update_value(|key| {
        *key += 1;
        *key
    });
    let joined = Joined {
        key: key.unwrap_or_default(),
        topic: topic.to_owned(),
        options: kept,
        phase: ArcRwSignal::new(Phase::Joining),
        who: ArcRwSignal::default(),
        events: ArcRwSignal::default(),
        answers: ArcRwSignal::default(),
        handle: channel.handle(),
    };
    state.channels.update(|channels| {
        channels.retain(|other| other.topic != topic);
        channels.push(joined.clone());
    });
    state.selected.set(Some(joined.key));
    spawn_local(read(state, joined, channel));
}

async fn read(state: ClientState, joined: Joined, mut channel: Channel) {
    while let Some(event) = channel.next().await {
        let phase = match event {
            ChannelEvent::Joined { response } => {
                joined.who.set(Who::default());
                let id = response
                    .get("id")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                Phase::Joined(id.to_owned())
            }
            ChannelEvent::Refused { reason } => Phase::Refused(reason),
            ChannelEvent::Interrupted { reason } => Phase::Interrupted(reason),
            ChannelEvent::Closed { reason } => Phase::Closed(reason),
            ChannelEvent::Event { event, payload } => {
                received(state, &joined, &event, &payload);
                continue;
            }
        };
        joined.phase.set(phase);
    }
}

fn received(state: ClientState, joined: &Joined, event: &str, payload: &Payload) {
    joined.events.update(|count| *count += 1);
    match event {
        "presence_state" => {
            if let Ok(presences) = parse::<State>(payload) {
                joined.who.update(|who| {
                    who.presences.apply_state(presences);
                    who.shown = true;
                });
            }
        }
        "presence_diff" => {
            if let Ok(diff) = parse::<Diff>(payload) {
                joined.who.update(|who| who.presences.apply_diff(diff));
            }
        }
        "presence_count" => {
            if let Ok(Count { count }) = parse::<Count>(payload) {
                joined.who.update(|who| {
                    who.count = Some(count);
                    who.shown = true;
                });
            }
        }
        "datetime" if joined.topic == "system" => {
            if let Some(clock) = server_clock(payload) {
                state.clock.try_set(Some(clock));
            }
        }
        _ => {}
    }
}

/// A11: `{"status":"ok","response":{"datetime":..,"counter":..}}`.
fn server_clock(payload: &Payload) -> Option<ServerClock> {
    let value: Value = parse(payload).ok()?;
    let response = value.get("response")?;
    Some(ServerClock {
        datetime: response.get("datetime")?.as_str()?.to_owned(),
        counter: response.get("counter")?.as_u64()?,
    })
}

/// Leaves a channel and takes it off the page.
pub(crate) fn leave(state: ClientState, key: u64) {
    state.channels.update(|channels| {
        if let Some(index) = channels.iter().position(|channel| channel.key == key) {
            channels.remove(index).handle.leave();
        }
    });
    if state.selected.get_untracked() == Some(key) {
        let other = state
            .channels
            .with_untracked(|channels| channels.last().map(|c| c.key));
        state.selected.set(other);
    }
}

/// Pushes an event and notes how it was answered.
pub(crate) fn push(joined: &Joined, event: String, payload: Payload) {
    let reply = joined.handle.push_payload(&event, payload);
    let answers = joined.answers.clone();
    let start = timing::now_ms();
    spawn_local(async move {
        let result = match reply.payload().await {
            Ok(response) => Ok(response.as_json().unwrap_or("binary").to_owned()),
            Err(PushError::Refused(reason)) => Err(reason),
            Err(error) => Err(error.to_string()),
        };
        let took_ms = timing::now_ms() - start;
        answers.update(|answers| {
            let number = answers.first().map_or(1, |newest| newest.number + 1);
            answers.insert(
                0,
                Answer {
                    number,
                    event,
                    result,
                    took_ms,
                },
            );
            answers.truncate(MAX_ANSWERS);
        });
    });
}

/// The payload in a form field: JSON, or its text as bytes.
pub(crate) fn payload(text: &str, binary: bool) -> Result<Payload, String> {
    if binary {
        return Ok(Payload::Binary(text.to_owned().into_bytes().into()));
    }
    match crate::json::fault(text) {
        Some(fault) => Err(fault),
        None => Ok(Payload::Json(text.trim().to_owned().into_bytes().into())),
    }
}

/// The presence metadata in a form field; blank is none.
pub(crate) fn presence(text: &str) -> Result<Option<Value>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    if let Some(fault) = crate::json::fault(text) {
        return Err(fault);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() => Ok(Some(value)),
        _ => Err(format!(
            "Presence metadata is a JSON object, for instance {}.",
            json!({"seat": 3})
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_clock_is_read_as_the_contract_says() {
        let text = r#"{"status":"ok","response":{"datetime":"2026-11-21T12:00:00.000+01:00","counter":7}}"#;
        let clock = server_clock(&Payload::Json(text.to_owned().into_bytes().into()));
        assert_eq!(clock.map(|clock| clock.counter), Some(7));
        let other = Payload::Json(r#"{"counter":7}"#.to_owned().into_bytes().into());
        assert_eq!(server_clock(&other), None);
    }

    #[test]
    fn what_is_typed_is_checked_before_it_is_sent() {
        assert!(payload("{", false).is_err());
        assert_eq!(
            payload(" {\"b\":1.0} ", false).unwrap().as_json(),
            Some("{\"b\":1.0}")
        );
        assert_eq!(payload("{", true).unwrap().len(), 1);
        assert_eq!(presence(" "), Ok(None));
        assert!(presence("[1]").is_err());
        assert_eq!(presence(r#"{"seat":3}"#), Ok(Some(json!({"seat": 3}))));
    }

    #[test]
    fn the_first_try_is_no_reconnect() {
        let status = |attempt| Status::Connecting {
            attempt,
            retry_at_ms: Some(5),
            reason: None,
        };
        assert_eq!(link(&status(0)), Link::Connecting);
        assert_eq!(
            link(&status(1)),
            Link::Reconnecting {
                retry_at: Some(5.0)
            }
        );
    }
}
