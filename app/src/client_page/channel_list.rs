//! The channels of the page, with state and join id.

use leptos::prelude::*;

use super::session;
use super::state::{Joined, Phase, use_client_state};
use crate::components::{Badge, Card, EmptyState, IconButton, Shape, Tone};

pub(super) fn tone(phase: &Phase) -> Tone {
    match phase {
        Phase::Joined(_) => Tone::Good,
        Phase::Joining | Phase::Closed(_) => Tone::Neutral,
        Phase::Refused(_) => Tone::Bad,
        Phase::Interrupted(_) => Tone::Warn,
    }
}

/// One row per channel; choosing one shows it beside.
#[component]
pub(super) fn ChannelList() -> impl IntoView {
    let state = use_client_state();
    let empty = move || state.channels.with(Vec::is_empty);
    view! {
        <Card title="Channels">
            <Show when=empty>
                <EmptyState title="No channel joined">
                    "Joined channels stand here, with their state and the id of the join."
                </EmptyState>
            </Show>
            <ul class="channel-list" hidden=empty>
                <For each=move || state.channels.get() key=|joined| joined.key let(joined)>
                    <Row joined/>
                </For>
            </ul>
        </Card>
    }
}

#[component]
fn Row(joined: Joined) -> impl IntoView {
    let state = use_client_state();
    let key = joined.key;
    let phase = RwSignal::from(joined.phase.clone());
    let chosen = move || state.selected.get() == Some(key);
    let label = format!("Leave {}", joined.topic);
    let id = move || match phase.get() {
        Phase::Joined(id) => id,
        Phase::Joining => "waits for the gateway".to_owned(),
        Phase::Refused(why) | Phase::Interrupted(why) | Phase::Closed(why) => why,
    };
    view! {
        <li class="channel-row" data-chosen=move || chosen().to_string()>
            <button
                type="button"
                class="channel-pick"
                aria-pressed=move || chosen().to_string()
                on:click=move |_| state.selected.set(Some(key))
            >
                <span class="channel-name mono">{joined.topic.clone()}</span>
                <Badge tone=Signal::derive(move || tone(&phase.get()))>
                    {move || phase.get().word()}
                </Badge>
                <span class="channel-id mono muted">{id}</span>
            </button>
            <IconButton label=label icon=Shape::Cross on:click=move |_| session::leave(state, key)/>
        </li>
    }
}
