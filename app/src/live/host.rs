//! The machine that the plugin `host` runs on: processor, memory, network and disk over the last
//! five minutes.

use leptos::prelude::*;

use super::host_log::{HostLog, Telemetry};
use super::state::{Health, use_live};
use crate::components::chart::{Series, Unit};
use crate::components::{Badge, Chart, EmptyState, Shape, Tone};
use crate::connection::{Link, use_page_connection};
use crate::format::{bytes, span};

/// After this many milliseconds without a sample the panel says so.
const SILENCE: f64 = 5_000.0;

/// The charts, or why there are none.
#[component]
pub fn HostPanel() -> impl IntoView {
    let live = use_live();
    let there = Memo::new(move |_| live.host.with(|log| log.latest().is_some()));
    let subtitle = move || {
        live.host.with(|log| {
            log.latest().map_or_else(
                || "Processor, memory, network, disk".to_owned(),
                |t| {
                    let [one, five, fifteen] = t.load;
                    format!(
                        "up {} · load {one:.2} {five:.2} {fifteen:.2}",
                        span(t.uptime * 1000.0)
                    )
                },
            )
        })
    };
    let silent = Memo::new(move |_| {
        let heard = live.host.with(|log| log.heard())?;
        let silence = live.page_time.get() - heard;
        (silence > SILENCE).then_some(silence)
    });
    let title = move || {
        live.host.with(|log| {
            log.latest()
                .map_or_else(|| "Host".to_owned(), |t| t.hostname.clone())
        })
    };
    view! {
        <section class="host" aria-label="Host">
            <header class="host-head">
                <h2>{title}</h2>
                <p class="muted">{subtitle}</p>
                <Show when=move || silent.get().is_some()>
                    <Badge tone=Tone::Warn>
                        {move || format!("no news for {}", span(silent.get().unwrap_or_default()))}
                    </Badge>
                </Show>
            </header>
            <Show when=move || there.get() fallback=Nothing>
                <Metric
                    title="CPU"
                    value=|t| format!("{:.0} %", t.cpu.percent)
                    note=|t| match t.cpu.cores.len() {
                        1 => "1 core".to_owned(),
                        n => format!("{n} cores"),
                    }
                    lines=&[("CPU", "--series-1", |t| t.cpu.percent)]
                    unit=Unit::Percent
                />
                <Metric
                    title="Memory"
                    value=|t| format!("{:.0} %", percent(t.memory.used, t.memory.total))
                    note=|t| format!("{} of {}", bytes(t.memory.used), bytes(t.memory.total))
                    lines=&[("Memory", "--series-3", |t| percent(t.memory.used, t.memory.total))]
                    unit=Unit::Percent
                />
                <Metric
                    title="Network"
                    value=|t| format!("↓ {}/s", bytes(t.network.received))
                    note=|t| format!("↑ {}/s", bytes(t.network.sent))
                    lines=&[
                        ("Received", "--series-1", |t| t.network.received),
                        ("Sent", "--series-2", |t| t.network.sent),
                    ]
                    unit=Unit::BytesPerSecond
                />
                <Metric
                    title="Disk"
                    value=|t| format!("{:.0} % full", percent(t.disk.used, t.disk.total))
                    note=|t| format!("r {}/s · w {}/s", bytes(t.disk.read), bytes(t.disk.written))
                    lines=&[
                        ("Read", "--series-4", |t| t.disk.read),
                        ("Written", "--series-2", |t| t.disk.written),
                    ]
                    unit=Unit::BytesPerSecond
                />
            </Show>
        </section>
    }
}

type Line = (&'static str, &'static str, fn(&Telemetry) -> f64);

#[component]
fn Metric(
    title: &'static str,
    value: fn(&Telemetry) -> String,
    note: fn(&Telemetry) -> String,
    lines: &'static [Line],
    unit: Unit,
) -> impl IntoView {
    let live = use_live();
    let read = move |f: fn(&Telemetry) -> String| {
        move || {
            live.host
                .with(|log| log.latest().map(f).unwrap_or_default())
        }
    };
    let data = Memo::new(move |_| {
        let values: Vec<fn(&Telemetry) -> f64> = lines.iter().map(|line| line.2).collect();
        live.host.with(|log: &HostLog| log.chart(&values))
    });
    let series = lines
        .iter()
        .map(|(title, colour, _)| Series {
            title,
            colour,
            filled: lines.len() == 1,
        })
        .collect::<Vec<_>>();
    view! {
        <div class="metric">
            <div class="metric-head">
                <h3>{title}</h3>
                <span class="metric-note muted">{read(note)}</span>
                <span class="metric-value">{read(value)}</span>
            </div>
            <Chart label=format!("{title} over five minutes") series unit data height=104/>
        </div>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    let live = use_live();
    let link = use_page_connection().link;
    move || match (live.host_health.get(), link.get()) {
        (Health::Refused(reason), _) => view! {
            <EmptyState title="The gateway does not let this page in" icon=Shape::Lock>
                <p>{format!("Its reason: {reason}.")}</p>
            </EmptyState>
        }
        .into_any(),
        (Health::Unreadable(error), _) => view! {
            <EmptyState title="What arrives cannot be read" icon=Shape::Alert>
                <p>{error}</p>
            </EmptyState>
        }
        .into_any(),
        (_, Link::Open) => view! {
            <EmptyState title="No host plugin is publishing" icon=Shape::Host>
                <p>"Its charts appear here once it runs:"</p>
                <p>
                    <code>"tidegate-host"</code>
                </p>
            </EmptyState>
        }
        .into_any(),
        (_, Link::Connecting) => view! {
            <EmptyState title="Connecting to the gateway…" icon=Shape::Clock>
                <p>"The machine's figures appear here."</p>
            </EmptyState>
        }
        .into_any(),
        _ => view! {
            <EmptyState title="No connection to the gateway" icon=Shape::Offline>
                <p>"The page tries again by itself."</p>
            </EmptyState>
        }
        .into_any(),
    }
}

fn percent(used: f64, total: f64) -> f64 {
    if total > 0.0 {
        used / total * 100.0
    } else {
        0.0
    }
}
