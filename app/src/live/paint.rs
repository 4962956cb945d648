//! The canvas over the map: every aircraft, its trail and its name.
//!
//! An aircraft costs two calls into the browser, a transform and a copy of a sprite that was drawn
//! once per theme; trails cost one stroke per colour. Places are projected here.

use std::f64::consts::TAU;

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::altitude::Band;
use super::fleet::{Aircraft, Fleet, HISTORY};
use super::places::PLACES;
use super::projection::{View, World};
use crate::browser::token;

/// Side of a sprite in CSS pixels.
const CELL: f64 = 36.0;
/// The most pieces of trail in a picture when all aircraft show theirs.
const TRAIL_PIECES: usize = 24_000;
/// A pause between reports that a trail does not bridge, in milliseconds.
const TRAIL_GAP: f64 = 45_000.0;
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

/// A piece of trail in CSS pixels.
type Piece = [f32; 4];

/// The room that names take: left, top, right, bottom of each.
#[derive(Default)]
struct Taken(Vec<[f64; 4]>);

impl Taken {
    /// Takes the room; says whether it was free.
    fn take(&mut self, room: [f64; 4]) -> bool {
        let [left, top, right, bottom] = room;
        let free = !self
            .0
            .iter()
            .any(|[l, t, r, b]| left < *r && *l < right && top < *b && *t < bottom);
        if free {
            self.0.push(room);
        }
        free
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// A canvas with its sprites.
pub(super) struct Painter {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    sprites: HtmlCanvasElement,
    ratio: f64,
    colours: Vec<String>,
    edge: String,
    text: String,
    muted: String,
    accent: String,
    /// Kept from picture to picture, one list per band.
    pieces: Vec<Vec<Piece>>,
}

impl Painter {
    pub(super) fn new(canvas: HtmlCanvasElement) -> Result<Self, JsValue> {
        let context = context_of(&canvas)?;
        let sprites: HtmlCanvasElement = document().create_element("canvas")?.dyn_into()?;
        let mut it = Self {
            canvas,
            context,
            sprites,
            ratio: 1.0,
            colours: Vec::new(),
            edge: String::new(),
            text: String::new(),
            muted: String::new(),
            accent: String::new(),
            pieces: vec![Vec::new(); Band::ALL.len()],
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
            self.draw_sprites()?;
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
        self.draw_sprites()
    }

    /// Draws everything; says how many aircraft were in sight.
    pub(super) fn paint(&mut self, scene: &Scene<'_>) -> Result<usize, JsValue> {
        self.reset()?;
        let (width, height) = (scene.view.width, scene.view.height);
        self.context.clear_rect(0.0, 0.0, width, height);
        self.paint_places(scene)?;
        self.paint_trails(scene);
        let drawn = self.paint_aircraft(scene)?;
        self.reset()?;
        self.paint_names(scene)?;
        Ok(drawn)
    }

    /// From device pixels to CSS pixels.
    fn reset(&self) -> Result<(), JsValue> {
        self.context.set_global_alpha(1.0);
        self.context
            .set_transform(self.ratio, 0.0, 0.0, self.ratio, 0.0, 0.0)
    }

    fn paint_aircraft(&self, scene: &Scene<'_>) -> Result<usize, JsValue> {
        let size = sprite_scale(scene.view.scale);
        let cell = CELL * self.ratio;
        let mut alpha = 1.0;
        let mut drawn = 0;
        for aircraft in scene.fleet.aircraft() {
            let place = aircraft.place(scene.now, scene.moving);
            let at = scene.view.to_screen(place);
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
            let row = if heading.is_some() { 0.0 } else { cell };
            let (sin, cos) = heading.unwrap_or(0.0).to_radians().sin_cos();
            let scale = self.ratio * if selected { size.max(0.9) * 1.15 } else { size };
            self.context.set_transform(
                cos * scale,
                sin * scale,
                -sin * scale,
                cos * scale,
                at.0 * self.ratio,
                at.1 * self.ratio,
            )?;
            self.context
                .draw_image_with_html_canvas_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                    &self.sprites,
                    Band::of(&aircraft.report).index() as f64 * cell,
                    row,
                    cell,
                    cell,
                    -CELL / 2.0,
                    -CELL / 2.0,
                    CELL,
                    CELL,
                )?;
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
        if scene.trails {
            let per = TRAIL_PIECES / scene.fleet.aircraft().len().max(1);
            for aircraft in scene.fleet.aircraft() {
                trail(aircraft, scene, per.clamp(8, HISTORY), &mut self.pieces);
            }
            self.context.set_global_alpha(0.55);
            self.stroke_pieces(1.5);
        }
        if let Some(aircraft) = scene.selected.and_then(|id| scene.fleet.get(id)) {
            trail(aircraft, scene, HISTORY, &mut self.pieces);
            self.context.set_global_alpha(0.95);
            self.stroke_pieces(2.5);
        }
        self.context.set_global_alpha(1.0);
    }

    fn stroke_pieces(&mut self, width: f64) {
        self.context.set_line_width(width);
        for (pieces, colour) in self.pieces.iter_mut().zip(&self.colours) {
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
        let mut taken = Taken::default();
        // The selected and the pointed-at one come first, so that nothing takes their place.
        let special: Vec<&Aircraft> = [scene.selected, scene.hovered]
            .into_iter()
            .flatten()
            .filter_map(|id| scene.fleet.get(id))
            .collect();
        for aircraft in &special {
            self.name(aircraft, scene, &mut taken, true)?;
        }
        if scene.labels {
            for aircraft in scene.fleet.aircraft() {
                if taken.len() >= NAMES {
                    break;
                }
                if !special.iter().any(|s| s.id == aircraft.id) {
                    self.name(aircraft, scene, &mut taken, false)?;
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
        taken: &mut Taken,
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
        if !taken.take([x - 2.0, y - 8.0, x + width, y + 8.0]) && !always {
            return Ok(());
        }
        self.context
            .set_global_alpha(aircraft.presence(scene.now).max(0.4));
        self.write(&text, x, y, "600 11.5px system-ui, sans-serif", &self.text)
    }

    fn paint_places(&self, scene: &Scene<'_>) -> Result<(), JsValue> {
        let zoom = (scene.view.scale / 512.0).log2();
        let mut taken = Taken::default();
        for place in PLACES.iter().filter(|place| place.from_zoom <= zoom) {
            let at = scene
                .view
                .to_screen(World::from_degrees(place.latitude, place.longitude));
            let width = place.name.chars().count() as f64 * NAME_CHAR;
            let room = [at.0 - 4.0, at.1 - 9.0, at.0 + width + 8.0, at.1 + 9.0];
            if !scene.view.shows(at, 0.0) || !taken.take(room) {
                continue;
            }
            self.context.set_global_alpha(0.8);
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

    /// One column per band; above the aircraft, below the dot of an unknown track.
    fn draw_sprites(&self) -> Result<(), JsValue> {
        let cell = CELL * self.ratio;
        self.sprites
            .set_width((cell * Band::ALL.len() as f64).ceil() as u32);
        self.sprites.set_height((cell * 2.0).ceil() as u32);
        let context = context_of(&self.sprites)?;
        for band in Band::ALL {
            let x = (band.index() as f64 + 0.5) * cell;
            let colour = self
                .colours
                .get(band.index())
                .map(String::as_str)
                .unwrap_or_default();
            // What stands or rolls is smaller than what flies.
            let size = self.ratio * if band == Band::Ground { 0.72 } else { 1.0 };
            context.set_line_join("round");
            context.set_stroke_style_str(&self.edge);
            context.set_fill_style_str(colour);
            context.set_line_width(2.5);

            context.set_transform(size, 0.0, 0.0, size, x, cell / 2.0)?;
            aircraft_outline(&context);
            context.stroke();
            context.fill();

            context.set_transform(size, 0.0, 0.0, size, x, cell * 1.5)?;
            context.begin_path();
            context.arc(0.0, 0.0, 5.5, 0.0, TAU)?;
            context.stroke();
            context.fill();
        }
        Ok(())
    }
}

fn context_of(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, JsValue> {
    canvas
        .get_context("2d")?
        .ok_or_else(|| JsValue::from_str("no 2d context"))?
        .dyn_into()
        .map_err(JsValue::from)
}

/// Smaller when the map shows much, so that many do not hide each other.
fn sprite_scale(world: f64) -> f64 {
    let zoom = (world / 512.0).log2();
    (0.5 + (zoom - 4.0) * 0.125).clamp(0.45, 1.1)
}

/// An airliner from above, nose up, 23 pixels long.
fn aircraft_outline(context: &CanvasRenderingContext2d) {
    const RIGHT: [(f64, f64); 10] = [
        (1.3, -10.2),
        (1.8, -7.5),
        (1.8, -3.2),
        (11.5, 3.6),
        (11.5, 5.8),
        (1.8, 2.8),
        (1.3, 8.0),
        (4.4, 10.4),
        (4.4, 11.9),
        (0.0, 10.9),
    ];
    context.begin_path();
    context.move_to(0.0, -11.5);
    for (x, y) in RIGHT {
        context.line_to(x, y);
    }
    for (x, y) in RIGHT.into_iter().rev().skip(1) {
        context.line_to(-x, y);
    }
    context.close_path();
}

/// The way from `most` reports ago to where the aircraft is shown, cut by colour.
fn trail(aircraft: &Aircraft, scene: &Scene<'_>, most: usize, out: &mut [Vec<Piece>]) {
    let mut to = scene
        .view
        .to_screen(aircraft.place(scene.now, scene.moving));
    let mut later = scene.now;
    for past in aircraft.history.iter().rev().take(most) {
        let from = scene.view.to_screen(past.place);
        if later - past.at < TRAIL_GAP
            && (scene.view.shows(from, 0.0) || scene.view.shows(to, 0.0))
            && let Some(pieces) = out.get_mut(past.band.index())
        {
            pieces.push([from.0 as f32, from.1 as f32, to.0 as f32, to.1 as f32]);
        }
        to = from;
        later = past.at;
    }
}
