// What stands on the map: search, zoom, whole view, print, scale with north, attribution.
import { isPrinting, map, streets, styleStreets } from "./base.js";
import { goBack, symbolOfCard } from "./cards.js";
import { openSheet, side, updates, view } from "./controls.js";
import { icons } from "./icons.js";
import { calm, colours, distance, h, isChinese, narrow, panel, say, state, svg } from "./page.js";

/** What a page does in its own way: what can be found and how to go there, Escape, its labels, its sheet of paper. */
export const hooks = { entries: () => [], goTo: () => {}, escape: () => {}, drawLabels: () => {}, toPaper: () => {}, toScreen: () => {} };
let isWhole = true;

export function fitWhole() {
  const below = narrow.matches && !isPrinting() ? side.offsetHeight : 0;
  const free = narrow.matches && !isPrinting() ? 10 : 24;
  map.fitBounds(panel.bounds, {
    paddingTopLeft: [free, free], paddingBottomRight: [free, free + below], animate: false, maxZoom: 18,
  });
  isWhole = true;
}
map.on("dragstart", () => { isWhole = false; });
view.addEventListener("wheel", () => { isWhole = false; }, { passive: true });

// ---- buttons
const button = (icon, label, onclick) => h("button", { type: "button", title: label, "aria-label": label, onclick }, icon);
const zoomBy = (step) => () => { isWhole = false; map.setZoom(map.getZoom() + step, { animate: !calm.matches }); };
const buttons = h("div", { class: "sc-buttons sc-furniture" },
  button(icons.plus(), say("zoom_in"), zoomBy(1)),
  button(icons.minus(), say("zoom_out"), zoomBy(-1)),
  button(icons.whole(), say("whole"), fitWhole),
  button(icons.print(), say("print"), () => { preparePrint(); window.print(); }));

// ---- scale and north
const scaleText = h("div", { class: "sc-scale-text" });
const scaleBar = h("div", { class: "sc-scale-bar" });
const scale = h("div", { class: "sc-scale sc-furniture" },
  h("div", { class: "sc-north" }, h("span", {}, say("north")), icons.north()), h("div", {}, scaleText, scaleBar));
const ROUND = [1, 2, 2.5, 5].flatMap((step) => [1, 10, 100, 1000, 10000, 100000].map((power) => step * power))
  .filter((metres) => metres >= 10 && Number.isInteger(metres)).sort((a, b) => a - b);
export function drawScale() {
  const y = map.getSize().y / 2;
  const metres = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([100, y]));
  const shown = ROUND.filter((value) => value <= metres).pop() || ROUND[0];
  scaleBar.style.width = `${(100 * shown) / metres}px`;
  scaleText.textContent = distance(shown);
}
map.on("moveend zoomend resize", drawScale);

const attributionText = h("span", {}, panel.attribution);
const attribution = h("div", { class: "sc-attribution sc-furniture" }, attributionText);
updates.push(() => {
  const credit = panel.base ? panel.base.credit : "";
  attributionText.textContent = state.base && !panel.attribution.includes(credit)
    ? [credit, panel.attribution].filter(Boolean).join(isChinese ? "｜" : " | ") : panel.attribution;
  attribution.hidden = !attributionText.textContent;
});

// ---- the watermark: over the map, beneath everything that can be clicked beside it
if (panel.is_internal) {
  const text = svg("text", { x: 130, y: 84, "text-anchor": "middle", "font-size": 24, "letter-spacing": 6, fill: colours.ink, "fill-opacity": 0.13, transform: "rotate(-28 130 84)" });
  text.textContent = say("internal");
  view.append(svg("svg", { class: "sc-watermark", "aria-label": say("internal"), role: "img" },
    svg("defs", {}, svg("pattern", { id: "sc-mark", width: 260, height: 170, patternUnits: "userSpaceOnUse" }, text)),
    svg("rect", { width: "100%", height: "100%", fill: "url(#sc-mark)" })));
}

// ---- search: places by name, and streets
const MOST_FOUND = 8;
/** A thing that can be found, in small letters. */
export const folded = (entry) => ({ ...entry, folded: entry.name.toLowerCase() });
/** Streets, each where its first label may stand. */
export function streetEntries() {
  const first = new Map();
  for (const [text, lat, lon] of streets.labels) if (!first.has(text)) first.set(text, [lat, lon]);
  return [...first].map(([text, at]) => folded({ kind: "street", name: streets.names[text], at }));
}
function find(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const found = hooks.entries().filter((entry) => entry.folded.includes(wanted));
  const starts = found.filter((entry) => entry.folded.startsWith(wanted));
  return [...starts, ...found.filter((entry) => !starts.includes(entry))].slice(0, MOST_FOUND);
}
const results = h("ul", { class: "sc-results", role: "listbox", id: "sc-results" });
const input = h("input", {
  type: "search", autocomplete: "off", spellcheck: "false", placeholder: say("search"), "aria-label": say("search"),
  role: "combobox", "aria-expanded": "false", "aria-controls": "sc-results",
});
const search = h("div", { class: "sc-search sc-furniture", role: "search" }, icons.glass(), input, results);
let found = [];
let chosen = 0;
function drawResults() {
  found = find(input.value);
  chosen = 0;
  const rows = found.map((entry, i) =>
    h("li", { role: "option", "aria-selected": i === chosen, onmousedown: (event) => { event.preventDefault(); goTo(entry); } },
      h("span", { class: "sc-result-icon" }, entry.kind === "street" ? icons.street() : symbolOfCard[entry.kind](entry.place)),
      h("span", {}, entry.name)));
  if (!rows.length && input.value.trim()) rows.push(h("li", { class: "sc-nothing" }, say("search_none")));
  results.replaceChildren(...rows);
  input.setAttribute("aria-expanded", rows.length > 0);
}
function goTo(entry) {
  input.value = entry.name;
  results.replaceChildren();
  input.setAttribute("aria-expanded", "false");
  input.blur();
  isWhole = false;
  if (entry.place) hooks.goTo(entry);
  else map.setView(entry.at, Math.max(map.getZoom(), 16), { animate: !calm.matches });
}
input.addEventListener("input", drawResults);
input.addEventListener("blur", () => { results.replaceChildren(); input.setAttribute("aria-expanded", "false"); });
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && found.length) goTo(found[chosen]);
  if (event.key === "Escape") { input.value = ""; drawResults(); input.blur(); }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !found.length) return;
  event.preventDefault();
  chosen = (chosen + step + found.length) % found.length;
  [...results.children].forEach((row, i) => row.setAttribute("aria-selected", i === chosen));
});
document.addEventListener("keydown", (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (event.key === "/" && !isTyping) { event.preventDefault(); input.focus(); }
  if (event.key === "Escape" && !isTyping) { map.closePopup(); openSheet(false); hooks.escape(); }
});
L.DomEvent.disableClickPropagation(search);
L.DomEvent.disableScrollPropagation(search);
L.DomEvent.disableClickPropagation(buttons);
view.append(search, buttons, scale, attribution);

// ---- print: the sheet's own size first, then the labels, then the printer
let seen = null;
let wasOpen = false;
function preparePrint() {
  if (seen) return;
  map.closePopup();
  goBack();
  wasOpen = side.classList.contains("sc-open");
  seen = { centre: map.getCenter(), zoom: map.getZoom(), bounds: map.getBounds(), isWhole };
  document.body.classList.add("sc-print");
  side.classList.add("sc-open"); // a phone's closed sheet hides most of the panel
  hooks.toPaper();
  map.invalidateSize({ animate: false, pan: false });
  if (seen.isWhole) fitWhole();
  else map.fitBounds(seen.bounds, { animate: false });
  styleStreets();
  hooks.drawLabels();
}
function afterPrint() {
  if (!seen) return;
  document.body.classList.remove("sc-print");
  side.classList.toggle("sc-open", wasOpen);
  side.style.zoom = "";
  hooks.toScreen();
  map.invalidateSize({ animate: false, pan: false });
  map.setView(seen.centre, seen.zoom, { animate: false });
  isWhole = seen.isWhole;
  seen = null;
  styleStreets();
  hooks.drawLabels();
}
window.addEventListener("beforeprint", preparePrint);
window.addEventListener("afterprint", afterPrint);
map.on("resize", () => { if (isWhole && !seen) fitWhole(); });
