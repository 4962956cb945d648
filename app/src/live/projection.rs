//! Web Mercator, the projection of the map: from degrees to the unit square and to the screen.

use std::f64::consts::PI;

/// Length of the equator in metres, as Web Mercator has it.
const EQUATOR: f64 = 40_075_016.686;

/// Size of the whole world in CSS pixels at zoom 0, as MapLibre has it.
const TILE: f64 = 512.0;

/// A point of the projected world: x eastwards and y southwards, both from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct World {
    /// 0 at 180° west.
    pub x: f64,
    /// 0 at about 85° north.
    pub y: f64,
}

impl World {
    /// Projects degrees. Latitudes beyond the projection's edge are put on the edge.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Self {
        let latitude = latitude.clamp(-85.051_128, 85.051_128).to_radians();
        let y = 0.5 - (PI / 4.0 + latitude / 2.0).tan().ln() / (2.0 * PI);
        Self {
            x: longitude / 360.0 + 0.5,
            y,
        }
    }

    /// The latitude in degrees.
    pub fn latitude(self) -> f64 {
        (2.0 * ((0.5 - self.y) * 2.0 * PI).exp().atan() - PI / 2.0).to_degrees()
    }

    /// The longitude in degrees.
    pub fn longitude(self) -> f64 {
        (self.x - 0.5) * 360.0
    }

    /// How much of the projected world one metre is here.
    pub fn per_metre(self) -> f64 {
        1.0 / (EQUATOR * self.latitude().to_radians().cos())
    }

    /// The point `dx`, `dy` further.
    pub fn plus(self, (dx, dy): (f64, f64)) -> Self {
        Self {
            x: self.x + dx,
            y: self.y + dy,
        }
    }

    /// The way from `other` to here.
    pub fn minus(self, other: Self) -> (f64, f64) {
        (self.x - other.x, self.y - other.y)
    }
}

/// What of the world the screen shows; north is up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct View {
    /// What is in the middle.
    pub centre: World,
    /// CSS pixels that the whole world would be wide.
    pub scale: f64,
    /// Width in CSS pixels.
    pub width: f64,
    /// Height in CSS pixels.
    pub height: f64,
}

impl View {
    /// The view of a map with this centre in degrees and this zoom.
    pub fn new(latitude: f64, longitude: f64, zoom: f64, width: f64, height: f64) -> Self {
        Self {
            centre: World::from_degrees(latitude, longitude),
            scale: TILE * zoom.exp2(),
            width,
            height,
        }
    }

    /// Where a point is on the screen, in CSS pixels from the top left.
    pub fn to_screen(&self, point: World) -> (f64, f64) {
        (
            (point.x - self.centre.x) * self.scale + self.width / 2.0,
            (point.y - self.centre.y) * self.scale + self.height / 2.0,
        )
    }

    /// Whether a place on the screen is in sight, or at most `margin` pixels outside.
    pub fn shows(&self, (x, y): (f64, f64), margin: f64) -> bool {
        x >= -margin && y >= -margin && x <= self.width + margin && y <= self.height + margin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_survive_the_round_trip() {
        for (latitude, longitude) in [(0.0, 0.0), (48.8566, 2.3522), (-33.9, 151.2), (59.9, -12.0)]
        {
            let point = World::from_degrees(latitude, longitude);
            assert!((point.latitude() - latitude).abs() < 1e-9);
            assert!((point.longitude() - longitude).abs() < 1e-9);
        }
    }

    /// The values are those of the slippy-map formula for Paris.
    #[test]
    fn paris_is_where_maps_have_it() {
        let paris = World::from_degrees(48.8566, 2.3522);
        assert!(
            (paris.x * 1024.0 - 518.690_7).abs() < 1e-3,
            "{}",
            paris.x * 1024.0
        );
        assert!(
            (paris.y * 1024.0 - 352.26).abs() < 0.1,
            "{}",
            paris.y * 1024.0
        );
    }

    #[test]
    fn a_metre_is_larger_in_the_north() {
        let equator = World::from_degrees(0.0, 0.0).per_metre();
        let north = World::from_degrees(60.0, 0.0).per_metre();
        assert!((north / equator - 2.0).abs() < 1e-6);
    }

    #[test]
    fn the_centre_is_in_the_middle_and_north_is_up() {
        let view = View::new(48.0, 2.0, 7.0, 800.0, 600.0);
        assert_eq!(view.to_screen(view.centre), (400.0, 300.0));
        let (x, y) = view.to_screen(World::from_degrees(49.0, 3.0));
        assert!(x > 400.0 && y < 300.0);
        // One degree of longitude at zoom 7 is 512 * 2^7 / 360 pixels.
        assert!((x - 400.0 - 65536.0 / 360.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_outside_is_not_shown() {
        let view = View::new(0.0, 0.0, 0.0, 100.0, 100.0);
        assert!(view.shows((100.0, 0.0), 0.0));
        assert!(!view.shows((121.0, 50.0), 20.0));
    }
}
