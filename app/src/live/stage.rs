//! Map and canvas at work: draws when something moves or changes, and takes clicks.
//!
//! While the map's own camera moves, the canvas is drawn inside the map's frame, so that aircraft
//! never swim over the land. Otherwise pictures are as far apart as the fastest aircraft takes for
//! a quarter of a pixel, and none are drawn while nobody sees the page or nothing moves.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use web_sys::{HtmlCanvasElement, HtmlElement};

use super::feed::page_time;
use super::map::Map;
use super::paint::{Painter, Scene};
use super::projection::View;
use super::state::{Live, MapState};
use super::traffic;
use crate::browser::{
    call, get, on_local_cleanup, on_resize, on_theme_change, prefers_reduced_motion,
};

/// How far a click may miss, in CSS pixels.
const REACH: f64 = 16.0;
/// The same for a finger.
const REACH_TOUCH: f64 = 28.0;

/// About the time between two frames of a screen, in milliseconds.
const FRAME: f64 = 17.0;

struct Stage {
    live: Live,
    map: Map,
    painter: RefCell<Painter>,
    canvas: HtmlCanvasElement,
    size: Cell<(f64, f64)>,
    view: Cell<View>,
    hovered: RefCell<Option<Arc<str>>>,
    /// A picture is on its way.
    scheduled: Cell<bool>,
    /// The one after that waits for this; there is one at most.
    timer: Cell<Option<TimeoutHandle>>,
    /// The traffic has been brought into view once.
    framed: Cell<bool>,
    still: Cell<bool>,
    /// Mean milliseconds that a picture takes.
    cost: Cell<f64>,
}

/// Loads the map into `container` and draws on `canvas`, until the owner is cleaned up.
pub(crate) fn start(live: Live, container: NodeRef<html::Div>, canvas: NodeRef<html::Canvas>) {
    let slot: Rc<RefCell<Option<Rc<Stage>>>> = Rc::default();
    let gone = Rc::new(Cell::new(false));
    let started = Cell::new(false);
    let (filled, ended) = (Rc::clone(&slot), Rc::clone(&gone));
    // Listeners belong to the page, not to the task that makes them.
    let owner = Owner::current();
    Effect::new(move |_| {
        let (Some(container), Some(canvas)) = (container.get(), canvas.get()) else {
            return;
        };
        if started.replace(true) {
            return;
        }
        let (filled, ended, owner) = (Rc::clone(&filled), Rc::clone(&ended), owner.clone());
        spawn_local(async move {
            match load(live, &container, canvas).await {
                Ok(stage) if !ended.get() => {
                    let stage = Rc::new(stage);
                    match owner {
                        Some(owner) => owner.with(|| wire(&stage, &container)),
                        None => wire(&stage, &container),
                    }
                    *filled.borrow_mut() = Some(stage);
                }
                Ok(_) => {}
                Err(state) => {
                    live.map.try_set(state);
                }
            }
        });
    });
    on_local_cleanup(move || {
        gone.set(true);
        slot.borrow_mut().take();
    });
}

async fn load(
    live: Live,
    container: &HtmlElement,
    canvas: HtmlCanvasElement,
) -> Result<Stage, MapState> {
    let map = Map::load(container).await?;
    let painter = Painter::new(canvas.clone())
        .map_err(|_| MapState::Failed("the browser gives no canvas".to_owned()))?;
    Ok(Stage {
        live,
        map,
        painter: RefCell::new(painter),
        canvas,
        size: Cell::default(),
        view: Cell::default(),
        hovered: RefCell::default(),
        scheduled: Cell::new(false),
        timer: Cell::new(None),
        framed: Cell::new(false),
        still: Cell::new(prefers_reduced_motion()),
        cost: Cell::new(0.0),
    })
}

/// Lets the stage hear of everything that changes the picture. Listeners hold it weakly.
fn wire(stage: &Rc<Stage>, container: &HtmlElement) {
    let live = stage.live;
    let weak = Rc::downgrade(stage);
    let with = move |f: fn(&Rc<Stage>)| {
        let weak = weak.clone();
        move || {
            if let Some(stage) = weak.upgrade() {
                f(&stage);
            }
        }
    };
    let weak = Rc::downgrade(stage);
    let with_event = move |f: fn(&Rc<Stage>, &JsValue)| {
        let weak = weak.clone();
        move |event: JsValue| {
            if let Some(stage) = weak.upgrade() {
                f(&stage, &event);
            }
        }
    };

    stage.map.on("load", with_event(|stage, _| stage.loaded()));
    stage
        .map
        .on("render", with_event(|stage, _| stage.map_moved()));
    stage.map.on("click", with_event(Stage::clicked));
    stage.map.on("mousemove", with_event(Stage::pointed));

    let resized = Rc::downgrade(stage);
    on_resize(container, move |width, height| {
        if let Some(stage) = resized.upgrade() {
            stage.resized(width, height);
        }
    });
    on_theme_change(with(|stage| {
        stage.map.retheme();
        // A canvas that cannot be drawn on any more shows its last picture.
        let _ = stage.painter.borrow_mut().retheme();
        stage.schedule();
    }));

    let changed = with(|stage| stage.schedule());
    Effect::new(move |_| {
        live.selected.track();
        live.trails.track();
        live.labels.track();
        changed();
    });
    let news = with(|stage| {
        stage.frame_once();
        stage.schedule();
    });
    Effect::new(move |_| {
        live.fleet.track();
        news();
    });
    let centred = with(Stage::centre_selected);
    Effect::new(move |before: Option<u32>| {
        let now = live.centre.get();
        if before.is_some_and(|before| before != now) {
            centred();
        }
        now
    });
    let all = with(|stage| stage.show_all(true));
    Effect::new(move |before: Option<u32>| {
        let now = live.overview.get();
        if before.is_some_and(|before| before != now) {
            all();
        }
        now
    });
    let (closer, further) = (
        with(|stage| stage.map.zoom(true)),
        with(|stage| stage.map.zoom(false)),
    );
    Effect::new(move |before: Option<i32>| {
        let now = live.zoom.get();
        match before {
            Some(before) if now > before => closer(),
            Some(before) if now < before => further(),
            _ => {}
        }
        now
    });
    let seen = with(|stage| stage.schedule());
    let listener = window_event_listener_untyped("visibilitychange", move |_| seen());
    on_local_cleanup(move || listener.remove());
}

impl Stage {
    fn loaded(self: &Rc<Self>) {
        self.live.map.try_set(MapState::Ready);
        self.frame_once();
        self.schedule();
    }

    fn resized(self: &Rc<Self>, width: f64, height: f64) {
        self.size.set((width, height));
        let _ = self.painter.borrow_mut().resize(width, height);
        self.paint();
        self.schedule();
    }

    /// The map has drawn a frame: if its camera moved, the aircraft move along at once.
    fn map_moved(self: &Rc<Self>) {
        let (width, height) = self.size.get();
        if self.map.view(width, height) != self.view.get() {
            self.paint();
        }
    }

    /// Has a picture drawn at the next chance, and further ones while something moves.
    fn schedule(self: &Rc<Self>) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
        if self.scheduled.replace(true) {
            return;
        }
        let weak = Rc::downgrade(self);
        request_animation_frame(move || {
            let Some(stage) = weak.upgrade() else { return };
            stage.scheduled.set(false);
            stage.paint();
            stage.schedule_next();
        });
    }

    fn schedule_next(self: &Rc<Self>) {
        let Some(wait) = self.wait() else { return };
        if wait < FRAME {
            self.schedule();
            return;
        }
        let weak = Rc::downgrade(self);
        let again = move || {
            if let Some(stage) = weak.upgrade() {
                stage.schedule();
            }
        };
        let timer = set_timeout_with_handle(again, Duration::from_millis(wait as u64));
        self.timer.set(timer.ok());
    }

    /// How long until the next picture differs from this one; nothing when none will.
    fn wait(&self) -> Option<f64> {
        if document().hidden() {
            return None;
        }
        self.live.fleet.with_untracked(|fleet| {
            traffic::next_picture(fleet, page_time(), self.view.get().scale, !self.still.get())
        })
    }

    fn paint(&self) {
        let (width, height) = self.size.get();
        if width <= 0.0 || height <= 0.0 {
            return;
        }
        let view = self.map.view(width, height);
        self.view.set(view);
        let begun = page_time();
        let selected = self.live.selected.try_get_untracked().flatten();
        let hovered = self.hovered.borrow();
        let drawn = self.live.fleet.try_with_untracked(|fleet| {
            let scene = Scene {
                fleet,
                view,
                now: fleet.now(begun).unwrap_or_default(),
                moving: !self.still.get(),
                selected: selected.as_deref(),
                hovered: hovered.as_deref(),
                trails: self.live.trails.get_untracked(),
                labels: self.live.labels.get_untracked(),
            };
            self.painter.borrow_mut().paint(&scene).unwrap_or_default()
        });
        self.cost
            .set(self.cost.get() * 0.95 + (page_time() - begun) * 0.05);
        // For tests and for who wants to know: what is drawn, and what it costs.
        let _ = self
            .canvas
            .set_attribute("data-drawn", &drawn.unwrap_or_default().to_string());
        let _ = self
            .canvas
            .set_attribute("data-paint-ms", &format!("{:.2}", self.cost.get()));
    }

    fn hit(&self, event: &JsValue, reach: f64) -> Option<Arc<str>> {
        let point = get(event, "point");
        let (x, y) = (get(&point, "x").as_f64()?, get(&point, "y").as_f64()?);
        self.live.fleet.with_untracked(|fleet| {
            let now = fleet.now(page_time())?;
            fleet
                .at(&self.view.get(), (x, y), reach, now, !self.still.get())
                .map(|aircraft| Arc::clone(&aircraft.id))
        })
    }

    fn clicked(self: &Rc<Self>, event: &JsValue) {
        let kind = get(&get(event, "originalEvent"), "pointerType").as_string();
        let touch = matches!(kind.as_deref(), Some("touch" | "pen"));
        let hit = self.hit(event, if touch { REACH_TOUCH } else { REACH });
        self.live.selected.set(hit);
    }

    fn pointed(self: &Rc<Self>, event: &JsValue) {
        let hit = self.hit(event, REACH);
        if *self.hovered.borrow() != hit {
            self.map.point(hit.is_some());
            *self.hovered.borrow_mut() = hit;
            self.schedule();
        }
    }

    fn centre_selected(self: &Rc<Self>) {
        let Some(id) = self.live.selected.get_untracked() else {
            return;
        };
        let place = self.live.fleet.with_untracked(|fleet| {
            let now = fleet.now(page_time())?;
            fleet.get(&id).map(|a| a.place(now, !self.still.get()))
        });
        if let Some(place) = place {
            self.map
                .centre(place.latitude(), place.longitude(), covered());
        }
    }

    /// Brings the traffic into view when its first positions and the map are both there.
    fn frame_once(self: &Rc<Self>) {
        let ready = self
            .live
            .map
            .with_untracked(|state| *state == MapState::Ready);
        let any = self
            .live
            .fleet
            .with_untracked(|fleet| !fleet.aircraft().is_empty());
        if ready && any && !self.framed.replace(true) {
            // Who has chosen one already wants to see that one.
            if self.live.selected.with_untracked(Option::is_some) {
                self.centre_selected();
            } else {
                self.show_all(false);
            }
        }
    }

    fn show_all(self: &Rc<Self>, animated: bool) {
        let bounds = self.live.fleet.with_untracked(traffic::bounds);
        if let Some(bounds) = bounds {
            self.map.fit(bounds, covered(), animated);
        }
    }
}

/// How many pixels of the map the bottom sheet of a narrow screen covers.
fn covered() -> f64 {
    let sheet = document()
        .query_selector(".live-panel[data-sheet]")
        .ok()
        .flatten();
    let Some(sheet) = sheet else { return 0.0 };
    let bottom = window()
        .get_computed_style(&sheet)
        .ok()
        .flatten()
        .and_then(|style| style.get_property_value("--sheet").ok())
        .is_some_and(|value| value.trim() == "1");
    if bottom {
        let rect = call(&sheet, "getBoundingClientRect", &[]).unwrap_or_default();
        get(&rect, "height").as_f64().unwrap_or_default()
    } else {
        0.0
    }
}
