//! One channel: its figures, its definition, its members, its events.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_protocol::admin::ChannelInfo;
use tidegate_protocol::{Role, is_reserved_topic};

use super::api;
use super::confirm::use_confirm;
use super::definition_form::ChannelDefinition;
use super::members::Members;
use super::screen::Screen;
use super::send::SendCard;
use super::state::use_admin_state;
use super::store_notice::StoreNotice;
use super::watch::Watch;
use crate::components::{Button, ButtonKind, Card};
use crate::http::ApiError;
use crate::{format, timing};

/// How often the figures are asked for, in milliseconds.
const REFRESH_MS: u32 = 2000;

/// What is known about the channel.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    /// Not asked yet.
    Nothing,
    /// It has members.
    Open(Box<ChannelInfo>),
    /// It has none.
    Empty,
    /// It could not be had, in words.
    Failed(String),
}

/// `/admin/channels/<topic>`
#[component]
pub(super) fn ChannelScreen(
    /// Its topic.
    topic: String,
) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let known = RwSignal::new(Known::Nothing);
    let load = {
        let topic = topic.clone();
        move || {
            let topic = topic.clone();
            async move {
                let new = match api::channel(&topic).await {
                    Ok(info) => Known::Open(Box::new(info)),
                    Err(ApiError::Refused { status: 404, .. }) => Known::Empty,
                    Err(error) => Known::Failed(state.words(&error)),
                };
                if known.try_with_untracked(|known| *known != new) == Some(true) {
                    known.set(new);
                }
            }
        }
    };
    let fresh = load.clone();
    Effect::new(move |_| {
        let fresh = fresh.clone();
        spawn_local(async move {
            let mut seen = None;
            while let Some(empty) = known.try_with_untracked(|known| *known == Known::Empty) {
                // A channel that nobody has joined is asked for again when somebody joins one.
                let changes = state.changes.try_get_untracked();
                if !(timing::hidden() || (empty && changes == seen)) {
                    seen = changes;
                    fresh().await;
                }
                timing::pause(REFRESH_MS).await;
            }
        });
    });

    let reserved = is_reserved_topic(&topic);
    let is_open = Memo::new(move |_| known.with(|known| matches!(known, Known::Open(_))));
    let close = {
        let topic = topic.clone();
        move || {
            let (topic, load) = (topic.clone(), load.clone());
            confirm.ask(
                format!("Close {topic}?"),
                "Every member is removed and told so. Clients may join again when they like; to keep them out, change the definition first.",
                "Close the channel",
                move || {
                    let load = load.clone();
                    state.act(api::close_channel(topic.clone()), move || spawn_local(load()));
                },
            );
        }
    };
    let [for_facts, for_definition, for_members, for_watch, for_send] =
        std::array::from_fn(|_| topic.clone());
    view! {
        <header class="page-head">
            <a class="button" data-kind="quiet" href=Screen::Channels.path()>"← Channels"</a>
            <h2 class="topic-title mono">{topic}</h2>
            <Show when=move || is_open.get() && !reserved && state.may(Role::Operator)>
                <Button
                    kind=ButtonKind::Danger
                    on:click={
                        let close = close.clone();
                        move |_| close()
                    }
                >
                    "Close channel"
                </Button>
            </Show>
        </header>
        <StoreNotice/>
        <div class="channel-grid">
            <div class="stack">
                <Facts known topic=for_facts/>
                <Show when=move || !reserved>
                    <ChannelDefinition topic=for_definition.clone()/>
                </Show>
                <Show when=move || !reserved && state.may(Role::Operator)>
                    <SendCard topic=for_send.clone() fixed=true/>
                </Show>
            </div>
            <div class="stack">
                <Watch topic=for_watch/>
                <Show when=move || is_open.get()>
                    <Members topic=for_members.clone()/>
                </Show>
            </div>
        </div>
    }
}

#[component]
fn Facts(known: RwSignal<Known>, topic: String) -> impl IntoView {
    let whole = |n: u64| format::grouped(n.cast_signed());
    let fact = |name: &'static str, value: String| {
        view! {
            <div>
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    view! {
        <Card title="Now">
            {move || match known.get() {
                Known::Nothing => view! { <super::paged::Skeleton rows=4/> }.into_any(),
                Known::Failed(words) => {
                    view! { <p class="notice" data-tone="bad">{words}</p> }.into_any()
                }
                Known::Empty => {
                    view! {
                        <p>
                            "Nobody has joined " <strong class="mono">{topic.clone()}</strong>
                            " now. It opens with its first member; what is sent before reaches nobody."
                        </p>
                    }
                        .into_any()
                }
                Known::Open(info) => {
                    view! {
                        <dl class="facts">
                            {fact("Members", whole(info.members))}
                            {fact("Events per second", whole(info.rate))}
                            {fact("Events to clients", whole(info.events_to))}
                            {fact("Events from clients", whole(info.events_from))}
                            {fact(
                                "Open for",
                                format::span(timing::now_ms() - info.opened_at as f64),
                            )}
                        </dl>
                    }
                        .into_any()
                }
            }}
        </Card>
    }
}
