//! Every frame of the connection: a list of the last few hundred, and one of them in full.

use std::sync::Arc;

use leptos::prelude::*;

use super::frames::{Frame, MAX_FRAMES};
use super::state::use_client_state;
use crate::components::{
    Badge, Button, Card, CheckField, EmptyState, Shape, TextField, Tone, VirtualList,
};
use crate::format;

const ROW_HEIGHT: f64 = 32.0;

/// What the rows read.
#[derive(Clone, Copy)]
struct Shown {
    frames: Memo<Vec<Arc<Frame>>>,
}

/// The list, its filter, and the chosen frame below.
#[component]
pub(super) fn FrameList() -> impl IntoView {
    let state = use_client_state();
    let filter = RwSignal::new(String::new());
    let quiet = RwSignal::new(false);
    let chosen = RwSignal::new(None::<Arc<Frame>>);
    let paused = Memo::new(move |_| state.log.with(|log| log.paused));
    let frames = Memo::new(move |_| {
        let quiet = quiet.get();
        filter.with(|filter| state.log.with(|log| log.matching(filter, quiet)))
    });
    provide_context(Shown { frames });

    let count = Signal::derive(move || frames.with(Vec::len));
    let selected = Signal::derive(move || {
        let number = chosen.with(|frame| frame.as_ref().map(|frame| frame.number))?;
        frames.with(|frames| frames.iter().position(|frame| frame.number == number))
    });
    let select = move |index: usize| {
        chosen.set(frames.with_untracked(|frames| frames.get(index).cloned()));
    };
    let seen = move || {
        state.log.with(|log| {
            let seen = format::grouped(log.seen().cast_signed());
            match log.skipped {
                _ if log.seen() == 0 => String::new(),
                0 => format!("{seen} frames so far, the last {MAX_FRAMES} kept"),
                skipped => format!("{seen} frames so far; {skipped} came while paused"),
            }
        })
    };
    let actions = move || {
        view! {
            <Button on:click=move |_| state.log.update(|log| log.set_paused(!log.paused))>
                {move || if paused.get() { "Go on" } else { "Pause" }}
            </Button>
            <Button on:click=move |_| {
                state.log.update(|log| log.clear());
                chosen.set(None);
            }>"Clear"</Button>
        }
    };
    view! {
        <div class="client-frames">
            <Card title="Frames" actions=actions>
                <div class="stack">
                    <div class="frame-tools">
                        <TextField
                            name="frame-filter"
                            label="Filter"
                            value=filter
                            kind="search"
                            placeholder="topic, event or any text"
                        />
                        <CheckField label="Hide heartbeats and the clock" value=quiet/>
                    </div>
                    <p class="muted">{seen}</p>
                    <Show when=move || count.get() == 0>
                        <EmptyState
                            title=Signal::derive(move || {
                                if state.log.with(|log| log.seen()) == 0 {
                                    "No frame yet".to_owned()
                                } else {
                                    "No frame to show".to_owned()
                                }
                            })
                            icon=Shape::List
                        >
                            "Each frame sent or received appears here, the newest on top."
                        </EmptyState>
                    </Show>
                    <div class="frames" hidden=move || count.get() == 0>
                        <VirtualList
                            name="frame"
                            label="Frames, newest first"
                            count=count
                            row_height=ROW_HEIGHT
                            selected=selected
                            on_select=select
                            row=row
                        />
                    </div>
                    {move || chosen.get().map(|frame| view! { <Whole frame/> })}
                </div>
            </Card>
        </div>
    }
}

/// Direction, time, topic, event, size.
fn row(index: Signal<usize>) -> AnyView {
    let Some(shown) = use_context::<Shown>() else {
        return ().into_any();
    };
    let frame = Memo::new(move |_| shown.frames.with(|frames| frames.get(index.get()).cloned()));
    let text = move |read: fn(&Frame) -> String| {
        move || frame.with(|frame| frame.as_deref().map(read).unwrap_or_default())
    };
    let sent = move || frame.with(|frame| frame.as_ref().is_some_and(|frame| frame.sent));
    let refused = move || frame.with(|frame| frame.as_ref().is_some_and(|frame| frame.refused));
    view! {
        <div class="frame-row" data-refused=move || refused().to_string()>
            <span
                class="frame-way"
                data-sent=move || sent().to_string()
                title=move || if sent() { "sent" } else { "received" }
            >
                <span aria-hidden="true">{move || if sent() { "↑" } else { "↓" }}</span>
                <span class="visually-hidden">
                    {move || if sent() { "sent" } else { "received" }}
                </span>
            </span>
            <span class="frame-time">{text(|frame| clock(frame.time_ms))}</span>
            <span class="frame-topic">{text(|frame| frame.topic.clone())}</span>
            <span class="frame-event">{text(|frame| frame.event.clone())}</span>
            <span class="frame-size">{text(|frame| format::bytes(frame.size() as f64))}</span>
        </div>
    }
    .into_any()
}

/// The time of day in UTC with milliseconds.
pub(crate) fn clock(ms: f64) -> String {
    format!(
        "{}.{:03}",
        format::clock_utc(ms),
        ms.rem_euclid(1000.0) as u64
    )
}

#[component]
fn Whole(frame: Arc<Frame>) -> impl IntoView {
    let way = if frame.sent { "Sent" } else { "Received" };
    let tone = if frame.refused {
        Tone::Bad
    } else {
        Tone::Neutral
    };
    view! {
        <section class="frame-whole" aria-label="The chosen frame">
            <header class="row">
                <Badge tone=Signal::from(tone)>{format!("{way} no. {}", frame.number)}</Badge>
                <span class="muted">
                    {format!(
                        "{} UTC, {}",
                        clock(frame.time_ms),
                        format::bytes(frame.size() as f64),
                    )}
                </span>
            </header>
            <pre class="json" tabindex="0">{frame.pretty()}</pre>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(clock(1_633_613_400_007.0), "13:30:00.007");
    }
}
