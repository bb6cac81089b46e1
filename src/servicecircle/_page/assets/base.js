// The base map: land, water, buildings, streets. `theMap` is there already.
import { colours, data, unpack, unpackPolygons } from "./page.js";

export const map = theMap;
const PANES = {
  land: 300, circle: 310, water: 320, build: 330, cell: 340, gap: 350, road: 360, outline: 370, closure: 380,
  shop: 400, label: 405, station: 410, sug: 430,
};
export const streets = data("streets");
const land = data("land");
/** Above so many vertices a canvas is quicker than SVG. */
const isDense = streets.vertices > 20000;
export const renderers = {};
for (const [name, z] of Object.entries(PANES)) {
  const pane = map.createPane("sc-" + name);
  pane.style.zIndex = z;
  if (!["shop", "station", "sug"].includes(name)) pane.style.pointerEvents = "none";
  const onCanvas = isDense && (name === "road" || name === "build");
  renderers[name] = onCanvas
    ? L.canvas({ pane: "sc-" + name, padding: 0.2 })
    : L.svg({ pane: "sc-" + name, padding: 0.2 });
}
export const shapeOptions = (pane, options) => ({
  pane: "sc-" + pane, renderer: renderers[pane], interactive: false, smoothFactor: 0.6, stroke: false, ...options,
});
export const area = (pane, polygons, options) =>
  L.polygon(polygons, shapeOptions(pane, { fill: true, fillOpacity: 1, ...options }));
export const line = (pane, lines, options) => L.polyline(lines, shapeOptions(pane, { stroke: true, ...options }));

// ---- land, water, buildings
export const baseLayers = [];
const onBase = (layer) => baseLayers.push(layer.addTo(map));
for (const kind of ["campus", "green", "pitch"]) {
  if (land[kind]) onBase(area("land", unpackPolygons(land[kind]), { fillColor: colours[kind] }));
}
if (land.water) {
  onBase(area("water", unpackPolygons(land.water),
    { fillColor: colours.water, stroke: true, color: colours.water_line, weight: 0.8 }));
}
if (land.building) {
  onBase(area("build", unpackPolygons(land.building), { fillColor: colours.building, fillOpacity: 0.11, smoothFactor: 0.3 }));
}

// ---- streets: one line a class for the casing, one for the fill; small classes first
function streetWidth(kind, zoom) {
  const widths = streets.widths[kind];
  const last = widths.length - 1;
  const at = Math.max(0, Math.min(last, zoom - streets.widths_from));
  const below = Math.floor(at);
  const above = Math.min(last, below + 1);
  return widths[below] + (widths[above] - widths[below]) * (at - below);
}
const fillColour = (kind) => ({ footway: colours.footway, pedestrian: colours.pedestrian })[kind] || colours.street;
const streetKinds = Object.keys(streets.widths).reverse().filter((kind) => streets.classes[kind]);
const casings = {};
const fills = {};
export const streetLines = {};
for (const kind of streetKinds) streetLines[kind] = streets.classes[kind].map((steps) => unpack(steps, 5));
for (const kind of streetKinds) {
  if (kind !== "footway") {
    casings[kind] = line("road", streetLines[kind], { color: colours.casing, lineCap: "butt" });
    onBase(casings[kind]);
  }
}
for (const kind of streetKinds) {
  fills[kind] = line("road", streetLines[kind], { color: fillColour(kind), lineCap: "round" });
  onBase(fills[kind]);
}
export const isPrinting = () => document.body.classList.contains("sc-print");
export function styleStreets() {
  const zoom = map.getZoom();
  for (const kind of streetKinds) {
    const width = streetWidth(kind, zoom);
    if (kind === "footway") {
      fills.footway.setStyle({ weight: width, opacity: zoom < 14 ? 0 : 1, dashArray: zoom >= 16 ? "3 2.5" : null });
      continue;
    }
    const isThin = width < 1;
    fills[kind].setStyle({ weight: Math.max(width, 0.7), color: isThin ? colours.thin_street : fillColour(kind) });
    casings[kind].setStyle({ color: isPrinting() ? colours.print_casing : colours.casing, weight: width + (width > 4 ? 1.6 : 1.2), opacity: isThin ? 0 : 1 });
  }
}
map.on("zoomend", styleStreets);
