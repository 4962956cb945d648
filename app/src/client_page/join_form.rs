//! Joining any topic.

use leptos::prelude::*;

use super::session;
use super::state::{JoinOptions, use_client_state};
use crate::components::{Button, ButtonKind, Card, CheckField, TextAreaField, TextField};

/// Topic, token or not, presence metadata.
#[component]
pub(super) fn JoinForm() -> impl IntoView {
    let state = use_client_state();
    let topic = RwSignal::new(String::new());
    let with_token = RwSignal::new(true);
    let metadata = RwSignal::new(String::new());
    let tried = RwSignal::new(false);

    // Faults are shown once somebody has tried, not while the field is still being typed.
    let fault = move |text: Option<String>| text.filter(|_| tried.get());
    let topic_fault = Signal::derive(move || {
        fault(topic.with(|topic| topic.is_empty().then(|| "A channel has a name.".to_owned())))
    });
    let metadata_fault =
        Signal::derive(move || fault(metadata.with(|text| session::presence(text).err())));
    let is_open = Memo::new(move |_| state.is_open());

    view! {
        <Card title="Join a channel">
            <form
                class="stack"
                on:submit=move |ev| {
                    ev.prevent_default();
                    tried.set(true);
                    let name = topic.get_untracked();
                    if let (false, Ok(presence)) = (
                        name.is_empty(),
                        metadata.with_untracked(|text| session::presence(text)),
                    ) {
                        let options = JoinOptions { with_token: with_token.get_untracked(), presence };
                        session::join(state, &name, options);
                        topic.set(String::new());
                        tried.set(false);
                    }
                }
            >
                <TextField
                    name="topic"
                    label="Topic"
                    value=topic
                    placeholder="room:1"
                    error=topic_fault
                />
                <CheckField label="With a token for this channel" value=with_token/>
                <details class="more">
                    <summary>"Presence metadata"</summary>
                    <TextAreaField
                        name="metadata"
                        label="JSON object, shown to the other members"
                        value=metadata
                        rows=3
                        hint="At most 1 KiB, for instance {\"seat\": 3}. Blank: none."
                        error=metadata_fault
                    />
                </details>
                <div class="row">
                    <Button
                        submit=true
                        kind=ButtonKind::Primary
                        disabled=Signal::derive(move || !is_open.get())
                    >
                        "Join"
                    </Button>
                    <Show when=move || !is_open.get()>
                        <span class="muted">"Connect first."</span>
                    </Show>
                </div>
            </form>
        </Card>
    }
}
