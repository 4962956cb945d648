//! Which words fit on the map: a place that is taken stays with who came first.

/// Left, top, right, bottom in CSS pixels.
pub type Rectangle = [f64; 4];

/// The room that words take on one picture.
#[derive(Debug, Clone, Default)]
pub struct Room(Vec<Rectangle>);

impl Room {
    /// Takes a rectangle; says whether it was free.
    pub fn take(&mut self, wanted: Rectangle) -> bool {
        let [left, top, right, bottom] = wanted;
        let free = !self
            .0
            .iter()
            .any(|[l, t, r, b]| left < *r && *l < right && top < *b && *t < bottom);
        if free {
            self.0.push(wanted);
        }
        free
    }

    /// How many rectangles are taken.
    pub fn taken(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_first_keeps_the_place() {
        let mut room = Room::default();
        assert!(room.take([0.0, 0.0, 50.0, 16.0]));
        assert!(!room.take([40.0, 10.0, 90.0, 26.0]));
        assert!(room.take([50.0, 0.0, 90.0, 16.0]), "touching is no overlap");
        assert!(room.take([0.0, 16.0, 50.0, 32.0]));
        assert_eq!(room.taken(), 3);
    }
}
