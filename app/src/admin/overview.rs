//! The gateway at a glance: the figures of now, and the last five minutes as charts.

use leptos::prelude::*;
use tidegate_protocol::admin::{BusInfo, Sample};
use tidegate_protocol::system::StoreState;

use super::figures::FigureCards;
use super::paged::Skeleton;
use super::state::{Gateway, use_admin_state};
use super::store_notice::store_words;
use crate::components::chart::{Chart, ChartData, Series, Unit};
use crate::components::{Badge, Card, Tone};
use crate::first_paint::use_first_paint;
use crate::{format, timing};

/// One figure of the samples.
type Read = fn(&Sample) -> f64;

/// Tiles, the bus in words, and the charts.
#[component]
pub(super) fn OverviewScreen() -> impl IntoView {
    let state = use_admin_state();
    let empty = Memo::new(move |_| state.history.with(Vec::is_empty));
    view! {
        {move || {
            state
                .failed
                .get()
                .map(|words| {
                    view! {
                        <p class="notice" data-tone="bad" role="alert">
                            "The figures could not be had. " {words}
                        </p>
                    }
                })
        }}
        <Tiles/>
        <div class="overview-states">
            <BusCard/>
            <StoreCard/>
        </div>
        <FigureCards/>
        <Show when=move || !empty.get() fallback=|| view! { <Skeleton rows=8/> }>
            <Charts/>
        </Show>
    }
}

#[component]
fn Tiles() -> impl IntoView {
    let first = use_first_paint();
    let state = use_admin_state();
    let last = Memo::new(move |_| state.history.with(|history| history.last().cloned()));
    // What the server knew when it rendered the page stands until the first sample.
    let tile = move |label: &'static str, first: Option<u64>, read: fn(&Sample) -> String| {
        let first = first.map(|n| format::grouped(n.cast_signed()));
        let value = move || {
            last.with(|last| {
                let first = || first.clone().unwrap_or_else(|| format::MISSING.to_owned());
                last.as_ref().map_or_else(first, read)
            })
        };
        view! {
            <div class="tile">
                <dt>{label}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let whole = |n: u64| format::grouped(n.cast_signed());
    let dropped = move || {
        let sum = state
            .history
            .with(|history| history.iter().map(|s| s.dropped).sum::<u64>());
        whole(sum)
    };
    let uptime = move || {
        // Counted from the newest sample, so that it moves with the rest of the page.
        let now = last.with(|last| last.as_ref().map(|last| last.time as f64));
        match state
            .gateway
            .with(|gateway| gateway.as_ref().map(|g| g.started_at as f64))
        {
            Some(start) => format::span(now.unwrap_or_else(timing::now_ms) - start),
            None => format::MISSING.to_owned(),
        }
    };
    let about = move |first: String, read: fn(&Gateway) -> &str| {
        move || {
            state
                .gateway
                .with(|gateway| gateway.as_ref().map_or(&*first, read).to_owned())
        }
    };
    view! {
        <dl class="tiles">
            {tile("Connections", Some(first.connections), |s| format::grouped(s.connections.cast_signed()))}
            {tile("Channels", None, |s| format::grouped(s.channels.cast_signed()))}
            {tile("Members", Some(first.members), |s| format::grouped(s.members.cast_signed()))}
            {tile(
                "Events in",
                None,
                |s| {
                    let sum = s.events_from_clients + s.events_from_bus;
                    format!("{}/s", format::grouped(sum.cast_signed()))
                },
            )}
            {tile("Deliveries", None, |s| format!("{}/s", format::grouped(s.deliveries.cast_signed())))}
            <div class="tile">
                <dt>"Dropped, 5 min"</dt>
                <dd>{dropped}</dd>
            </div>
            {tile("Memory", None, |s| format::bytes(s.memory as f64))}
            {tile("CPU", None, |s| format!("{:.0} %", s.cpu))}
            <div class="tile">
                <dt>"Up for"</dt>
                <dd>{uptime}</dd>
            </div>
            <div class="tile">
                <dt>"Gateway"</dt>
                <dd class="tile-name">{about(first.node, |gateway| &gateway.node)}</dd>
            </div>
            <div class="tile">
                <dt>"Version"</dt>
                <dd class="tile-name">{about(first.version, |gateway| &gateway.version)}</dd>
            </div>
        </dl>
    }
}

/// The state of the bus in a sentence or two.
fn bus_words(bus: &BusInfo) -> String {
    let place = match (bus.kind.as_str(), &bus.address) {
        ("in-process", Some(address)) => {
            format!("In this process; Redis clients reach it at {address}.")
        }
        ("in-process", None) => "In this process; no Redis client can reach it.".to_owned(),
        (kind, Some(address)) => format!("{} at {address}.", capital(kind)),
        (kind, None) => format!("{}.", capital(kind)),
    };
    if bus.up {
        let clients = match (bus.kind.as_str(), bus.clients) {
            ("in-process", 0) => " No plugin is connected.".to_owned(),
            ("in-process", 1) => " 1 Redis client is connected.".to_owned(),
            ("in-process", n) => format!(" {n} Redis clients are connected."),
            _ => String::new(),
        };
        format!("{place}{clients}")
    } else {
        let detail = bus.detail.as_deref().unwrap_or("it does not answer");
        format!(
            "{place} The gateway has lost it: {detail}. No event gets through, pushes are refused with \"bus unavailable\"; the gateway tries again by itself."
        )
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

#[component]
fn BusCard() -> impl IntoView {
    let first = if use_first_paint().bus_up {
        "The bus carries events."
    } else {
        "The gateway has lost its bus: no event gets through. It tries again by itself."
    };
    let state = use_admin_state();
    let badge = move || {
        view! {
            {move || {
                state
                    .bus
                    .get()
                    .map(|bus| {
                        let tone = if bus.up { Tone::Good } else { Tone::Bad };
                        let word = if bus.up { "up" } else { "down" };
                        view! { <Badge tone=Signal::from(tone)>{word}</Badge> }
                    })
            }}
        }
    };
    view! {
        <Card title="Bus" actions=badge>
            <p aria-live="polite">
                {move || {
                    state
                        .bus
                        .with(|bus| {
                            bus.as_ref().map_or_else(|| first.to_owned(), bus_words)
                        })
                }}
            </p>
        </Card>
    }
}

#[component]
fn StoreCard() -> impl IntoView {
    let state = use_admin_state();
    let badge = move || {
        view! {
            {move || {
                state
                    .store
                    .get()
                    .map(|store| {
                        let (tone, word) = match store.state {
                            StoreState::Ready => (Tone::Good, "up"),
                            StoreState::Lost => (Tone::Bad, "lost"),
                            StoreState::None => (Tone::Warn, "none"),
                        };
                        view! { <Badge tone=Signal::from(tone)>{word}</Badge> }
                    })
            }}
        }
    };
    view! {
        <Card title="Store" actions=badge>
            <p aria-live="polite">
                {move || {
                    state
                        .store
                        .with(|store| {
                            store.as_ref().map_or_else(|| format::MISSING.to_owned(), store_words)
                        })
                }}
            </p>
        </Card>
    }
}

#[component]
fn Charts() -> impl IntoView {
    view! {
        <div class="charts">
            <Figure
                title="Events per second"
                lines=vec![
                    ("from clients", "--series-1", |s| s.events_from_clients as f64),
                    ("from the bus", "--series-2", |s| s.events_from_bus as f64),
                ]
            />
            <Figure
                title="Deliveries per second"
                lines=vec![("deliveries", "--series-1", |s| s.deliveries as f64)]
            />
            <Figure
                title="Traffic"
                unit=Unit::BytesPerSecond
                lines=vec![
                    ("in", "--series-1", |s| s.bytes_in as f64),
                    ("out", "--series-2", |s| s.bytes_out as f64),
                ]
            />
            <Figure
                title="Connections, channels, members"
                lines=vec![
                    ("connections", "--series-1", |s| s.connections as f64),
                    ("channels", "--series-2", |s| s.channels as f64),
                    ("members", "--series-3", |s| s.members as f64),
                ]
            />
            <Figure
                title="Dropped per second"
                lines=vec![("dropped", "--series-2", |s| s.dropped as f64)]
            />
            <Figure
                title="Bytes waiting"
                unit=Unit::Bytes
                lines=vec![("waiting", "--series-4", |s| s.queued as f64)]
            />
            <Figure
                title="Memory"
                unit=Unit::Bytes
                lines=vec![("resident", "--series-3", |s| s.memory as f64)]
            />
            <Figure
                title="CPU, percent of one core"
                lines=vec![("CPU", "--series-4", |s| f64::from(s.cpu))]
            />
        </div>
    }
}

#[component]
fn Figure(
    title: &'static str,
    #[prop(optional)] unit: Unit,
    lines: Vec<(&'static str, &'static str, Read)>,
) -> impl IntoView {
    let state = use_admin_state();
    let filled = lines.len() == 1;
    let series: Vec<Series> = lines
        .iter()
        .map(|&(title, colour, _)| Series {
            title,
            colour,
            filled,
        })
        .collect();
    let reads: Vec<Read> = lines.into_iter().map(|(_, _, read)| read).collect();
    let data = Signal::derive(move || state.history.with(|history| chart(history, &reads)));
    let label = format!("{title}, over the last five minutes");
    view! {
        <Card title=title>
            <Chart label=label series=series unit=unit data=data height=150/>
        </Card>
    }
}

/// The samples as lines; seconds without a sample are gaps.
fn chart(history: &[Sample], reads: &[Read]) -> ChartData {
    let mut data = ChartData {
        time: Vec::new(),
        lines: vec![Vec::new(); reads.len()],
    };
    let mut last = None;
    for sample in history {
        // One missing second may be a late tick; more is time without a gateway.
        if last.is_some_and(|last| sample.time.saturating_sub(last) > 3000) {
            data.time.push(sample.time as f64 - 1000.0);
            data.lines.iter_mut().for_each(|line| line.push(None));
        }
        last = Some(sample.time);
        data.time.push(sample.time as f64);
        for (line, read) in data.lines.iter_mut().zip(reads) {
            line.push(Some(read(sample)));
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_samples_is_a_gap() {
        let sample = |time, memory| Sample {
            time,
            memory,
            ..Sample::default()
        };
        let history = [sample(1000, 1), sample(2000, 2), sample(9000, 3)];
        let data = chart(&history, &[|s| s.memory as f64]);
        assert_eq!(data.time, [1000.0, 2000.0, 8000.0, 9000.0]);
        assert_eq!(data.lines, [[Some(1.0), Some(2.0), None, Some(3.0)]]);
    }

    #[test]
    fn a_lost_bus_is_said_in_words() {
        let mut bus = BusInfo {
            kind: "redis".into(),
            up: false,
            address: Some("127.0.0.1:6379".into()),
            since: 0,
            detail: Some("connection refused".into()),
            clients: 0,
        };
        let words = bus_words(&bus);
        assert!(words.contains("Redis at 127.0.0.1:6379"), "{words}");
        assert!(words.contains("connection refused") && words.contains("bus unavailable"));
        bus.up = true;
        assert_eq!(bus_words(&bus), "Redis at 127.0.0.1:6379.");
    }
}
