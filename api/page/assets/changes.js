// Changes that are tried: new, moved and closed places, blocked streets; undone, kept while this tab is open.
import { data, panel, say } from "./page.js";
import { asBody } from "./question.js";

const KEPT = `servicecircle changes ${panel.study}`;
const MOST_UNDONE = 50;
let list = JSON.parse(sessionStorage.getItem(KEPT) || "[]");
const past = [];
const listeners = [];
/** Call when changes come, move or go. */
export const onChanges = (listener) => listeners.push(listener);
export const changes = () => list;

function become(next, isUndo = false) {
  if (!isUndo) past.push(list);
  if (past.length > MOST_UNDONE) past.shift();
  list = next;
  sessionStorage.setItem(KEPT, JSON.stringify(list));
  for (const listener of listeners) listener(list);
}
export const canUndo = () => past.length > 0;
export const undo = () => { if (past.length) become(past.pop(), true); };
export const clearChanges = () => { if (list.length) become([]); };
export const removeChange = (id) => become(list.filter((one) => one.id !== id));
/** Put several at once: one undo takes all back. */
export function addChanges(more) {
  const made = [];
  for (const one of more) made.push({ ...one, ...named(one.what, [...list, ...made]) , ...(one.id ? { id: one.id } : {}) });
  become([...list, ...made]);
  return made;
}
export const addChange = (one) => addChanges([one])[0];
export const updateChange = (id, more) => become(list.map((one) => (one.id === id ? { ...one, ...more } : one)));
/** A number and an id that no other change has. */
function named(what, others) {
  const n = 1 + Math.max(0, ...others.filter((one) => one.what === what).map((one) => one.n));
  return { n, id: `live-${what}-${n}` };
}
/** What has been done to a place that is there: its change, if any. */
export const changeOf = (placeId) => list.find((one) => one.place === placeId);

const lonLat = ([lat, lon]) => ({ lon, lat });
/** The changes as the body of a question. */
export function whatIfBody(some = list) {
  const of = (what) => some.filter((one) => one.what === what);
  const body = { ...asBody() };
  const add = [...of("station"), ...of("shop")].map((one) => ({ id: one.id, kind: one.what, ...lonLat(one.at) }));
  const move = of("move").map((one) => ({ id: one.place, ...lonLat(one.at) }));
  const close = of("close").map((one) => one.place);
  const blocks = of("closure").map(closureFeature);
  if (add.length) body.add = add;
  if (move.length) body.move = move;
  if (close.length) body.close = close;
  if (blocks.length) body.closures = { type: "FeatureCollection", features: blocks };
  return body;
}
export const closureFeature = (one) => ({
  type: "Feature", id: one.id, properties: { width_m: one.width_m },
  geometry: { type: "LineString", coordinates: one.line.map(([lat, lon]) => [lon, lat]) },
});
/** The id under which an answer tells of a change. */
export const toldId = (one) => (one.what === "move" || one.what === "close" ? one.place : one.id);

/** What a change is called. */
export function changeName(one) {
  if (one.what === "closure") return say("live.closure", { name: one.name });
  if (one.what === "close" || one.what === "move") return say(`live.${one.what}`, { name: one.name });
  return one.name || say(`live.trial.${one.what}`, { n: one.n });
}

// ---- what a job is told of them
const MOST_LETTERS = 80; // of a name
const kindOf = (id) => (data("places").shop.some((one) => one.id === id) ? "shop" : "station");
const asPlace = (one) => ({
  kind: one.what === "move" ? kindOf(one.place) : one.what, ...lonLat(one.at), name: (one.what === "move" ? one.name : changeName(one)).slice(0, MOST_LETTERS),
});
/** The changes as inputs of a job: its new places as `as`, "add" (taken to be there) or "propose" (what the plan is). */
export function triedPlaces(as) {
  const inputs = {};
  const placed = list.filter(({ what }) => ["station", "shop", "move"].includes(what)).map(asPlace);
  const gone = list.filter(({ what }) => what === "close" || what === "move").map((one) => one.place);
  const { closures } = whatIfBody();
  if (placed.length) inputs[as] = placed;
  if (gone.length) inputs.close = gone;
  if (closures) inputs.closures = closures;
  return inputs;
}
