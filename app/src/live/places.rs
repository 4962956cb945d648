//! Towns that help to find one's way on a map without names of its own.

/// A town, and the zoom from which on it is named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Its name.
    pub name: &'static str,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The zoom from which on there is room for it.
    pub from_zoom: f64,
}

const fn place(name: &'static str, latitude: f64, longitude: f64, from_zoom: f64) -> Place {
    Place {
        name,
        latitude,
        longitude,
        from_zoom,
    }
}

/// Larger ones first, so that they win where two do not fit.
pub const PLACES: [Place; 36] = [
    place("Paris", 48.857, 2.352, 0.0),
    place("London", 51.507, -0.128, 0.0),
    place("Madrid", 40.417, -3.703, 0.0),
    place("Berlin", 52.520, 13.405, 0.0),
    place("Rome", 41.893, 12.483, 0.0),
    place("Vienna", 48.208, 16.372, 4.5),
    place("Warsaw", 52.230, 21.011, 4.5),
    place("Copenhagen", 55.676, 12.568, 4.5),
    place("Dublin", 53.350, -6.260, 4.5),
    place("Brussels", 50.847, 4.357, 5.5),
    place("Amsterdam", 52.374, 4.890, 5.5),
    place("Zurich", 47.377, 8.541, 5.5),
    place("Munich", 48.137, 11.576, 5.5),
    place("Lyon", 45.764, 4.836, 5.5),
    place("Marseille", 43.297, 5.370, 5.5),
    place("Barcelona", 41.388, 2.170, 5.0),
    place("Bordeaux", 44.838, -0.579, 5.5),
    place("Milan", 45.464, 9.190, 5.5),
    place("Hamburg", 53.551, 9.994, 5.5),
    place("Prague", 50.088, 14.421, 5.0),
    place("Edinburgh", 55.953, -3.188, 5.0),
    place("Toulouse", 43.605, 1.444, 6.5),
    place("Nantes", 47.218, -1.554, 6.0),
    place("Strasbourg", 48.573, 7.752, 6.5),
    place("Lille", 50.629, 3.057, 6.5),
    place("Rouen", 49.443, 1.099, 7.0),
    place("Reims", 49.258, 4.032, 7.0),
    place("Orléans", 47.903, 1.909, 7.0),
    place("Tours", 47.394, 0.685, 7.0),
    place("Amiens", 49.894, 2.296, 7.5),
    place("Troyes", 48.297, 4.074, 7.5),
    place("Chartres", 48.447, 1.489, 8.0),
    place("Auxerre", 47.798, 3.567, 7.5),
    place("Le Mans", 48.006, 0.199, 7.5),
    place("Beauvais", 49.430, 2.081, 8.0),
    place("Fontainebleau", 48.405, 2.701, 8.5),
];
