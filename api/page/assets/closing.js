// Blocking a street: the piece of it that a click means, from corner to corner or so far to each side.
import { streetLines, streets } from "./base.js";
import { say } from "./page.js";

const EACH_SIDE_M = 60; // of the street that is blocked
const OFF_CORNER_M = 8; // what stays free before a corner
const FARTHEST_M = 60; // from the click to its street
const NAME_WITHIN_M = 150;
/** Wide enough for streets that are drawn to the metre. */
export const WIDTH_M = 8;
const METRES_PER_DEG = 111195;

const flat = ([lat, lon], [lat0, lon0]) => [(lon - lon0) * METRES_PER_DEG * Math.cos((lat0 * Math.PI) / 180), (lat - lat0) * METRES_PER_DEG];
const between = (a, b) => Math.hypot(...flat(a, b));
const along = (a, b, share) => [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
/** Corners: places where lines end or meet. */
let corners = null;
const keyOf = ([lat, lon]) => `${lat.toFixed(5)} ${lon.toFixed(5)}`;
function cornersOf() {
  const seen = new Map();
  for (const lines of Object.values(streetLines)) {
    for (const line of lines) for (const at of line) seen.set(keyOf(at), (seen.get(keyOf(at)) || 0) + 1);
  }
  return new Set([...seen].filter(([, times]) => times > 1).map(([key]) => key));
}
function nearestPiece(at) {
  let best = { metres: FARTHEST_M };
  for (const lines of Object.values(streetLines)) {
    for (const line of lines) {
      for (let i = 0; i + 1 < line.length; i++) {
        const [ax, ay] = flat(line[i], at);
        const [bx, by] = flat(line[i + 1], at);
        const square = (bx - ax) ** 2 + (by - ay) ** 2;
        const share = square ? Math.max(0, Math.min(1, -(ax * (bx - ax) + ay * (by - ay)) / square)) : 0;
        const metres = Math.hypot(ax + share * (bx - ax), ay + share * (by - ay));
        if (metres < best.metres) best = { metres, line, i, at: along(line[i], line[i + 1], share) };
      }
    }
  }
  return best.line ? best : null;
}
/** Go along a line from a place, over its corners of points, to a crossing or so many metres. */
function walk(line, from, first, step, most) {
  const out = [];
  let here = from;
  let left = most;
  for (let i = first; i >= 0 && i < line.length; i += step) {
    const metres = between(here, line[i]);
    if (metres >= left) return [...out, along(here, line[i], left / metres)];
    if (corners.has(keyOf(line[i]))) {
      const free = Math.min(OFF_CORNER_M, metres / 2);
      return metres ? [...out, along(here, line[i], (metres - free) / metres)] : out;
    }
    out.push(line[i]);
    left -= metres;
    here = line[i];
  }
  return out;
}
/** The piece of street at a place: its line, its middle, its name and length; null where there is none near. */
export function blockedAt({ lat, lng }) {
  corners = corners || cornersOf();
  const found = nearestPiece([lat, lng]);
  if (!found) return null;
  const back = walk(found.line, found.at, found.i, -1, EACH_SIDE_M);
  const on = walk(found.line, found.at, found.i + 1, 1, EACH_SIDE_M);
  const line = [...back.reverse(), found.at, ...on];
  const metres = line.slice(1).reduce((sum, at, i) => sum + between(line[i], at), 0);
  return { line, at: found.at, name: nameAt(found.at), metres: Math.round(metres / 10) * 10, width_m: WIDTH_M };
}
function nameAt(at) {
  let best = { metres: NAME_WITHIN_M, name: say("live.street") };
  for (const [text, lat, lon] of streets.labels) {
    const metres = between([lat, lon], at);
    if (metres < best.metres) best = { metres, name: streets.names[text] };
  }
  return best.name;
}
/** The longest way from a click to its street. */
export const farthest = FARTHEST_M;
