//! A field for a topic that suggests the channels there are.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_protocol::admin::{ChannelInfo, Page};

use super::api;
use crate::http;

/// How many channels are suggested.
const SUGGESTED: usize = 200;

/// One line of text with suggestions.
#[component]
pub(super) fn TopicField(
    /// What it holds.
    value: RwSignal<String>,
    /// What is wrong with it.
    #[prop(into, optional)]
    error: Signal<Option<String>>,
) -> impl IntoView {
    let topics = RwSignal::new(Vec::<String>::new());
    Effect::new(move |_| {
        spawn_local(async move {
            let path = format!("{}?limit={SUGGESTED}", api::CHANNELS);
            // Without suggestions the field works as well.
            if let Ok(page) = http::get::<Page<ChannelInfo>>(&path).await {
                topics.try_set(
                    page.items
                        .into_iter()
                        .map(|channel| channel.topic)
                        .collect(),
                );
            }
        });
    });
    view! {
        <div class="field" data-invalid=move || error.get().is_some().to_string()>
            <label for="field-topic">"Topic"</label>
            <input
                class="input mono"
                id="field-topic"
                name="topic"
                type="text"
                list="topics"
                placeholder="room:1"
                autocomplete="off"
                spellcheck="false"
                aria-describedby="field-topic-note"
                aria-invalid=move || error.get().is_some().to_string()
                prop:value=move || value.get()
                on:input=move |ev| value.set(event_target_value(&ev))
            />
            <datalist id="topics">
                <For each=move || topics.get() key=String::clone let(topic)>
                    <option value=topic></option>
                </For>
            </datalist>
            <p class="field-note" id="field-topic-note">
                {move || error.get()}
            </p>
        </div>
    }
}
