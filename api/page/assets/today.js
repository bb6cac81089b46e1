// How it stands, and what the changes make of it: circle, cells, totals.
import { area, map } from "./base.js";
import { classOf, circleStyle, isWithin, keepOutside } from "./shapes.js";
import { colours, data, panel, state, unpack, unpackPolygons } from "./page.js";
import { changes, onChanges, toldId, whatIfBody } from "./changes.js";
import { asParameters } from "./question.js";
import { ask } from "./server.js";
import { circleAlpha } from "./tiles.js";

export const cellData = data("cells");
export const zoneData = data("zones").map((zone) => ({ ...zone, latlngs: unpackPolygons(zone.shape) }));
state.cellsBy = cellData.by;
const outlines = cellData.outlines.map((steps) => unpack(steps, 6));
const cellPosition = new Map(cellData.ids.map((id, i) => [id, i]));

/** What the server last said: today, the changes' effect, and what went wrong. */
export const answers = { today: null, effect: null, trouble: "", isBusy: false };
const listeners = [];
/** Call when an answer has come. */
export const onAnswer = (listener) => listeners.push(listener);
const tell = () => { for (const listener of listeners) listener(); };

// ---- layers
const OUTSIDE = "sc-outside-live";
const circleFill = area("circle", [], { fillColor: panel.fill, fillOpacity: panel.fill_alpha, fillRule: "nonzero" }).addTo(map);
const circleLine = area("outline", [], { ...circleStyle(0), weight: 2 * circleStyle(0).weight }).addTo(map);
keepOutside(circleLine, OUTSIDE);
// What is tried is drawn in panes of its own: what stands need not be painted anew for it. What lies in today's circle is masked away, once for
// a pane and not once for a layer.
const trialPane = (name, under) => {
  map.createPane(name).style.cssText = `z-index: ${Number(map.getPane(under).style.zIndex) + 1}; pointer-events: none`;
  return (options) => L.svg({ pane: name, padding: 0.2, ...options });
};
const outsideToday = (renderer) => {
  renderer.addTo(map)._rootGroup.setAttribute("mask", `url(#${OUTSIDE})`);
  return renderer;
};
const aboveCircle = trialPane("sc-gain", "sc-circle");
const aboveOutline = trialPane("sc-trial", "sc-outline");
const gained = outsideToday(aboveCircle());
const gainedLine = outsideToday(aboveOutline());
const tried = aboveOutline();
const crimson = { fill: false, stroke: true, color: colours.proposal, lineJoin: "round" };
const gain = [
  area("circle", [], { pane: "sc-gain", renderer: gained, fillColor: "url(#sc-dots)", fillRule: "nonzero" }),
  area("outline", [], { pane: "sc-trial", renderer: gainedLine, ...crimson, color: "#fff", weight: 4.6, opacity: 0.9 }),
  area("outline", [], { pane: "sc-trial", renderer: gainedLine, ...crimson, weight: 2.4 }),
].map((layer) => layer.addTo(map));
const whole = area("outline", [], { pane: "sc-trial", renderer: tried, ...crimson, weight: 1.2, opacity: 0.75, dashArray: "4 4" }).addTo(map);
const cellLayers = panel.missed_colours.map((colour) => area("cell", [], {
  fillColor: colour, fillOpacity: 0.92, stroke: true, color: colours.gap, opacity: 0.18, weight: 0.5, smoothFactor: 0,
}).addTo(map));
const zoneLayer = area("outline", zoneData.flatMap((zone) => zone.latlngs), {
  fill: false, stroke: true, color: colours.zone, weight: 1.2, dashArray: "6 3 1.5 3",
});

/** Places that stand and serve nobody: closed, moved away, or in a blocked street. */
export const goneNow = () => new Set([
  ...changes().filter((one) => one.what === "close" || one.what === "move").map((one) => one.place),
  ...(answers.effect ? answers.effect.facilities_inside : []),
]);
let areasByPlace = new Map();
let drawnToday = "";
function drawCircle() {
  const { today } = answers;
  const gone = goneNow();
  const redrawn = new Map(effectAreas().map(([id, rings]) => [id, rings]));
  const key = `${state.isOn.circle} ${state.base} ${today ? today.key : ""} ${[...gone].join()} ${[...redrawn.keys()].join()} ${redrawn.size ? answers.effect.key : ""}`;
  if (key === drawnToday) return;
  drawnToday = key;
  const shown = !today || !state.isOn.circle ? []
    : [...areasByPlace].flatMap(([id, polygons]) => (gone.has(id) ? [] : redrawn.get(id) || polygons));
  circleFill.setStyle({ fillOpacity: circleAlpha() });
  circleFill.setLatLngs(shown);
  circleLine.setLatLngs(shown);
}
const isNew = (id) => changes().some((one) => toldId(one) === id && one.what !== "close");
const ringsOf = (geometry) => {
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.type === "MultiPolygon" ? geometry.coordinates : [];
  return polygons.map((rings) => rings.map((ring) => ring.map(([lon, lat]) => [lat, lon])));
};
const circleFeatures = () => (answers.effect && answers.effect.circles ? answers.effect.circles.features : []).filter((one) => one.geometry);
/** Circles of standing places that closures change. */
const effectAreas = () => circleFeatures().filter((one) => !isNew(one.properties.facility_id)).map((one) => [one.properties.facility_id, ringsOf(one.geometry)]);
function drawTrialCircles() {
  const rings = !state.isOn.trial ? [] : circleFeatures().filter((one) => isNew(one.properties.facility_id)).flatMap((one) => ringsOf(one.geometry));
  for (const layer of gain) layer.setLatLngs(rings);
  whole.setLatLngs(rings.map(([outer]) => [outer]));
}

/** Riders of a cell, and how many of them are reached with the changes. */
export function cellNow(i) {
  const { today, effect } = answers;
  const changed = effect ? effect.cellAt.get(i) : undefined;
  return { riders: today.cells.riders[i], covered: changed === undefined ? today.cells.covered[i] : changed };
}
function cellClass(i) {
  const { riders, covered } = cellNow(i);
  return riders > 0 ? classOf(Math.max(0, riders - covered), riders, state.cellsBy, cellData.step) : -1;
}
const drawnCells = panel.missed_colours.map(() => "");
function drawCells() {
  const byClass = panel.missed_colours.map(() => []);
  if (answers.today && state.isOn.cell) {
    outlines.forEach((_, i) => {
      const c = cellClass(i);
      if (c >= 0) byClass[c].push(i);
    });
  }
  byClass.forEach((own, c) => {
    const key = own.join();
    if (key === drawnCells[c]) return; // what stays as it is need not be drawn anew
    drawnCells[c] = key;
    cellLayers[c].setLatLngs(own.map((i) => [outlines[i]]));
  });
}
/** Which cell lies under a place, -1 for none that holds riders. */
export const cellAt = (place) => outlines.findIndex((ring, i) => answers.today && answers.today.cells.riders[i] > 0 && isWithin(place, [ring]));

/** Draw what the answers say; the view stays where it is. */
export function drawAnswers() {
  drawCircle();
  drawTrialCircles();
  drawCells();
  if (state.isOn.zone) zoneLayer.addTo(map);
  else zoneLayer.remove();
}

// ---- asking: the latest question counts, one before it is let go
let asking = null;
let askingToday = null;
let askedToday = "";
const RETRY_MS = 3000;
/** Ask how it stands, and what the changes do. */
export async function refreshToday() {
  if (askingToday) askingToday.abort();
  askingToday = new AbortController();
  const { signal } = askingToday;
  const key = asParameters();
  answers.isBusy = true;
  tell();
  try {
    const effect = changes().length ? askEffect() : null;
    const { data: today } = await ask(`live/today.json?${key}`, { signal });
    areasByPlace = new Map(today.facilities.map((id, i) => [id, unpackPolygons(today.areas[i])]));
    answers.today = { ...today, key };
    askedToday = key;
    answers.trouble = "";
    if (effect) await effect;
    else answers.effect = null;
  } catch (error) {
    if (error.name === "AbortError") return;
    answers.trouble = told(error);
    if (!error.status) setTimeout(() => { if (askedToday !== asParameters()) refreshToday(); }, RETRY_MS);
  }
  answers.isBusy = false;
  drawAnswers();
  tell();
}
async function askEffect() {
  if (asking) asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const { data: effect } = await ask("what-if", { method: "POST", body: whatIfBody(), signal });
  answers.effect = read(effect);
}
let nEffects = 0;
function read(effect) {
  nEffects += 1;
  const cellAtPosition = new Map();
  for (const cell of effect.cells) {
    const i = cellPosition.get(String(cell.cell_id));
    if (i !== undefined) cellAtPosition.set(i, last(cell.after));
  }
  return { ...effect, key: nEffects, cellAt: cellAtPosition };
}
/** The value at the only break of an answer. */
export const last = (byBreak) => (byBreak !== null && typeof byBreak === "object" ? Object.values(byBreak).pop() : byBreak);
const told = (error) => (error.status ? error.message : panel.words["live.offline"]);
/** Ask what the changes do. */
export async function refreshEffect() {
  if (!changes().length) {
    if (asking) asking.abort();
    answers.effect = null;
    answers.trouble = "";
    drawAnswers();
    tell();
    return;
  }
  try {
    await askEffect();
    answers.trouble = "";
  } catch (error) {
    if (error.name === "AbortError") return;
    answers.effect = null;
    answers.trouble = told(error);
  }
  drawAnswers();
  tell();
}
onChanges(refreshEffect);
