//! The chosen channel: its state in words, sending, the answers, who is there.

use leptos::prelude::*;

use super::presence_list::PresenceList;
use super::session;
use super::state::{Answer, Joined, Phase, use_client_state};
use super::{advice, channel_list};
use crate::components::{
    Badge, Button, ButtonKind, Card, CheckField, EmptyState, Shape, TextAreaField, TextField, Tone,
};

/// What stands beside the list of channels.
#[component]
pub(super) fn ChannelView() -> impl IntoView {
    let state = use_client_state();
    let chosen = Memo::new_with_compare(move |_| state.chosen().map(Keyed), |old, new| old != new);
    view! {
        <div class="client-main stack">
            {move || match chosen.get() {
                Some(Keyed(joined)) => view! { <Chosen joined/> }.into_any(),
                None => {
                    view! {
                        <Card title="Channel">
                            <EmptyState title="Choose or join a channel" icon=Shape::Event>
                                "Sending, the answers and who is there stand here."
                            </EmptyState>
                        </Card>
                    }
                        .into_any()
                }
            }}
        </div>
    }
}

/// Channels are the same while their key is.
#[derive(Clone)]
struct Keyed(Joined);

impl PartialEq for Keyed {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

#[component]
fn Chosen(joined: Joined) -> impl IntoView {
    let phase = RwSignal::from(joined.phase.clone());
    let events = RwSignal::from(joined.events.clone());
    let title = joined.topic.clone();
    let [story, form, answers] = std::array::from_fn(|_| joined.clone());
    let badge = move || {
        view! {
            <Badge tone=Signal::derive(move || {
                channel_list::tone(&phase.get())
            })>{move || phase.get().word()}</Badge>
        }
    };
    view! {
        <Card title=title actions=badge>
            <div class="stack">
                <Story joined=story/>
                <p class="muted">
                    {move || crate::format::grouped(events.get().cast_signed())}
                    " events received so far."
                </p>
                <PushForm joined=form/>
                <Answers joined=answers/>
            </div>
        </Card>
        <PresenceList joined/>
    }
}

/// What is wrong with the channel, and what to do about it.
#[component]
fn Story(joined: Joined) -> impl IntoView {
    let state = use_client_state();
    let phase = RwSignal::from(joined.phase.clone());
    let (topic, options) = (joined.topic.clone(), joined.options.clone());
    let words = move || {
        let (tone, what, reason, then) = match phase.get() {
            Phase::Joining | Phase::Joined(_) => return None,
            Phase::Refused(reason) => (
                Tone::Bad,
                "The join was refused",
                reason,
                "The page tries again by itself.",
            ),
            Phase::Interrupted(reason) => (
                Tone::Warn,
                "Interrupted",
                reason,
                "The page joins again by itself.",
            ),
            Phase::Closed(reason) => (
                Tone::Neutral,
                "The channel was closed",
                reason,
                "Join it again to come back.",
            ),
        };
        Some((tone, format!("{what}: {reason}"), advice(&reason), then))
    };
    view! {
        {move || {
            words()
                .map(|(tone, what, advice, then)| {
                    let again = tone == Tone::Neutral;
                    let (topic, options) = (topic.clone(), options.clone());
                    view! {
                        <div class="notice" data-tone=tone.name() role="alert">
                            <strong>{what}</strong>
                            <p>{advice.unwrap_or_default()} " " {then}</p>
                            <div class="row">
                                {if again {
                                    view! {
                                        <Button on:click=move |_| {
                                            session::join(state, &topic, options.clone());
                                        }>"Join again"</Button>
                                    }
                                        .into_any()
                                } else {
                                    view! {
                                        <Button on:click=move |_| session::retry(state)>"Try now"</Button>
                                    }
                                        .into_any()
                                }}
                            </div>
                        </div>
                    }
                })
        }}
    }
}

#[component]
fn PushForm(joined: Joined) -> impl IntoView {
    let event = RwSignal::new("say".to_owned());
    let text = RwSignal::new("{\n  \"text\": \"hello\"\n}".to_owned());
    let binary = RwSignal::new(false);
    let tried = RwSignal::new(false);
    let event_fault = Signal::derive(move || {
        let blank = event.with(String::is_empty) && tried.get();
        blank.then(|| "An event has a name.".to_owned())
    });
    let text_fault = Signal::derive(move || {
        let fault = text.with(|text| session::payload(text, binary.get()).err());
        fault.filter(|_| tried.get())
    });
    view! {
        <form
            class="stack"
            aria-label="Send an event"
            on:submit=move |ev| {
                ev.prevent_default();
                tried.set(true);
                let name = event.get_untracked();
                let payload = text
                    .with_untracked(|text| session::payload(text, binary.get_untracked()));
                if let (false, Ok(payload)) = (name.is_empty(), payload) {
                    session::push(&joined, name, payload);
                    tried.set(false);
                }
            }
        >
            <TextField name="event" label="Event" value=event error=event_fault/>
            <TextAreaField name="payload" label="Payload" value=text rows=5 error=text_fault/>
            <div class="row">
                <Button submit=true kind=ButtonKind::Primary>
                    "Send"
                </Button>
                <CheckField label="As bytes: the text goes as a binary frame" value=binary/>
            </div>
        </form>
    }
}

#[component]
fn Answers(joined: Joined) -> impl IntoView {
    let answers = RwSignal::from(joined.answers.clone());
    view! {
        <Show when=move || answers.with(|answers| !answers.is_empty())>
            <h3>"Answers"</h3>
            <ul class="answers" aria-live="polite">
                <For each=move || answers.get() key=|answer| answer.number let(answer)>
                    <AnswerRow answer/>
                </For>
            </ul>
        </Show>
    }
}

#[component]
fn AnswerRow(answer: Answer) -> impl IntoView {
    let (tone, word, text) = match answer.result {
        Ok(response) => (Tone::Good, "ok", response),
        Err(reason) => {
            let advice = advice(&reason)
                .map(|advice| format!(". {advice}"))
                .unwrap_or_default();
            (Tone::Bad, "not sent", format!("{reason}{advice}"))
        }
    };
    view! {
        <li class="answer">
            <Badge tone=Signal::from(tone)>{word}</Badge>
            <span class="mono">{answer.event}</span>
            <span class="answer-text mono">{text}</span>
            <span class="muted">{format!("{:.0} ms", answer.took_ms)}</span>
        </li>
    }
}
