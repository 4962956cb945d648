//! Who is on a channel.

use leptos::prelude::*;
use tidegate_protocol::presence::{Entry, Meta};

use super::state::{Joined, Phase};
use crate::components::{Badge, Card, EmptyState, Shape};
use crate::format;

/// How many keys are shown; the rest is counted.
const MAX_KEYS: usize = 200;

/// Keys with their metas, or the number of members, or why there is nothing.
#[component]
pub(super) fn PresenceList(joined: Joined) -> impl IntoView {
    let who = RwSignal::from(joined.who.clone());
    let phase = RwSignal::from(joined.phase.clone());
    let total = move || {
        who.with(|who| match who.count {
            Some(count) => Some(count),
            None if who.shown => Some(
                who.presences
                    .state()
                    .values()
                    .map(|entry| entry.metas.len() as u64)
                    .sum(),
            ),
            None => None,
        })
    };
    let badge = move || {
        view! {
            {move || {
                total()
                    .map(|total| {
                        let word = if total == 1 { "member" } else { "members" };
                        view! { <Badge>{format!("{total} {word}")}</Badge> }
                    })
            }}
        }
    };
    let nothing = move || match phase.get() {
        Phase::Joined(_) if who.with(|who| who.count.is_some()) => {
            "This channel shows how many members it has, not who they are."
        }
        Phase::Joined(_) => "This channel does not show who is there.",
        _ => "Who is there is shown once the channel is joined.",
    };
    let empty = move || who.with(|who| who.presences.state().is_empty());
    view! {
        <Card title="Presence" actions=badge>
            <Show when=empty>
                <EmptyState
                    title=Signal::derive(move || match total() {
                        Some(1) => "1 member".to_owned(),
                        Some(total) => format!("{total} members"),
                        None => "Nobody to show".to_owned(),
                    })
                    icon=Shape::Members
                >
                    {nothing}
                </EmptyState>
            </Show>
            <ul class="presence" hidden=empty>
                <For
                    each=move || {
                        who.with(|who| {
                            let state = who.presences.state().iter().take(MAX_KEYS);
                            state.map(|(key, entry)| (key.clone(), entry.clone())).collect::<Vec<_>>()
                        })
                    }
                    key=|(key, entry)| (key.clone(), refs(entry))
                    let((key, entry))
                >
                    <li>
                        <strong class="presence-key">{key}</strong>
                        <ul class="metas">
                            {entry
                                .metas
                                .iter()
                                .map(|meta| view! { <li class="mono">{described(meta)}</li> })
                                .collect_view()}
                        </ul>
                    </li>
                </For>
            </ul>
            {move || {
                let more = who.with(|who| who.presences.state().len().saturating_sub(MAX_KEYS));
                (more > 0).then(|| view! { <p class="muted">{format!("and {more} more")}</p> })
            }}
        </Card>
    }
}

fn refs(entry: &Entry) -> Vec<String> {
    entry
        .metas
        .iter()
        .map(|meta| meta.phx_ref.clone())
        .collect()
}

/// Since when, and what the member gave.
fn described(meta: &Meta) -> String {
    let since = format!(
        "since {} UTC",
        format::clock_utc(meta.online_at as f64 * 1000.0)
    );
    if meta.extra.is_empty() {
        since
    } else {
        let extra = serde_json::to_string(&meta.extra).unwrap_or_default();
        format!("{since} {extra}")
    }
}
