//! The canvas over the map: every aircraft, its trail and its name.
//!
//! An aircraft costs two calls into the browser, a transform and a copy of a sprite; trails cost
//! one stroke per colour. Places are projected here.

use std::f64::consts::TAU;

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::altitude::Band;
use super::fleet::{Aircraft, Fleet, HISTORY};
use super::places::PLACES;
use super::projection::{View, World};
use super::room::Room;
use super::sprites::{CELL, Sprites, context_of, scale};
use super::trail::Trails;
use crate::browser::token;

/// About how wide a character of a name is, in CSS pixels.
const NAME_CHAR: f64 = 8.2;
/// The most names in a picture.
const NAMES: usize = 400;

/// What to draw.
pub(super) struct Scene<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) view: View,
    /// The recording's time.
    pub(super) now: f64,
    /// Whether aircraft are shown between their reports, or at them.
    pub(super) moving: bool,
    pub(super) selected: Option<&'a str>,
    pub(super) hovered: Option<&'a str>,
    pub(super) trails: bool,
    pub(super) labels: bool,
}

/// A canvas and all that is kept from picture to picture.
pub(super) struct Painter {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    sprites: Sprites,
    ratio: f64,
    /// One per band.
    colours: Vec<String>,
    edge: String,
    text: String,
    muted: String,
    accent: String,
    trails: Trails,
}

impl Painter {
    pub(super) fn new(canvas: HtmlCanvasElement) -> Result<Self, JsValue> {
        let context = context_of(&canvas)?;
        let mut it = Self {
            canvas,
            context,
            sprites: Sprites::new()?,
            ratio: 1.0,
            colours: Vec::new(),
            edge: String::new(),
            text: String::new(),
            muted: String::new(),
            accent: String::new(),
            trails: Trails::default(),
        };
        it.retheme()?;
        Ok(it)
    }

    /// Fits the canvas to its place on the screen, in CSS pixels.
    pub(super) fn resize(&mut self, width: f64, height: f64) -> Result<(), JsValue> {
        let ratio = window().device_pixel_ratio().clamp(1.0, 3.0);
        self.canvas.set_width((width * ratio).round() as u32);
        self.canvas.set_height((height * ratio).round() as u32);
        if ratio != self.ratio {
            self.ratio = ratio;
            self.sprites.draw(self.ratio, &self.colours, &self.edge)?;
        }
        Ok(())
    }

    /// Takes the colours of the theme that holds now.
    pub(super) fn retheme(&mut self) -> Result<(), JsValue> {
        self.colours = Band::ALL.iter().map(|band| token(band.token())).collect();
        self.edge = token("--aircraft-edge");
        self.text = token("--aircraft-label");
        self.muted = token("--text-muted");
        self.accent = token("--accent");
        self.sprites.draw(self.ratio, &self.colours, &self.edge)
    }

    /// Draws everything; says how many aircraft were in sight.
    pub(super) fn paint(&mut self, scene: &Scene<'_>) -> Result<usize, JsValue> {
        self.reset()?;
        self.context
            .clear_rect(0.0, 0.0, scene.view.width, scene.view.height);
        self.paint_places(scene)?;
        self.paint_trails(scene);
        let drawn = self.paint_aircraft(scene)?;
        self.reset()?;
        self.paint_names(scene)?;
        Ok(drawn)
    }

    /// From device pixels to CSS pixels, solid.
    fn reset(&self) -> Result<(), JsValue> {
        self.context.set_global_alpha(1.0);
        self.context
            .set_transform(self.ratio, 0.0, 0.0, self.ratio, 0.0, 0.0)
    }

    fn paint_aircraft(&self, scene: &Scene<'_>) -> Result<usize, JsValue> {
        let size = scale(scene.view.scale);
        let mut alpha = 1.0;
        let mut drawn = 0;
        for aircraft in scene.fleet.aircraft() {
            let at = scene
                .view
                .to_screen(aircraft.place(scene.now, scene.moving));
            if !scene.view.shows(at, CELL) {
                continue;
            }
            drawn += 1;
            let presence = aircraft.presence(scene.now);
            if presence != alpha {
                self.context.set_global_alpha(presence);
                alpha = presence;
            }
            let selected = scene.selected == Some(&*aircraft.id);
            if selected {
                self.reset()?;
                self.ring(at, 17.0 * size.max(0.8));
                self.context.set_global_alpha(alpha);
            }
            let heading = if scene.moving {
                aircraft.motion.heading(scene.now)
            } else {
                aircraft.report.track
            };
            let (sin, cos) = heading.unwrap_or(0.0).to_radians().sin_cos();
            let factor = self.ratio * if selected { size.max(0.9) * 1.15 } else { size };
            self.context.set_transform(
                cos * factor,
                sin * factor,
                -sin * factor,
                cos * factor,
                at.0 * self.ratio,
                at.1 * self.ratio,
            )?;
            self.sprites
                .copy(&self.context, Band::of(&aircraft.report), heading.is_none())?;
        }
        Ok(drawn)
    }

    fn ring(&self, (x, y): (f64, f64), radius: f64) {
        self.context.begin_path();
        // An arc of a positive radius cannot fail.
        let _ = self.context.arc(x, y, radius, 0.0, TAU);
        self.context.set_stroke_style_str(&self.edge);
        self.context.set_line_width(5.0);
        self.context.stroke();
        self.context.set_stroke_style_str(&self.accent);
        self.context.set_line_width(2.5);
        self.context.stroke();
    }

    fn paint_trails(&mut self, scene: &Scene<'_>) {
        self.context.set_line_cap("round");
        let Scene {
            fleet,
            view,
            now,
            moving,
            ..
        } = scene;
        if scene.trails {
            let share = Trails::share(fleet.aircraft().len());
            for aircraft in fleet.aircraft() {
                self.trails.add(aircraft, view, *now, *moving, share);
            }
            self.stroke_trails(1.5, 0.55);
        }
        if let Some(aircraft) = scene.selected.and_then(|id| fleet.get(id)) {
            self.trails.add(aircraft, view, *now, *moving, HISTORY);
            self.stroke_trails(2.5, 0.95);
        }
        self.context.set_global_alpha(1.0);
    }

    fn stroke_trails(&mut self, width: f64, alpha: f64) {
        self.context.set_global_alpha(alpha);
        self.context.set_line_width(width);
        for (pieces, colour) in self.trails.by_band().zip(&self.colours) {
            if pieces.is_empty() {
                continue;
            }
            self.context.begin_path();
            for [x0, y0, x1, y1] in pieces.drain(..) {
                self.context.move_to(f64::from(x0), f64::from(y0));
                self.context.line_to(f64::from(x1), f64::from(y1));
            }
            self.context.set_stroke_style_str(colour);
            self.context.stroke();
        }
    }

    fn paint_names(&self, scene: &Scene<'_>) -> Result<(), JsValue> {
        let mut room = Room::default();
        // The selected and the pointed-at one come first, so that nothing takes their place.
        let special: Vec<&Aircraft> = [scene.selected, scene.hovered]
            .into_iter()
            .flatten()
            .filter_map(|id| scene.fleet.get(id))
            .collect();
        for aircraft in &special {
            self.name(aircraft, scene, &mut room, true)?;
        }
        if scene.labels {
            for aircraft in scene.fleet.aircraft() {
                if room.taken() >= NAMES {
                    break;
                }
                if !special.iter().any(|s| s.id == aircraft.id) {
                    self.name(aircraft, scene, &mut room, false)?;
                }
            }
        }
        Ok(())
    }

    /// Writes a name beside an aircraft, where there is room or it must be.
    fn name(
        &self,
        aircraft: &Aircraft,
        scene: &Scene<'_>,
        room: &mut Room,
        always: bool,
    ) -> Result<(), JsValue> {
        let (x, y) = scene
            .view
            .to_screen(aircraft.place(scene.now, scene.moving));
        if !scene.view.shows((x, y), 0.0) {
            return Ok(());
        }
        let mut text = aircraft.report.name().to_owned();
        if always && let Some(feet) = aircraft.report.altitude {
            text.push_str(&format!("  {} ft", crate::format::grouped(feet as i64)));
        }
        let (x, y) = (x + 13.0, y - 9.0);
        let width = text.chars().count() as f64 * NAME_CHAR;
        if !room.take([x - 2.0, y - 8.0, x + width, y + 8.0]) && !always {
            return Ok(());
        }
        self.context
            .set_global_alpha(aircraft.presence(scene.now).max(0.4));
        self.write(&text, x, y, "600 11.5px system-ui, sans-serif", &self.text)
    }

    fn paint_places(&self, scene: &Scene<'_>) -> Result<(), JsValue> {
        let zoom = (scene.view.scale / 512.0).log2();
        let mut room = Room::default();
        self.context.set_global_alpha(0.8);
        for place in PLACES.iter().filter(|place| place.from_zoom <= zoom) {
            let at = scene
                .view
                .to_screen(World::from_degrees(place.latitude, place.longitude));
            let width = place.name.chars().count() as f64 * NAME_CHAR;
            let wanted = [at.0 - 4.0, at.1 - 9.0, at.0 + width + 8.0, at.1 + 9.0];
            if !scene.view.shows(at, 0.0) || !room.take(wanted) {
                continue;
            }
            self.context.set_fill_style_str(&self.muted);
            self.context.fill_rect(at.0 - 1.5, at.1 - 1.5, 3.0, 3.0);
            let font = "500 11px system-ui, sans-serif";
            self.write(place.name, at.0 + 6.0, at.1 + 0.5, font, &self.muted)?;
        }
        self.context.set_global_alpha(1.0);
        Ok(())
    }

    /// Text with a halo that keeps it readable on land, sea and trails.
    fn write(&self, text: &str, x: f64, y: f64, font: &str, colour: &str) -> Result<(), JsValue> {
        self.context.set_font(font);
        self.context.set_text_baseline("middle");
        self.context.set_line_join("round");
        self.context.set_line_width(3.0);
        self.context.set_stroke_style_str(&self.edge);
        self.context.stroke_text(text, x, y)?;
        self.context.set_fill_style_str(colour);
        self.context.fill_text(text, x, y)
    }
}
