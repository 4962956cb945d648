//! A channel's events as they happen.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_client::{Channel, ChannelEvent, parse};
use tidegate_protocol::admin::{WatchedEvent, WatchedRate};

use super::socket;
use super::state::use_admin_state;
use super::watch_log::{WatchLog, Watched, rate_words};
use crate::client_page::advice;
use crate::components::{Badge, Button, Card, EmptyState, Shape, TextField, Tone, VirtualList};
use crate::format;

const ROW_HEIGHT: f64 = 32.0;

/// What the rows read.
#[derive(Clone, Copy)]
struct Shown {
    events: Memo<Vec<Arc<Watched>>>,
}

#[derive(Clone, Copy)]
struct Watching {
    log: RwSignal<WatchLog>,
    rate: RwSignal<Option<WatchedRate>>,
    /// What is wrong, if anything is.
    trouble: RwSignal<Option<String>>,
}

impl Watching {
    async fn follow(self, mut channel: Channel) {
        while let Some(event) = channel.next().await {
            let trouble = match event {
                ChannelEvent::Joined { .. } => None,
                ChannelEvent::Refused { reason } => {
                    Some(format!("{reason}. {}", advice(&reason).unwrap_or_default()))
                }
                ChannelEvent::Interrupted { reason } => Some(format!(
                    "Interrupted: {reason}. Events of this time are not shown; the page comes back by itself."
                )),
                // Only by this page itself.
                ChannelEvent::Closed { .. } => return,
                ChannelEvent::Event { event, payload } => {
                    match &*event {
                        "event" => {
                            if let Ok(event) = parse::<WatchedEvent>(&payload) {
                                // Dropping the channel leaves it; the page is gone.
                                if self.log.try_update(|log| log.add(event)).is_none() {
                                    return;
                                }
                            }
                        }
                        "rate" => {
                            if let Ok(rate) = parse::<WatchedRate>(&payload)
                                && self.rate.try_set(Some(rate)).is_some()
                            {
                                return;
                            }
                        }
                        _ => {}
                    }
                    continue;
                }
            };
            if self.trouble.try_set(trouble).is_some() {
                return;
            }
        }
    }
}

/// The stream, with pause, clear and filter, and the chosen event in full.
#[component]
pub(super) fn Watch(
    /// Of which channel.
    topic: String,
) -> impl IntoView {
    let state = use_admin_state();
    let watching = Watching {
        log: RwSignal::default(),
        rate: RwSignal::default(),
        trouble: RwSignal::default(),
    };
    let leave = StoredValue::new(None::<tidegate_client::ChannelHandle>);
    let watched = topic.clone();
    Effect::new(move |_| {
        // The connection opens in an effect of its own, before or after this one.
        state.client.track();
        if leave.with_value(Option::is_some) {
            return;
        }
        if let Some(channel) = socket::watch(state, &watched) {
            leave.set_value(Some(channel.handle()));
            spawn_local(watching.follow(channel));
        }
    });
    on_cleanup(move || {
        if let Some(handle) = leave.try_update_value(Option::take).flatten() {
            handle.leave();
        }
    });

    let Watching { log, rate, trouble } = watching;
    let filter = RwSignal::new(String::new());
    let chosen = RwSignal::new(None::<Arc<Watched>>);
    let paused = Memo::new(move |_| log.with(|log| log.paused));
    let events = Memo::new(move |_| filter.with(|filter| log.with(|log| log.matching(filter))));
    provide_context(Shown { events });
    let count = Signal::derive(move || events.with(Vec::len));
    let selected = Signal::derive(move || {
        let number = chosen.with(|event| event.as_ref().map(|event| event.number))?;
        events.with(|events| events.iter().position(|event| event.number == number))
    });
    let select = move |index: usize| {
        chosen.set(events.with_untracked(|events| events.get(index).cloned()));
    };
    let said = move || match (rate.get(), paused.get()) {
        (_, true) => {
            format!(
                "Paused; {} events came meanwhile.",
                log.with(|log| log.skipped)
            )
        }
        (None, _) => "Waiting for the first second…".to_owned(),
        (Some(rate), _) => format!("{}.", rate_words(rate)),
    };
    let actions = move || {
        view! {
            <Button on:click=move |_| log.update(|log| log.set_paused(!log.paused))>
                {move || if paused.get() { "Go on" } else { "Pause" }}
            </Button>
            <Button on:click=move |_| {
                log.update(|log| log.clear());
                chosen.set(None);
            }>"Clear"</Button>
        }
    };
    view! {
        <Card title=format!("Live: {topic}") actions=actions>
            <div class="stack">
                {move || {
                    trouble
                        .get()
                        .map(|words| {
                            view! {
                                <p class="notice" data-tone="warn" role="alert">
                                    {words}
                                </p>
                            }
                        })
                }}
                <p class="muted" role="status">{said}</p>
                <TextField
                    name="watch-filter"
                    label="Filter"
                    kind="search"
                    value=filter
                    placeholder="event or any text"
                />
                <Show when=move || count.get() == 0>
                    <EmptyState title="No event to show" icon=Shape::Event>
                        "Events to and from the clients of this channel appear here, the newest on top."
                    </EmptyState>
                </Show>
                <div class="frames" hidden=move || count.get() == 0>
                    <VirtualList
                        name="watched"
                        label="Events, newest first"
                        count=count
                        row_height=ROW_HEIGHT
                        selected=selected
                        on_select=select
                        row=row
                    />
                </div>
                {move || chosen.get().map(|watched| view! { <Whole watched/> })}
            </div>
        </Card>
    }
}

/// Direction, time, event, payload, size.
fn row(index: Signal<usize>) -> AnyView {
    let Some(shown) = use_context::<Shown>() else {
        return ().into_any();
    };
    let watched = Memo::new(move |_| shown.events.with(|events| events.get(index.get()).cloned()));
    let text = move |read: fn(&WatchedEvent) -> String| {
        move || watched.with(|w| w.as_deref().map(|w| read(&w.event)).unwrap_or_default())
    };
    let to = move || watched.with(|w| w.as_ref().is_some_and(|w| w.event.direction == "to"));
    view! {
        <div class="frame-row watch-row">
            <span
                class="frame-way"
                data-sent=move || (!to()).to_string()
                title=move || if to() { "to clients" } else { "from a client" }
            >
                <span aria-hidden="true">{move || if to() { "↓" } else { "↑" }}</span>
                <span class="visually-hidden">
                    {move || if to() { "to clients" } else { "from a client" }}
                </span>
            </span>
            <span class="frame-time">{text(|event| format::clock_utc(event.time as f64))}</span>
            <span class="frame-event">{text(|event| event.event.clone())}</span>
            <span class="frame-topic muted">
                {text(|event| event.payload.chars().take(200).collect())}
            </span>
            <span class="frame-size">{text(|event| format::bytes(event.size as f64))}</span>
        </div>
    }
    .into_any()
}

#[component]
fn Whole(watched: Arc<Watched>) -> impl IntoView {
    let event = &watched.event;
    let to = event.direction == "to";
    let words = if to { "To clients" } else { "From a client" };
    let tone = if to { Tone::Neutral } else { Tone::Accent };
    let from = event
        .connection
        .clone()
        .map(|connection| format!(", connection {connection}"));
    let cut = event.payload.len() as u64 >= event.size;
    let cut = if cut { "" } else { " (the beginning is shown)" };
    let facts = format!(
        "{}, {} UTC, {}{cut}{}",
        event.event,
        format::clock_utc(event.time as f64),
        format::bytes(event.size as f64),
        from.unwrap_or_default(),
    );
    view! {
        <section class="frame-whole" aria-label="The chosen event">
            <header class="row">
                <Badge tone=Signal::from(tone)>{words}</Badge>
                <span class="muted">{facts}</span>
            </header>
            <pre class="json" tabindex="0">{crate::json::indent(&event.payload)}</pre>
        </section>
    }
}
