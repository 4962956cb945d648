// MapLibre is an ES module; the interface finds it here. Loaded by the pages that show a map.
import * as maplibregl from "/vendor/maplibre-gl/maplibre-gl.mjs";
globalThis.maplibregl = maplibregl;
