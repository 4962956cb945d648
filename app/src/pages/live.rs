//! The Live page: recorded air traffic on a map, a list, the details of one aircraft, and the
//! host's charts.
//!
//! Wide screens show the parts side by side; middling ones the map with a drawer; narrow ones the
//! map with a bottom sheet. The document is the same for all three: only the style sheet differs.

use leptos::html;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{EmptyState, IconButton, Shape, Tab, Tabs};
use crate::connection::{Link, use_page_connection};
use crate::first_paint::use_first_paint;
use crate::live::details::Details;
use crate::live::host::HostPanel;
use crate::live::legend::Legend;
use crate::live::list::AircraftList;
use crate::live::{Live, MapState, use_live};

/// `/`.
#[component]
pub fn LivePage() -> impl IntoView {
    let live = Live::new();
    provide_context(live);
    #[cfg(feature = "hydrate")]
    {
        let connection = use_page_connection();
        Effect::new(move |_| untrack(|| crate::live::start_feed(live, connection)));
    }

    let tab = RwSignal::new("aircraft");
    let open = RwSignal::new(true);
    // A chosen aircraft is shown even when the other tab is in front.
    Effect::new(move |_| {
        if live.selected.with(Option::is_some) {
            tab.set("aircraft");
            open.set(true);
        }
    });
    let tabs = vec![
        Tab {
            key: "aircraft",
            title: "Aircraft",
            icon: Some(Shape::Aircraft),
        },
        Tab {
            key: "host",
            title: "Host",
            icon: Some(Shape::Host),
        },
    ];
    let fold = move || {
        if open.get() {
            "Fold the panel"
        } else {
            "Unfold the panel"
        }
    };
    let fold_icon = Signal::derive(move || if open.get() { Shape::Down } else { Shape::Up });

    view! {
        <Title text="Live"/>
        <div
            class="live"
            data-tab=move || tab.get()
            data-open=move || open.get().to_string()
            data-selected=move || live.selected.with(Option::is_some).to_string()
            on:keydown=move |ev| {
                if ev.key() == "Escape" {
                    live.selected.set(None);
                }
            }
        >
            <h1 class="visually-hidden">"Live air traffic"</h1>
            <MapArea/>
            <aside class="live-panel" data-sheet="" aria-label="Aircraft and host">
                <div class="live-tabs">
                    <Tabs label="Panel" tabs=tabs selected=tab/>
                    <IconButton
                        label=Signal::derive(move || fold().to_owned())
                        icon=fold_icon
                        on:click=move |_| open.update(|open| *open = !*open)
                    />
                </div>
                <div class="live-list" id="panel-aircraft">
                    <AircraftList/>
                </div>
                <div class="live-side">
                    <Details/>
                    <div class="live-host" id="panel-host">
                        <HostPanel/>
                    </div>
                </div>
            </aside>
        </div>
    }
}

#[component]
fn MapArea() -> impl IntoView {
    let live = use_live();
    let container = NodeRef::<html::Div>::new();
    let canvas = NodeRef::<html::Canvas>::new();
    #[cfg(feature = "hydrate")]
    crate::live::start_stage(live, container, canvas);

    let words = |on: bool, what: &str| {
        if on {
            format!("Hide the {what} of all aircraft")
        } else {
            format!("Show the {what} of all aircraft")
        }
    };
    view! {
        <section class="live-map" aria-label="Map">
            <div class="map-container" node_ref=container></div>
            <canvas class="map-canvas" aria-hidden="true" node_ref=canvas></canvas>
            <MapNotice/>
            <div class="map-controls" role="toolbar" aria-label="Map" aria-orientation="vertical">
                <IconButton
                    label="Zoom in"
                    icon=Shape::Plus
                    on:click=move |_| live.zoom.update(|n| *n += 1)
                />
                <IconButton
                    label="Zoom out"
                    icon=Shape::Minus
                    on:click=move |_| live.zoom.update(|n| *n -= 1)
                />
                <IconButton
                    label="Show all aircraft"
                    icon=Shape::Frame
                    on:click=move |_| live.overview.update(|n| *n += 1)
                />
                <IconButton
                    label=Signal::derive(move || words(live.trails.get(), "trails"))
                    icon=Shape::Trail
                    pressed=live.trails
                    on:click=move |_| live.trails.update(|on| *on = !*on)
                />
                <IconButton
                    label=Signal::derive(move || words(live.labels.get(), "names"))
                    icon=Shape::Label
                    pressed=live.labels
                    on:click=move |_| live.labels.update(|on| *on = !*on)
                />
            </div>
            <Legend/>
            <p class="map-sources">
                "Outlines: Natural Earth · Flights: OpenSky Network, by way of "<i>"traffic"</i>
            </p>
        </section>
    }
}

/// A browser with scripts keeps this as text and not as elements, so it must not be hydrated.
const NO_SCRIPT: &str = "<p>The live view needs JavaScript and WebAssembly. Allow them for this \
                         address, and the map and the list fill by themselves.</p>";

/// What stands over the map until it is there, and when something is wrong with it.
#[component]
fn MapNotice() -> impl IntoView {
    let live = use_live();
    let first = StoredValue::new(use_first_paint());
    let connection = use_page_connection();
    let gateway = move || {
        first.with_value(|first| {
            let bus = if first.bus_up {
                "its bus is up"
            } else {
                "its bus is down"
            };
            let connections = match first.connections {
                1 => "1 open connection".to_owned(),
                n => format!("{n} open connections"),
            };
            format!(
                "Gateway {} {}: {bus}, {connections}.",
                first.node, first.version
            )
        })
    };
    let lost = Memo::new(move |_| match connection.link.get() {
        Link::Reconnecting { .. } => Some(
            "The connection to the gateway was lost. Aircraft go on with their last course and \
             fade; the page reconnects by itself.",
        ),
        Link::Open if !connection.bus_up.get() => Some(
            "The gateway has lost its bus: no positions get through until it is back. The page \
             notices by itself.",
        ),
        _ => None,
    });
    view! {
        <div class="map-banner" role="alert" hidden=move || lost.get().is_none()>
            {move || lost.get().unwrap_or_default()}
        </div>
        <div class="map-notice" hidden=move || live.map.get() == MapState::Ready>
            {move || match live.map.get() {
                MapState::Loading | MapState::Ready => view! {
                    <div class="map-welcome">
                        <p class="empty-title">"Live air traffic, as it comes over the gateway"</p>
                        <p>
                            "A plugin publishes recorded positions around Paris; the gateway carries \
                             them to this page, which draws them as they arrive."
                        </p>
                        <p class="muted">{gateway}</p>
                        <p class="muted js-only">"Connecting, and loading the map…"</p>
                        <noscript inner_html=NO_SCRIPT></noscript>
                    </div>
                }
                .into_any(),
                MapState::NoWebGl => view! {
                    <EmptyState title="This browser shows no map" icon=Shape::Map>
                        <p>
                            "The map needs WebGL 2, which is off or missing here. The list has all \
                             aircraft, and their details."
                        </p>
                    </EmptyState>
                }
                .into_any(),
                MapState::Failed(reason) => view! {
                    <EmptyState title="The map could not be loaded" icon=Shape::Alert>
                        <p>{format!("{reason}. Reload the page to try again; the list works meanwhile.")}</p>
                    </EmptyState>
                }
                .into_any(),
            }}
        </div>
    }
}
