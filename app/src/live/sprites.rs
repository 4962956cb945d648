//! The looks of aircraft, drawn once per theme and screen and then only copied.

use std::f64::consts::TAU;

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::altitude::Band;

/// Side of a sprite in CSS pixels.
pub(super) const CELL: f64 = 36.0;

/// One column per band; above the aircraft, below the dot of an unknown track.
pub(super) struct Sprites {
    sheet: HtmlCanvasElement,
    cell: f64,
}

impl Sprites {
    pub(super) fn new() -> Result<Self, JsValue> {
        let sheet = document().create_element("canvas")?.dyn_into()?;
        Ok(Self { sheet, cell: CELL })
    }

    /// Draws them anew in these colours, one per band, for a screen of this pixel ratio.
    pub(super) fn draw(
        &mut self,
        ratio: f64,
        colours: &[String],
        edge: &str,
    ) -> Result<(), JsValue> {
        let cell = CELL * ratio;
        self.cell = cell;
        self.sheet
            .set_width((cell * Band::ALL.len() as f64).ceil() as u32);
        self.sheet.set_height((cell * 2.0).ceil() as u32);
        let context = context_of(&self.sheet)?;
        for (band, colour) in Band::ALL.into_iter().zip(colours) {
            let x = (band.index() as f64 + 0.5) * cell;
            // What stands or rolls is smaller than what flies.
            let size = ratio * if band == Band::Ground { 0.72 } else { 1.0 };
            context.set_line_join("round");
            context.set_stroke_style_str(edge);
            context.set_fill_style_str(colour);
            context.set_line_width(2.5);

            context.set_transform(size, 0.0, 0.0, size, x, cell / 2.0)?;
            outline(&context);
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

    /// Copies one to the origin of the context's transform.
    pub(super) fn copy(
        &self,
        to: &CanvasRenderingContext2d,
        band: Band,
        dot: bool,
    ) -> Result<(), JsValue> {
        to.draw_image_with_html_canvas_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            &self.sheet,
            band.index() as f64 * self.cell,
            if dot { self.cell } else { 0.0 },
            self.cell,
            self.cell,
            -CELL / 2.0,
            -CELL / 2.0,
            CELL,
            CELL,
        )
    }
}

/// How large they are where the whole world is so many pixels wide: smaller when the map shows
/// much, so that many do not hide each other.
pub(super) fn scale(world: f64) -> f64 {
    let zoom = (world / 512.0).log2();
    (0.5 + (zoom - 4.0) * 0.125).clamp(0.45, 1.1)
}

pub(super) fn context_of(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, JsValue> {
    canvas
        .get_context("2d")?
        .ok_or_else(|| JsValue::from_str("no 2d context"))?
        .dyn_into()
        .map_err(JsValue::from)
}

/// An airliner from above, nose up, 23 pixels long.
fn outline(context: &CanvasRenderingContext2d) {
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
