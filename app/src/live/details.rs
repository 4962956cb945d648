//! The selected aircraft: its figures, and altitude and speed over time.

use leptos::prelude::*;

use super::altitude::Band;
use super::fleet::Aircraft;
use super::report::Report;
use super::state::use_live;
use crate::components::chart::{ChartData, Series, Unit};
use crate::components::{Badge, Chart, EmptyState, IconButton, Shape, Tone};
use crate::format::{MISSING, clock_utc, grouped};

/// A pause between reports of more than this many milliseconds is a gap in the line.
const GAP: f64 = 20_000.0;

/// Shown while an aircraft is selected; also when it has left, until it is closed.
#[component]
pub fn Details() -> impl IntoView {
    let live = use_live();
    let aircraft = Memo::new(move |_| {
        let id = live.selected.get()?;
        live.fleet.with(|fleet| fleet.get(&id).cloned())
    });
    let shown = Memo::new(move |_| live.selected.get().is_some());
    let there = Memo::new(move |_| aircraft.with(Option::is_some));
    let title = move || {
        aircraft.with(|a| match a {
            Some(a) => a.report.name().to_owned(),
            None => live
                .selected
                .get()
                .map(|id| id.to_string())
                .unwrap_or_default(),
        })
    };
    let subtitle = move || {
        live.selected
            .get()
            .map(|id| format!("Transponder {}", id.to_uppercase()))
    };

    view! {
        <section class="details" aria-label="Selected aircraft" hidden=move || !shown.get()>
            <header class="details-head">
                <div>
                    <h2 class="details-title">{title}</h2>
                    <p class="muted">{subtitle}</p>
                </div>
                <div class="details-actions">
                    <IconButton
                        label="Show on the map"
                        icon=Shape::Frame
                        on:click=move |_| live.centre.update(|n| *n += 1)
                    />
                    <IconButton
                        label="Close"
                        icon=Shape::Cross
                        on:click=move |_| live.selected.set(None)
                    />
                </div>
            </header>
            <Show
                when=move || there.get()
                fallback=move || {
                    view! {
                        <EmptyState title="It has left" icon=Shape::Clock>
                            <p>"No report has come for a minute of the recording."</p>
                        </EmptyState>
                    }
                }
            >
                <Figures aircraft/>
                <History aircraft/>
            </Show>
        </section>
    }
}

#[component]
fn Figures(aircraft: Memo<Option<Aircraft>>) -> impl IntoView {
    let live = use_live();
    let figure = move |title: &'static str, read: fn(&Report) -> Option<String>| {
        view! {
            <div class="figure">
                <dt>{title}</dt>
                <dd>
                    {move || {
                        aircraft
                            .with(|a| a.as_ref().and_then(|a| read(&a.report)))
                            .unwrap_or_else(|| MISSING.into())
                    }}
                </dd>
            </div>
        }
    };
    let age = Memo::new(move |_| {
        let now = live.fleet.with(|fleet| fleet.now(live.page_time.get()))?;
        aircraft.with(|a| a.as_ref().map(|a| (now - a.report.seen).max(0.0)))
    });
    let stale = Memo::new(move |_| age.get().is_some_and(|age| age > super::fleet::STALE));
    let band = Memo::new(move |_| aircraft.with(|a| a.as_ref().map(|a| Band::of(&a.report))));
    view! {
        <div class="row">
            <Show when=move || band.get() == Some(Band::Ground)>
                <Badge>"on the ground"</Badge>
            </Show>
            <Show when=move || stale.get()>
                <Badge tone=Tone::Warn>"no news"</Badge>
            </Show>
        </div>
        <dl class="figures">
            {figure("Altitude", |r| r.altitude.map(|v| format!("{} ft", grouped(v as i64))))}
            {figure("Speed", |r| r.groundspeed.map(|v| format!("{} kt", grouped(v as i64))))}
            {figure("Vertical rate", |r| r.vertical_rate.map(climb))}
            {figure("Track", |r| r.track.map(|v| format!("{v:.0}°")))}
            {figure("Squawk", |r| r.squawk.clone())}
            {figure("Position", |r| Some(format!("{:.3}, {:.3}", r.latitude, r.longitude)))}
            <div class="figure figure-wide">
                <dt>"Last report"</dt>
                <dd>
                    {move || {
                        let at = aircraft.with(|a| a.as_ref().map(|a| clock_utc(a.report.seen)));
                        match at.zip(age.get()) {
                            Some((at, age)) => {
                                format!("{at} UTC, {} s ago", (age / 1000.0) as u64)
                            }
                            None => MISSING.into(),
                        }
                    }}
                </dd>
            </div>
        </dl>
    }
}

fn climb(feet_per_minute: f64) -> String {
    let way = match feet_per_minute {
        v if v > 100.0 => "↑ ",
        v if v < -100.0 => "↓ ",
        _ => "",
    };
    format!("{way}{} ft/min", grouped(feet_per_minute.abs() as i64))
}

#[component]
fn History(aircraft: Memo<Option<Aircraft>>) -> impl IntoView {
    let altitude = Memo::new(move |_| {
        aircraft.with(|a| {
            a.as_ref()
                .map(|a| line(a, |p| p.altitude))
                .unwrap_or_default()
        })
    });
    let speed = Memo::new(move |_| {
        aircraft.with(|a| {
            a.as_ref()
                .map(|a| line(a, |p| p.groundspeed))
                .unwrap_or_default()
        })
    });
    view! {
        <div class="details-chart">
            <h3>"Altitude"</h3>
            <Chart
                label="Altitude over time"
                series=vec![Series { title: "Altitude", colour: "--series-1", filled: true }]
                unit=Unit::Feet
                data=altitude
                utc=true
                height=130
            />
        </div>
        <div class="details-chart">
            <h3>"Speed over ground"</h3>
            <Chart
                label="Speed over time"
                series=vec![Series { title: "Speed", colour: "--series-2", filled: true }]
                unit=Unit::Knots
                data=speed
                utc=true
                height=130
            />
        </div>
    }
}

/// One value of the history over time, with gaps where reports or the value are missing.
fn line(aircraft: &Aircraft, value: fn(&super::fleet::Past) -> Option<f32>) -> ChartData {
    let mut time = Vec::with_capacity(aircraft.history.len());
    let mut values = Vec::with_capacity(aircraft.history.len());
    let mut last: Option<f64> = None;
    for past in &aircraft.history {
        if let Some(last) = last.filter(|last| past.at - last > GAP) {
            time.push(last + 1.0);
            values.push(None);
        }
        last = Some(past.at);
        time.push(past.at);
        values.push(value(past).map(f64::from));
    }
    ChartData {
        time,
        lines: vec![values],
    }
}

#[cfg(test)]
mod tests {
    use super::super::fleet::Fleet;
    use super::super::fleet::tests::report;
    use super::super::report::Positions;
    use super::*;

    #[test]
    fn a_pause_in_the_reports_is_a_gap_in_the_chart() {
        let mut fleet = Fleet::default();
        for seen in [0.0, 4_000.0, 40_000.0] {
            let aircraft = vec![report("a", 48.0, seen)];
            fleet.apply(
                Positions {
                    time: seen,
                    restart: false,
                    aircraft,
                },
                seen,
            );
        }
        let data = line(fleet.get("a").unwrap(), |p| p.altitude);
        assert_eq!(data.time, [0.0, 4_000.0, 4_001.0, 40_000.0]);
        assert_eq!(data.lines[0][2], None);
    }

    #[test]
    fn a_climb_has_a_direction_and_no_sign() {
        assert_eq!(climb(-1664.0), "↓ 1\u{202f}664 ft/min");
        assert_eq!(climb(64.0), "64 ft/min");
    }
}
