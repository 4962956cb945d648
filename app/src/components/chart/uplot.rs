//! The chart in the browser: creates, feeds, resizes and re-themes one uPlot.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

use super::{ChartData, Series, Unit, in_words};
use crate::browser::{self, call, get, set};

const SCRIPT: &str = "/vendor/uplot/uPlot.iife.min.js";
const STYLE: &str = "/vendor/uplot/uPlot.min.css";

type Format = Closure<dyn Fn(JsValue, JsValue, JsValue, JsValue) -> JsValue>;
type Range = Closure<dyn Fn(JsValue, f64, f64) -> Array>;
type AxisFormat = Closure<dyn Fn(JsValue, Array) -> Array>;

/// The shortest time that a chart shows, in seconds.
const LEAST_SPAN: f64 = 60.0;

/// A uPlot and the closures that it calls.
struct Plot {
    plot: JsValue,
    _formats: Vec<Format>,
    _axes: Vec<AxisFormat>,
    _span: Range,
}

impl Drop for Plot {
    fn drop(&mut self) {
        // A plot that cannot be destroyed is already gone from the document.
        let _ = call(&self.plot, "destroy", &[]);
    }
}

/// Keeps a plot of `data` in `frame` for as long as the component lives.
pub(super) fn attach(
    frame: NodeRef<html::Div>,
    series: Vec<Series>,
    unit: Unit,
    utc: bool,
    data: Signal<ChartData>,
    height: u32,
) {
    let plot: Rc<RefCell<Option<Plot>>> = Rc::default();
    let width = RwSignal::new(0.0_f64);
    let ready = RwSignal::new(false);
    let theme = RwSignal::new(0_u32);

    spawn_local(async move {
        // Without the library the frame stays empty; the values stand beside it in words.
        let style = browser::load_style(STYLE).await;
        if style.and(browser::load_script(SCRIPT, false).await).is_ok() {
            ready.try_set(true);
        }
    });
    browser::on_theme_change(move || {
        theme.try_update(|n| *n += 1);
    });
    Effect::new(move |_| {
        if let Some(element) = frame.get() {
            browser::on_resize(&element, move |w, _| {
                width.try_set(w);
            });
        }
    });
    // A hidden frame has no width; a plot made there would stay empty.
    let visible = Memo::new(move |_| width.get() > 0.0);
    let made = Rc::clone(&plot);
    Effect::new(move |_| {
        theme.track();
        let Some(element) = frame.get() else { return };
        if ready.get() && visible.get() {
            // The old plot leaves the frame before the new one enters.
            made.borrow_mut().take();
            let new = make(
                &element,
                &series,
                unit,
                utc,
                width.get_untracked(),
                height,
                &data.get_untracked(),
            );
            *made.borrow_mut() = new.ok();
        }
    });
    let sized = Rc::clone(&plot);
    Effect::new(move |_| {
        let width = width.get();
        if let Some(plot) = sized.borrow().as_ref() {
            let _ = call(&plot.plot, "setSize", &[size(width, height).into()]);
        }
    });
    let fed = Rc::clone(&plot);
    Effect::new(move |_| {
        data.with(|data| {
            if let Some(plot) = fed.borrow().as_ref() {
                let _ = call(&plot.plot, "setData", &[columns(data).into()]);
            }
        });
    });
    browser::on_local_cleanup(move || {
        plot.borrow_mut().take();
    });
}

fn size(width: f64, height: u32) -> Object {
    let size = Object::new();
    set(&size, "width", width);
    set(&size, "height", height);
    size
}

/// uPlot's form of the data: an array of columns, time in seconds first.
fn columns(data: &ChartData) -> Array {
    let out = Array::new();
    out.push(
        &data
            .time
            .iter()
            .map(|t| JsValue::from_f64(t / 1000.0))
            .collect::<Array>(),
    );
    for line in &data.lines {
        let line: Array = line
            .iter()
            .map(|v| v.map_or(JsValue::NULL, JsValue::from_f64))
            .collect();
        out.push(&line);
    }
    out
}

fn make(
    frame: &Element,
    series: &[Series],
    unit: Unit,
    utc: bool,
    width: f64,
    height: u32,
    data: &ChartData,
) -> Result<Plot, JsValue> {
    let mut formats: Vec<Format> = Vec::new();
    let options = size(width, height);

    // The first series is the time.
    let lines = Array::of1(&time_series(utc, &mut formats));
    for one in series {
        lines.push(&line(one, unit, &mut formats));
    }
    set(&options, "series", lines);

    let mut axis_formats = Vec::new();
    let axis = AxisFormat::new(move |_, splits: Array| {
        splits
            .iter()
            .map(|v| JsValue::from(v.as_f64().map(|v| in_words(v, unit))))
            .collect()
    });
    let grid = browser::token("--line");
    let text = browser::token("--text-muted");
    let axes = Array::new();
    for vertical in [false, true] {
        let it = Object::new();
        set(&it, "stroke", text.as_str());
        set(&it, "font", "11px system-ui, sans-serif");
        let lines = Object::new();
        set(&lines, "stroke", grid.as_str());
        set(&lines, "width", 1);
        set(&it, "grid", &lines);
        set(&it, "ticks", &lines);
        if vertical {
            set(&it, "size", axis_width(unit));
            set(&it, "space", 22);
            set(&it, "values", axis.as_ref());
            if matches!(unit, Unit::Bytes | Unit::BytesPerSecond) {
                // Lines at round numbers of KiB and MiB, not of thousands.
                let steps: Array = (0..50)
                    .map(|n| JsValue::from_f64(f64::from(n).exp2()))
                    .collect();
                set(&it, "incrs", steps);
            }
        } else {
            set(&it, "size", 26);
            set(&it, "space", 60);
            let moments = AxisFormat::new(move |_, splits: Array| {
                splits.iter().map(|s| moment(&s, utc)).collect()
            });
            set(&it, "values", moments.as_ref());
            axis_formats.push(moments);
        }
        axes.push(&it);
    }
    set(&options, "axes", axes);

    let scales = Object::new();
    let y = Object::new();
    let range = Array::of2(&JsValue::from_f64(0.0), &JsValue::from_f64(100.0));
    if unit == Unit::Percent {
        set(&y, "range", range);
    } else {
        // From zero up, with room above; a flat zero line still has a scale.
        let range = Object::new();
        for (side, pad) in [("min", 0.0), ("max", 0.1)] {
            let rule = Object::new();
            set(&rule, "pad", pad);
            set(&rule, "soft", if side == "min" { 0.0 } else { 1.0 });
            set(&rule, "mode", 1);
            set(&range, side, rule);
        }
        set(&y, "range", range);
    }
    set(&scales, "y", y);
    let x = Object::new();
    let span = Range::new(|_, min: f64, max: f64| {
        // Few points must not be stretched: a minute is the least, and now when there is none.
        let end = if max.is_finite() {
            max
        } else {
            js_sys::Date::now() / 1000.0
        };
        let start = if min.is_finite() { min } else { end };
        Array::of2(&start.min(end - LEAST_SPAN).into(), &end.into())
    });
    set(&x, "range", span.as_ref());
    set(&scales, "x", x);
    set(&options, "scales", scales);

    let cursor = Object::new();
    let drag = Object::new();
    set(&drag, "x", false);
    set(&drag, "y", false);
    set(&cursor, "drag", drag);
    set(&cursor, "y", false);
    set(&options, "cursor", cursor);

    let constructor: Function = get(&window(), "uPlot").dyn_into()?;
    let args = Array::of3(&options, &columns(data), frame);
    let plot = Reflect::construct(&constructor, &args)?;
    axis_formats.push(axis);
    Ok(Plot {
        plot,
        _formats: formats,
        _axes: axis_formats,
        _span: span,
    })
}

/// Room for the longest words of the unit, in CSS pixels.
fn axis_width(unit: Unit) -> u32 {
    match unit {
        Unit::Percent => 52,
        Unit::Plain => 56,
        Unit::Feet | Unit::Knots => 68,
        Unit::Bytes => 72,
        Unit::BytesPerSecond => 82,
    }
}

/// A time of day, in seconds since 1970: of the recording in UTC, else of the visitor's clock.
fn moment(seconds: &JsValue, utc: bool) -> JsValue {
    let Some(seconds) = seconds.as_f64() else {
        return JsValue::from_str("");
    };
    let ms = seconds * 1000.0;
    let offset = if utc {
        0.0
    } else {
        js_sys::Date::new(&JsValue::from_f64(ms)).get_timezone_offset() * 60_000.0
    };
    crate::format::clock_utc(ms - offset).into()
}

fn time_series(utc: bool, formats: &mut Vec<Format>) -> Object {
    let it = Object::new();
    let format = Format::new(move |_, value: JsValue, _, _| moment(&value, utc));
    set(&it, "value", format.as_ref());
    set(&it, "label", "Time");
    formats.push(format);
    it
}

fn line(series: &Series, unit: Unit, formats: &mut Vec<Format>) -> Object {
    let it = Object::new();
    let colour = browser::token(series.colour);
    set(&it, "label", series.title);
    set(&it, "width", 1.5);
    set(&it, "stroke", colour.as_str());
    if series.filled {
        // Tokens are six-digit hex colours: two more digits are the alpha.
        set(&it, "fill", format!("{colour}26"));
    }
    let points = Object::new();
    set(&points, "show", false);
    set(&it, "points", points);
    // Without a cursor there is no value, and the legend shows the names alone.
    let format = Format::new(move |_, value: JsValue, _, _| {
        value
            .as_f64()
            .map_or_else(|| "".into(), |v| in_words(v, unit).into())
    });
    set(&it, "value", format.as_ref());
    formats.push(format);
    it
}
