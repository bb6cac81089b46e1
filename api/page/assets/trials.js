// Tools and what they put on the map: by click, by dragging, by touch, by keyboard.
import { line, map } from "./base.js";
import { LIFT_OF } from "./cards.js";
import { openSheet, view } from "./controls.js";
import { icons } from "./icons.js";
import { colours, h, narrow, say, state } from "./page.js";
import { addChange, changeName, changes, onChanges, removeChange, toldId, updateChange } from "./changes.js";
import { blockedAt, farthest } from "./closing.js";
import { answers, last } from "./today.js";

export const TOOLS = ["station", "shop", "closure"];
/** The tool at hand; "": a click asks instead of placing. */
export const hand = { tool: narrow.matches ? "" : "station" };
const listeners = [];
export const onTool = (listener) => listeners.push(listener);
export function take(tool) {
  hand.tool = hand.tool === tool ? "" : tool;
  for (const listener of listeners) listener();
}
const said = h("div", { class: "sc-said", role: "status", "aria-live": "polite" });
view.append(said);
let saidFor = 0;
/** Say something in passing. */
export function mention(text) {
  said.textContent = text;
  clearTimeout(saidFor);
  saidFor = setTimeout(() => { said.textContent = ""; }, 4000);
}

export const symbolOfChange = (one, size) => (
  one.what === "closure" || one.what === "close" ? icons.blocked(size) : icons.trial(size, one.what === "shop"));

/** Put what the tool holds at a place. */
export function place(latlng, tool = hand.tool) {
  if (!tool) return null;
  if (tool === "closure") {
    const piece = blockedAt(latlng);
    if (!piece) {
      mention(say("live.no_street", { m: farthest }));
      return null;
    }
    return addChange({ what: "closure", ...piece });
  }
  return addChange({ what: tool, at: [latlng.lat, latlng.lng] });
}

// ---- markers
const markers = new Map();
const closureLines = [
  line("closure", [], { color: colours.halo, weight: 7, opacity: 0.9, lineCap: "round" }),
  line("closure", [], { color: colours.ink, weight: 3, dashArray: "1 5", lineCap: "round" }),
].map((layer) => layer.addTo(map));
const HANDLE = 34;
const iconOfChange = (one) => L.divIcon({
  className: `sc-ic sc-ic-${one.what === "closure" ? "blocked" : "trial"}`, html: symbolOfChange(one, HANDLE), iconSize: [HANDLE, HANDLE], iconAnchor: [HANDLE / 2, HANDLE / 2],
});
const STEP_PX = 8;
function addMarker(one) {
  const marker = L.marker(one.at, { pane: "sc-sug", icon: iconOfChange(one), draggable: true, autoPan: true, keyboard: true, zIndexOffset: 500 });
  const moveTo = (latlng) => {
    const now = changes().find(({ id }) => id === one.id);
    if (!now) return;
    if (one.what !== "closure") {
      updateChange(one.id, { at: [latlng.lat, latlng.lng], name: now.what === "move" ? now.name : undefined });
      return;
    }
    const piece = blockedAt(latlng);
    if (piece) updateChange(one.id, piece);
    else {
      marker.setLatLng(now.at);
      mention(say("live.no_street", { m: farthest }));
    }
  };
  marker.on("dragend", () => moveTo(marker.getLatLng()));
  marker.on("add", () => {
    const element = marker.getElement();
    element.setAttribute("aria-label", changeName(one));
    element.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Delete" || event.key === "Backspace") {
        event.preventDefault();
        remove(one);
        map.getContainer().focus();
      }
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const far = event.shiftKey ? 4 * STEP_PX : STEP_PX;
      const to = map.containerPointToLatLng(map.latLngToContainerPoint(marker.getLatLng()).add([far * step[0], far * step[1]]));
      marker.setLatLng(to);
      moveTo(to);
    });
  });
  markers.set(one.id, marker.addTo(map));
}
export function remove(one) {
  mention(say("live.removed", { name: changeName(one) }));
  removeChange(one.id);
}
function drawMarkers() {
  const placed = changes().filter((one) => one.at && state.isOn.trial);
  for (const [id, marker] of markers) {
    if (placed.some((one) => one.id === id)) continue;
    marker.remove();
    markers.delete(id);
  }
  for (const one of placed) {
    const marker = markers.get(one.id);
    if (!marker) addMarker(one);
    else if (!marker.getLatLng().equals(one.at)) marker.setLatLng(one.at);
  }
  const lines = changes().filter((one) => one.what === "closure" && state.isOn.trial).map((one) => one.line);
  for (const layer of closureLines) layer.setLatLngs(lines);
}
onChanges(drawMarkers);
export { drawMarkers };

/** What a change does alone: riders, or null while it is not known. */
export function effectOf(one) {
  const alone = answers.effect && answers.effect.changes.find(({ id }) => String(id) === toldId(one));
  return alone ? last(alone.gained) : null;
}
/** Names of trials, with whom they gain. */
export function trialLabels(placer, plus) {
  for (const one of changes()) {
    if (!one.at) continue;
    placer.block(one.at, HANDLE, HANDLE);
    const n = effectOf(one);
    if (n !== null && one.what !== "closure" && Math.floor(n + 0.5) > 0) placer.beside(plus(n), "trial", one.at, 13.5, HANDLE / 2, true);
  }
}

// ---- a tool drawn from the panel to the map
export function draggable(button, tool) {
  let start = null;
  let ghost = null;
  button.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    start = [event.clientX, event.clientY];
    button.setPointerCapture(event.pointerId);
  });
  button.addEventListener("pointermove", (event) => {
    if (!start) return;
    if (!ghost && Math.hypot(event.clientX - start[0], event.clientY - start[1]) < 8) return;
    if (!ghost) {
      ghost = h("div", { class: "sc-ghost" }, tool === "closure" ? icons.blocked(HANDLE) : icons.trial(HANDLE, tool === "shop"));
      document.body.append(ghost);
      openSheet(false);
    }
    Object.assign(ghost.style, { left: `${event.clientX}px`, top: `${event.clientY}px` });
  });
  const end = (event) => {
    if (ghost) {
      ghost.remove();
      suppressClick(button);
      const box = map.getContainer().getBoundingClientRect();
      const under = document.elementFromPoint(event.clientX, event.clientY);
      const isOnMap = under && map.getContainer().contains(under);
      if (event.type === "pointerup" && isOnMap) place(map.containerPointToLatLng([event.clientX - box.left, event.clientY - box.top]), tool);
    }
    start = ghost = null;
  };
  button.addEventListener("pointerup", end);
  button.addEventListener("pointercancel", end);
}
/** The click that ends a drag means nothing. */
function suppressClick(button) {
  const stop = (event) => { event.stopImmediatePropagation(); event.preventDefault(); };
  button.addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => button.removeEventListener("click", stop, { capture: true }), 50);
}

// ---- by keyboard: a cross that arrows move
const cross = h("div", { class: "sc-cross", "aria-hidden": "true" });
view.append(cross);
let crossAt = null;
const container = map.getContainer();
function showCross(isShown) {
  if (isShown && !crossAt) crossAt = map.getSize().divideBy(2);
  if (!isShown) crossAt = null;
  cross.classList.toggle("sc-shown", isShown);
  if (isShown) Object.assign(cross.style, { left: `${crossAt.x}px`, top: `${crossAt.y}px` });
}
export const aimByKeyboard = () => {
  container.focus();
  if (hand.tool && document.body.classList.contains("sc-by-key")) {
    showCross(true);
    mention(say("live.hint_keys"));
  }
};
container.addEventListener("keydown", (event) => {
  if (event.target !== container || !hand.tool) return;
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!step && event.key !== "Enter") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  showCross(true);
  if (event.key === "Enter") {
    const made = place(map.containerPointToLatLng(crossAt));
    if (made) mention(say("live.placed", { name: changeName(made) }));
    return;
  }
  const far = event.shiftKey ? 5 * STEP_PX : STEP_PX;
  const size = map.getSize();
  const to = crossAt.add([far * step[0], far * step[1]]);
  const inside = L.point(Math.max(20, Math.min(size.x - 20, to.x)), Math.max(20, Math.min(size.y - 20, to.y)));
  const over = to.subtract(inside);
  if (over.x || over.y) map.panBy(over, { animate: false });
  crossAt = inside;
  showCross(true);
}, true);
container.addEventListener("blur", () => showCross(false));
onTool(() => { if (!hand.tool) showCross(false); container.classList.toggle("sc-placing", hand.tool !== ""); });
container.classList.toggle("sc-placing", hand.tool !== "");
LIFT_OF.trial = HANDLE / 2;
