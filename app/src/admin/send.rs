//! Sending an event to a channel, as a plugin would.

use leptos::prelude::*;
use tidegate_protocol::admin::SendEvent;
use tidegate_protocol::{Event, Topic};

use super::api;
use super::form::Form;
use super::state::use_admin_state;
use super::topic_field::TopicField;
use crate::components::{Button, ButtonKind, Card, TextAreaField, TextField};

/// `/admin/send` and `/admin/send/<topic>`
#[component]
pub(super) fn SendScreen(
    /// The channel that the address names.
    topic: Option<String>,
) -> impl IntoView {
    view! {
        <div class="narrow">
            <SendCard topic=topic.unwrap_or_default()/>
        </div>
    }
}

/// What is typed, as it would be sent; or what is wrong with each field.
#[derive(Debug, PartialEq)]
struct Checked {
    topic: Result<String, String>,
    event: Result<String, String>,
    payload: Result<serde_json::Value, String>,
}

fn check(topic: &str, event: &str, payload: &str) -> Checked {
    let sentence = |error: tidegate_protocol::NameError| format!("This will not do: {error}.");
    Checked {
        topic: Topic::new(topic)
            .map(|topic| topic.to_string())
            .map_err(sentence),
        event: match Event::new(event) {
            Ok(event) if event.is_reserved() => {
                Err("Events that start with phx_ or presence_ belong to the protocol.".to_owned())
            }
            Ok(event) => Ok(event.to_string()),
            Err(error) => Err(sentence(error)),
        },
        payload: match crate::json::fault(payload) {
            Some(fault) => Err(fault),
            None => serde_json::from_str(payload).map_err(|error| error.to_string()),
        },
    }
}

/// The form.
#[component]
pub(super) fn SendCard(
    /// The channel to begin with.
    topic: String,
    /// Whether it is this one and no other.
    #[prop(optional)]
    fixed: bool,
) -> impl IntoView {
    let state = use_admin_state();
    let topic = RwSignal::new(topic);
    let event = RwSignal::new(String::new());
    let payload = RwSignal::new("{}".to_owned());
    let tried = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let checked = Memo::new(move |_| {
        topic.with(|t| event.with(|e| payload.with(|p| std::sync::Arc::new(check(t, e, p)))))
    });
    let fault = move |read: fn(&Checked) -> Option<String>| {
        Signal::derive(move || {
            checked
                .with(|checked| read(checked))
                .filter(|_| tried.get())
        })
    };
    // JSON is checked while it is typed: the place of a fault is worth seeing at once.
    let payload_fault =
        Signal::derive(move || checked.with(|checked| checked.payload.clone().err()));
    let send = move || {
        tried.set(true);
        let checked = checked.get_untracked();
        let Checked {
            topic: Ok(topic),
            event: Ok(event),
            payload: Ok(payload),
        } = &*checked
        else {
            return;
        };
        let body = SendEvent {
            event: event.clone(),
            payload: payload.clone(),
        };
        let topic = topic.clone();
        busy.set(true);
        let action = async move {
            let answer = api::send_event(topic, body).await;
            busy.try_set(false);
            answer
        };
        state.act(action, move || {
            tried.try_set(false);
        });
    };
    view! {
        <Card title="Send an event">
            <Form label="Send an event" send=send>
                <Show when=move || !fixed>
                    <TopicField value=topic error=fault(|checked| checked.topic.clone().err())/>
                </Show>
                <TextField
                    name="send-event"
                    label="Event"
                    value=event
                    placeholder="update"
                    error=fault(|checked| checked.event.clone().err())
                />
                <TextAreaField
                    name="send-payload"
                    label="Payload, JSON"
                    value=payload
                    rows=8
                    error=payload_fault
                />
                <div class="row">
                    <Button
                        submit=true
                        kind=ButtonKind::Primary
                        disabled=Signal::derive(move || busy.get())
                    >
                        "Send"
                    </Button>
                    <span class="muted">"Goes to every member, as if a plugin had published it."</span>
                </div>
            </Form>
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let checked = check("", "a:b", "{");
        assert!(checked.topic.is_err() && checked.event.is_err() && checked.payload.is_err());
        assert!(check("room", "phx_close", "1").event.is_err());
        let good = check("room:1", "update", "{\"a\":1}");
        assert!(good.topic.is_ok() && good.event.is_ok() && good.payload.is_ok());
    }
}
