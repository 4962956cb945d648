//! The list of aircraft: search, order, selection. Any number of rows; only the visible ones are
//! in the document.

use leptos::prelude::*;

use super::rows::{Key, Row, rows};
use super::state::{Health, Live, use_live};
use crate::components::{EmptyState, Icon, Shape, VirtualList};
use crate::connection::{Link, use_page_connection};
use crate::format::{MISSING, clock_utc, grouped};

const ROW: f64 = 44.0;

/// Search field, head and rows.
#[component]
pub fn AircraftList() -> impl IntoView {
    let live = use_live();
    let search = RwSignal::new(String::new());
    let order = RwSignal::new((Key::default(), false));
    let list = Memo::new(move |_| {
        let (key, descending) = order.get();
        let page = live.page_time.get();
        live.fleet
            .with(|fleet| rows(fleet, &search.read(), key, descending, page))
    });
    let count = Memo::new(move |_| list.with(Vec::len));
    let known = Memo::new(move |_| live.fleet.with(|fleet| fleet.aircraft().len()));
    let selected = Memo::new(move |_| {
        let id = live.selected.get()?;
        list.with(|rows| rows.iter().position(|row| row.id == id))
    });
    let select = move |index: usize| {
        if let Some(id) = list.with_untracked(|rows| rows.get(index).map(|row| row.id.clone())) {
            live.selected.set(Some(id));
            live.centre.update(|n| *n += 1);
        }
    };
    let summary = move || {
        let clock = live.fleet.with(|fleet| fleet.now(live.page_time.get()));
        match clock {
            None => "No aircraft yet".to_owned(),
            Some(now) => {
                let (shown, all) = (count.get(), known.get());
                let number = if shown == all {
                    format!("{} aircraft", grouped(all as i64))
                } else {
                    format!(
                        "{} of {} aircraft",
                        grouped(shown as i64),
                        grouped(all as i64)
                    )
                };
                format!("{number} · recording {} UTC", clock_utc(now))
            }
        }
    };
    let row = move |index: Signal<usize>| {
        let row = Memo::new(move |_| list.with(|rows| rows.get(index.get()).cloned()));
        row_view(row).into_any()
    };

    view! {
        <div class="aircraft-list">
            <div class="list-search">
                <Icon shape=Shape::Search/>
                <input
                    class="input"
                    type="search"
                    placeholder="Callsign, address or squawk"
                    aria-label="Search aircraft by callsign, address or squawk"
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=move || search.get()
                    on:input=move |ev| search.set(event_target_value(&ev))
                />
            </div>
            <p class="list-summary muted" aria-live="off">{summary}</p>
            <div class="list-head" role="group" aria-label="Sort by">
                {Key::ALL.into_iter().map(|key| sort_button(key, order)).collect_view()}
            </div>
            <div class="list-body">
                <VirtualList
                    name="aircraft"
                    label="Aircraft"
                    count=count
                    row_height=ROW
                    selected=selected
                    on_select=select
                    row=row
                />
                <Show when=move || count.get() == 0>
                    <Nothing live known search/>
                </Show>
            </div>
        </div>
    }
}

fn sort_button(key: Key, order: RwSignal<(Key, bool)>) -> impl IntoView {
    let direction = move || {
        let (by, descending) = order.get();
        (by == key).then_some(descending)
    };
    let cycle = move |_| {
        // A first press shows what one looks for: names from A, numbers from the largest, the
        // newest report.
        let first = matches!(key, Key::Altitude | Key::Speed);
        order.update(|(by, descending)| {
            *descending = if *by == key { !*descending } else { first };
            *by = key;
        });
    };
    let label = move || {
        let now = match direction() {
            None => "",
            Some(true) => ", sorted descending",
            Some(false) => ", sorted ascending",
        };
        format!("Sort by {}{now}", key.title().to_lowercase())
    };
    view! {
        <button
            type="button"
            class="list-sort"
            aria-label=label
            aria-pressed=move || direction().is_some().to_string()
            on:click=cycle
        >
            {key.title()}
            <span class="list-arrow" aria-hidden="true" hidden=move || direction().is_none()>
                {move || if direction() == Some(true) { "↓" } else { "↑" }}
            </span>
        </button>
    }
}

/// The cells read only what they show, so that a tick changes the ages and nothing else.
fn row_view(row: Memo<Option<Row>>) -> impl IntoView {
    let cell = move |read: fn(&Row) -> String| {
        move || row.with(|row| row.as_ref().map(read).unwrap_or_default())
    };
    view! {
        <div
            class="list-row"
            data-stale=move || row.with(|row| row.as_ref().is_some_and(|r| r.stale)).to_string()
        >
            <span class="list-name">
                <span
                    class="list-band"
                    aria-hidden="true"
                    style:background=cell(|row| format!("var({})", row.band.token()))
                ></span>
                {cell(|row| row.name.clone())}
            </span>
            <span>{cell(|row| row.altitude.map_or(MISSING.into(), |v| grouped(v as i64)))}</span>
            <span>{cell(|row| row.speed.map_or(MISSING.into(), |v| grouped(v as i64)))}</span>
            <span>{cell(|row| format!("{} s", row.age as u64))}</span>
        </div>
    }
}

/// Why the list is empty, and what to do.
#[component]
fn Nothing(live: Live, known: Memo<usize>, search: RwSignal<String>) -> impl IntoView {
    let link = use_page_connection().link;
    move || {
        if known.get() > 0 {
            return view! {
                <EmptyState title="No aircraft matches" icon=Shape::Search>
                    <button
                        type="button"
                        class="button"
                        on:click=move |_| search.set(String::new())
                    >
                        "Clear the search"
                    </button>
                </EmptyState>
            }
            .into_any();
        }
        match (live.flights_health.get(), link.get()) {
            (Health::Refused(reason), _) => view! {
                <EmptyState title="The gateway does not let this page in" icon=Shape::Lock>
                    <p>{format!("Its reason: {reason}. The page tries again by itself.")}</p>
                </EmptyState>
            }
            .into_any(),
            (Health::Unreadable(error), _) => view! {
                <EmptyState title="What arrives cannot be read" icon=Shape::Alert>
                    <p>
                        "Channel "<code>"flights"</code>
                        {format!(" brought something else than positions: {error}.")}
                    </p>
                </EmptyState>
            }
            .into_any(),
            (_, Link::Open) => view! {
                <EmptyState title="No aircraft yet" icon=Shape::Aircraft>
                    <p>"No plugin is publishing positions. Start the recorded traffic with"</p>
                    <p>
                        <code>"tidegate-flights"</code>
                    </p>
                </EmptyState>
            }
            .into_any(),
            (_, Link::Connecting) => view! {
                <EmptyState title="Connecting to the gateway…" icon=Shape::Clock>
                    <p>"Aircraft appear here as soon as their positions arrive."</p>
                </EmptyState>
            }
            .into_any(),
            _ => view! {
                <EmptyState title="No connection to the gateway" icon=Shape::Offline>
                    <p>"The page tries again by itself; nothing needs to be done here."</p>
                </EmptyState>
            }
            .into_any(),
        }
    }
}
