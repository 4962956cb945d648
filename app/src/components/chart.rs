//! A line chart over time with axes, cursor and legend, drawn by uPlot.
//!
//! The server renders the frame at its final height; the browser loads uPlot once, from this
//! gateway, and fills it. Colours come from the style sheet's tokens and follow the theme.

use leptos::html;
use leptos::prelude::*;

#[cfg(feature = "hydrate")]
mod uplot;

/// Height of the legend below several lines, in CSS pixels.
const LEGEND: u32 = 24;

/// How the values of an axis are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unit {
    /// As they are.
    #[default]
    Plain,
    /// With a percent sign; the axis goes from 0 to 100.
    Percent,
    /// In KiB, MiB, GiB.
    Bytes,
    /// In KiB/s, MiB/s.
    BytesPerSecond,
    /// In feet.
    Feet,
    /// In knots.
    Knots,
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// Its name in the legend.
    pub title: &'static str,
    /// The custom property that holds its colour, for instance `--series-1`.
    pub colour: &'static str,
    /// Whether the area below it is tinted.
    pub filled: bool,
}

/// What a chart shows: one time (milliseconds since 1970) per point, one list per line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChartData {
    /// Ascending.
    pub time: Vec<f64>,
    /// As long as `time`, each; `None` is a gap.
    pub lines: Vec<Vec<Option<f64>>>,
}

/// `<Chart label="CPU" series=vec![..] unit=Unit::Percent data=data/>`
#[component]
pub fn Chart(
    /// What it shows, for those who do not see it.
    #[prop(into)]
    label: String,
    /// Its lines.
    series: Vec<Series>,
    /// How values are written.
    #[prop(optional)]
    unit: Unit,
    /// What it shows.
    #[prop(into)]
    data: Signal<ChartData>,
    /// Height of the plot in CSS pixels; several lines add a legend below it.
    #[prop(default = 140)]
    height: u32,
    /// Whether times are shown in UTC, as recordings have them, or by the visitor's clock.
    #[prop(optional)]
    utc: bool,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let several = series.len() > 1;
    let frame_height = height + if several { LEGEND } else { 0 };
    #[cfg(feature = "hydrate")]
    uplot::attach(frame, series, unit, utc, data, height);
    #[cfg(not(feature = "hydrate"))]
    let _ = (series, unit, utc, data);
    view! {
        <div
            class="chart"
            role="img"
            aria-label=label
            node_ref=frame
            data-several=several.to_string()
            style:height=format!("{frame_height}px")
        ></div>
    }
}

/// A value in its unit, as axis and legend write it.
pub fn in_words(value: f64, unit: Unit) -> String {
    match unit {
        // An axis over a few events has marks between the whole numbers.
        Unit::Plain if value.abs() < 10.0 && value.fract() != 0.0 => format!("{value:.1}"),
        Unit::Plain => crate::format::grouped(value.round() as i64),
        Unit::Percent => format!("{value:.0} %"),
        Unit::Bytes => crate::format::bytes(value),
        Unit::BytesPerSecond => format!("{}/s", crate::format::bytes(value)),
        Unit::Feet => format!("{} ft", crate::format::grouped(value.round() as i64)),
        Unit::Knots => format!("{} kt", crate::format::grouped(value.round() as i64)),
    }
}
