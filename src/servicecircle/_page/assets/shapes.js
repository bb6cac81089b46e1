// Areas: their lines, classes and outlines.
import { map } from "./base.js";
import { colours, say, svg, whole } from "./page.js";

/** The smallest circle has a full line; each larger one a thinner, broken line. */
export const DASHES = [null, "5 4", "2 3.5", "8 3 2 3"];
export const circleStyle = (k) => ({
  fill: false, stroke: true, color: colours.circle_line, lineJoin: "round",
  weight: k === 0 ? 1.8 : 1.1, opacity: k === 0 ? 0.95 : 0.75, dashArray: DASHES[Math.min(k, DASHES.length - 1)],
});
export function show(layer, polygons) {
  if (!polygons.length) {
    layer.remove();
    return;
  }
  layer.setLatLngs(polygons);
  layer.addTo(map);
}
/** Class of a cell by whom it misses, 0 to 3, or -1 where there is nothing to show. */
export function classOf(missed, all, by, q) {
  if (by === "share") {
    const part = missed / all;
    return part < 0.005 ? -1 : Math.min(3, Math.floor(part * 4));
  }
  const count = Math.floor(missed + 0.5);
  if (missed < 0.5) return -1;
  return count >= 8 * q ? 3 : count >= 4 * q ? 2 : count >= 2 * q ? 1 : 0;
}
/** What a class of cells is called. */
export function classLabel(c, by, q) {
  if (by === "share") return ["<25%", "25–50%", "50–75%", "≥75%"][c];
  const low = q * 2 ** c;
  if (c === 3) return say("class_riders", { range: `≥${whole(low)}` });
  const [first, last] = [c === 0 ? 1 : low, 2 * low - 1];
  return first === last ? whole(first) : `${whole(first)}–${whole(last)}`;
}
/** Whether a place lies in rings: an odd number of them lies around it. */
export function isWithin({ lat, lng }, rings) {
  let isInside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [y0, x0] = ring[j];
      const [y1, x1] = ring[i];
      if (y1 > lat !== y0 > lat && lng < ((x0 - x1) * (lat - y1)) / (y0 - y1) + x1) isInside = !isInside;
    }
  }
  return isInside;
}
/** Leave of a line only what lies outside its own area: of circles that overlap one outline remains. */
export function keepOutside(layer, name) {
  const hole = svg("path", { fill: "#000", "fill-rule": "nonzero" });
  const box = { x: -1e5, y: -1e5, width: 2e5, height: 2e5 };
  document.body.append(svg("svg", { width: 0, height: 0, style: "position:absolute", "aria-hidden": "true" },
    svg("mask", { id: name, maskUnits: "userSpaceOnUse", ...box }, svg("rect", { ...box, fill: "#fff" }), hole)));
  layer._updatePath = function () {
    L.Polygon.prototype._updatePath.call(this);
    hole.setAttribute("d", this._path.getAttribute("d") || "");
    this._path.setAttribute("mask", `url(#${name})`);
  };
}
/** Whole numbers that add up, by largest remainder. */
export function apportioned(parts, total) {
  const floors = parts.map((part) => Math.floor(part + 1e-9));
  const order = parts.map((_, i) => i).sort((a, b) => floors[a] - parts[a] - (floors[b] - parts[b]) || a - b);
  let missing = total - floors.reduce((sum, n) => sum + n, 0);
  for (let turn = 0; missing > 0; turn++, missing--) floors[order[turn % order.length]] += 1;
  return floors;
}
