//! MapLibre GL JS as this page uses it: one map of land and borders, north always up.
//!
//! The library and the outlines come from this gateway. Only what the page needs is bound, by
//! name, because the library is loaded when the page is and not before.

use std::cell::RefCell;

use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlCanvasElement, HtmlElement};

use super::projection::View;
use super::state::MapState;
use super::traffic::Bounds;
use crate::browser::{call, get, load_script, load_style, prefers_reduced_motion, set, token};

const SCRIPT: &str = "/maplibre.js";
const STYLE: &str = "/vendor/maplibre-gl/maplibre-gl.css";
const OUTLINES: &str = "/map/europe_ne50m.geojson";

/// Where the outlines end: west, south, east, north.
const EDGES: [f64; 4] = [-11.9, 38.1, 24.9, 59.9];
/// What the map shows at first: the surroundings of Paris.
const START: Bounds = Bounds {
    west: 0.6,
    south: 47.6,
    east: 4.3,
    north: 50.1,
};

fn corners(bounds: Bounds) -> Array {
    let pair = |a: f64, b: f64| Array::of2(&a.into(), &b.into());
    Array::of2(
        &pair(bounds.west, bounds.south),
        &pair(bounds.east, bounds.north),
    )
}

/// A map in the document. Dropping it takes it out.
pub(super) struct Map {
    map: JsValue,
    listeners: RefCell<Vec<Closure<dyn Fn(JsValue)>>>,
}

impl Drop for Map {
    fn drop(&mut self) {
        // A map that cannot be removed was never put in.
        let _ = call(&self.map, "remove", &[]);
    }
}

impl Map {
    /// Loads the library and puts a map into `container`; says why it cannot.
    pub(super) async fn load(container: &HtmlElement) -> Result<Self, MapState> {
        if !has_webgl() {
            return Err(MapState::NoWebGl);
        }
        let failed = |error: JsValue| MapState::Failed(reason(&error));
        load_style(STYLE).await.map_err(failed)?;
        load_script(SCRIPT, true).await.map_err(failed)?;
        let constructor: Function = get(&get(&window(), "maplibregl"), "Map")
            .dyn_into()
            .map_err(failed)?;
        let map =
            Reflect::construct(&constructor, &Array::of1(&options(container))).map_err(failed)?;
        // Turning and tilting stay off for fingers and keys as well.
        for handler in ["touchZoomRotate", "keyboard"] {
            call(&get(&map, handler), "disableRotation", &[]).map_err(failed)?;
        }
        Ok(Self {
            map,
            listeners: RefCell::default(),
        })
    }

    /// Calls `f` with each event of this name for as long as the map is there.
    pub(super) fn on(&self, event: &str, f: impl Fn(JsValue) + 'static) {
        let listener = Closure::<dyn Fn(JsValue)>::new(f);
        // Adding a listener cannot fail.
        let _ = call(&self.map, "on", &[event.into(), listener.as_ref().clone()]);
        self.listeners.borrow_mut().push(listener);
    }

    /// What the map shows on a canvas of this size.
    pub(super) fn view(&self, width: f64, height: f64) -> View {
        let number = |value: JsValue| value.as_f64().unwrap_or_default();
        let centre = call(&self.map, "getCenter", &[]).unwrap_or_default();
        let zoom = call(&self.map, "getZoom", &[]).unwrap_or_default();
        View::new(
            number(get(&centre, "lat")),
            number(get(&centre, "lng")),
            number(zoom),
            width,
            height,
        )
    }

    /// One step closer or further.
    pub(super) fn zoom(&self, closer: bool) {
        let _ = call(&self.map, if closer { "zoomIn" } else { "zoomOut" }, &[]);
    }

    /// Brings a place into the middle of what a panel of `covered` pixels at the bottom leaves.
    pub(super) fn centre(&self, latitude: f64, longitude: f64, covered: f64) {
        let camera = Object::new();
        set(
            &camera,
            "center",
            Array::of2(&longitude.into(), &latitude.into()),
        );
        set(
            &camera,
            "offset",
            Array::of2(&0.0.into(), &(-covered / 2.0).into()),
        );
        set(
            &camera,
            "duration",
            if prefers_reduced_motion() { 0.0 } else { 500.0 },
        );
        let _ = call(&self.map, "easeTo", &[camera.into()]);
    }

    /// Shows all of a part of the world.
    pub(super) fn fit(&self, bounds: Bounds, covered: f64, animated: bool) {
        let how = Object::new();
        let padding = Object::new();
        for (side, pixels) in [
            ("top", 56.0),
            ("bottom", 56.0 + covered),
            ("left", 40.0),
            ("right", 56.0),
        ] {
            set(&padding, side, pixels);
        }
        set(&how, "padding", padding);
        set(&how, "maxZoom", 9.0);
        let animated = animated && !prefers_reduced_motion();
        set(&how, "duration", if animated { 600.0 } else { 0.0 });
        let _ = call(
            &self.map,
            "fitBounds",
            &[corners(bounds).into(), how.into()],
        );
    }

    /// Takes the colours of the theme that holds now.
    pub(super) fn retheme(&self) {
        for Layer {
            id,
            colour: (property, colour),
            ..
        } in LAYERS
        {
            let args = [id.into(), property.into(), token(colour).into()];
            let _ = call(&self.map, "setPaintProperty", &args);
        }
    }

    /// Shows that what is under the pointer can be chosen.
    pub(super) fn point(&self, at_something: bool) {
        if let Ok(canvas) = call(&self.map, "getCanvas", &[])
            && let Ok(canvas) = canvas.dyn_into::<HtmlCanvasElement>()
        {
            let cursor = if at_something { "pointer" } else { "" };
            let _ = canvas.style().set_property("cursor", cursor);
        }
    }
}

/// A layer of the map, from the bottom up.
struct Layer {
    id: &'static str,
    kind: &'static str,
    source: Option<&'static str>,
    /// The property that has a colour, and the token that gives it.
    colour: (&'static str, &'static str),
    /// Properties with a number.
    numbers: &'static [(&'static str, f64)],
}

const LAYERS: [Layer; 5] = [
    Layer {
        id: "sea",
        kind: "background",
        source: None,
        colour: ("background-color", "--map-sea"),
        numbers: &[],
    },
    Layer {
        id: "land",
        kind: "fill",
        source: Some("outlines"),
        colour: ("fill-color", "--map-land"),
        numbers: &[],
    },
    Layer {
        id: "degrees",
        kind: "line",
        source: Some("degrees"),
        colour: ("line-color", "--map-degrees"),
        numbers: &[("line-width", 1.0)],
    },
    // Below the borders, so that only its outer half shows along the sea.
    Layer {
        id: "coast",
        kind: "line",
        source: Some("outlines"),
        colour: ("line-color", "--map-coast"),
        numbers: &[("line-width", 3.0), ("line-opacity", 0.35)],
    },
    Layer {
        id: "borders",
        kind: "line",
        source: Some("outlines"),
        colour: ("line-color", "--map-border"),
        numbers: &[("line-width", 1.0)],
    },
];

fn options(container: &HtmlElement) -> Object {
    let options = Object::new();
    set(&options, "container", container);
    set(&options, "style", style());
    set(&options, "bounds", corners(START));
    let [west, south, east, north] = EDGES;
    set(
        &options,
        "maxBounds",
        corners(Bounds {
            west,
            south,
            east,
            north,
        }),
    );
    set(&options, "minZoom", 3.0);
    set(&options, "maxZoom", 13.0);
    set(&options, "maxPitch", 0.0);
    for off in [
        "attributionControl",
        "dragRotate",
        "pitchWithRotate",
        "touchPitch",
        "renderWorldCopies",
    ] {
        set(&options, off, false);
    }
    let words = Object::new();
    set(
        &words,
        "Map.Title",
        "Map of the air traffic; arrow keys move it, plus and minus zoom",
    );
    set(&options, "locale", words);
    options
}

/// Sea, land, whole degrees, coast and borders. No names: they would need fonts.
fn style() -> Object {
    let sources = Object::new();
    for (name, data) in [
        ("outlines", JsValue::from_str(OUTLINES)),
        ("degrees", whole_degrees().into()),
    ] {
        let source = Object::new();
        set(&source, "type", "geojson");
        set(&source, "data", data);
        set(&sources, name, source);
    }

    let layers = Array::new();
    for Layer {
        id,
        kind,
        source,
        colour: (property, colour),
        numbers,
    } in LAYERS
    {
        let layer = Object::new();
        let paint = Object::new();
        set(&layer, "id", id);
        set(&layer, "type", kind);
        if let Some(source) = source {
            set(&layer, "source", source);
        }
        set(&paint, property, token(colour));
        for (name, number) in numbers {
            set(&paint, name, *number);
        }
        set(&layer, "paint", paint);
        layers.push(&layer);
    }

    let style = Object::new();
    set(&style, "version", 8);
    set(&style, "sources", sources);
    set(&style, "layers", layers);
    style
}

/// Meridians and parallels, one per degree: they show how large things are.
fn whole_degrees() -> Object {
    let point = |longitude: f64, latitude: f64| Array::of2(&longitude.into(), &latitude.into());
    let [west, south, east, north] = EDGES.map(f64::round);
    let lines = Array::new();
    for longitude in west as i32..=east as i32 {
        let longitude = f64::from(longitude);
        lines.push(&Array::of2(
            &point(longitude, south),
            &point(longitude, north),
        ));
    }
    for latitude in south as i32..=north as i32 {
        let latitude = f64::from(latitude);
        lines.push(&Array::of2(&point(west, latitude), &point(east, latitude)));
    }
    let geometry = Object::new();
    set(&geometry, "type", "MultiLineString");
    set(&geometry, "coordinates", lines);
    geometry
}

fn has_webgl() -> bool {
    document()
        .create_element("canvas")
        .ok()
        .and_then(|canvas| canvas.dyn_into::<HtmlCanvasElement>().ok())
        .and_then(|canvas| canvas.get_context("webgl2").ok().flatten())
        .is_some()
}

fn reason(error: &JsValue) -> String {
    get(error, "message")
        .as_string()
        .unwrap_or_else(|| "a file of the map could not be loaded".to_owned())
}
