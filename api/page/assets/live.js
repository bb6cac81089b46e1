// The live page: panel, legend, keys, what can be found; all else hangs on two things, what is asked and what is tried.
import { map, styleStreets } from "./base.js";
import { blockedLayers, blockedSwatch, labelBlocked } from "./blocked.js";
import { SMALL_BELOW, iconOf, isSmall, openCard, shapesOf, shapesRow, shapesSwatch, symbolOfCard } from "./cards.js";
import { baseSwatch, handle, legendRowElement, measureSheet, openSheet, segmented, side, swatch, swatchBox, updates } from "./controls.js";
import { drawScale, fitWhole, folded, hooks, streetEntries } from "./furniture.js";
import { icons } from "./icons.js";
import { calm, colours, data, h, isChinese, panel, riders, say, share, state, svg, unpack, whole } from "./page.js";
import { showBase } from "./tiles.js";
import { Placer, blockFurniture, labelStreets, labelZones, putLabels } from "./placer.js";
import { circleStyle, classLabel } from "./shapes.js";
import { addChange, changeName, changeOf, changes, onChanges, removeChange, undo } from "./changes.js";
import { downloadSeen } from "./download.js";
import { jobElement, planEffect, takeOver } from "./job.js";
import { proposalParts } from "./proposal.js";
import { allowedMinutes, asParameters, fitMinutes, keepQuestion, profileNow, question } from "./question.js";
import { changesParts, readoutParts, signed } from "./readout.js";
import { answers, cellAt, cellData, cellNow, drawAnswers, last, onAnswer, refreshToday, zoneData } from "./today.js";
import { TOOLS, aimByKeyboard, draggable, drawMarkers, hand, onTool, place, symbolOfChange, take, trialLabels } from "./trials.js";

const places = data("places");
const closureData = data("closures");
const counted = closureData.filter((one) => one.is_counted);
const recorded = closureData.filter((one) => !one.is_counted);

// ---- places that are there: their cards can close and move them
const PANE_OF = { station: "station", depot: "station", centre: "station", shop: "shop", suggestion: "sug" };
const markers = [];
const isShownClosed = (one) => {
  const change = one.id && changeOf(one.id);
  return Boolean(one.closed || change || (answers.today && one.id && answers.today.left_out.includes(one.id)));
};
function cardOf(kind, one) {
  const card = { ...(one.card || { kind: say(`card.suggestion.${one.kind}`), name: one.name, rows: [], figures: [] }), figures: [] };
  if (kind === "suggestion") card.rows = [["", h("button", { type: "button", class: "sc-link sc-act", onclick: () => { map.closePopup(); takeOver([asSite(one)]); } }, say("live.take_one"))]];
  if (!one.id || kind === "suggestion") return { ...one, card };
  const act = (text, doing) => h("button", { type: "button", class: "sc-link sc-act", onclick: () => { map.closePopup(); doing(); } }, text);
  const change = changeOf(one.id);
  const acts = change ? [act(say("live.do_undo"), () => removeChange(change.id))] : [
    act(say("live.do_close"), () => addChange({ what: "close", place: one.id, name: one.name })),
    act(say("live.do_move"), () => addChange({ what: "move", place: one.id, name: one.name, at: besides(one.at) })),
  ];
  return { ...one, card: { ...card, rows: [...card.rows, ["", h("span", { class: "sc-acts" }, ...acts)]] } };
}
/** A little beside a place, so that both can be seen. */
const besides = (at) => {
  const { lat, lng } = map.containerPointToLatLng(map.latLngToContainerPoint(at).add([36, 0]));
  return [lat, lng];
};
const asSite = (one) => ({ id: one.id, what: one.kind, name: one.name, at: one.at });
for (const kind of Object.keys(PANE_OF)) {
  for (const one of places[kind]) {
    const marker = L.marker(one.at, { pane: "sc-" + PANE_OF[kind], icon: iconOf(kind, one, one.closed), riseOnHover: true, zIndexOffset: kind === "station" ? 1000 : 0 });
    marker.on("click", ({ originalEvent }) => {
      if (hand.tool && originalEvent.type === "click") place(map.mouseEventToLatLng(originalEvent));
      else openCard(kind, cardOf(kind, one));
    });
    marker.on("add", () => marker.getElement().setAttribute("aria-label", `${one.card ? one.card.kind : say("live.layer.suggestion")} ${one.name}`));
    markers.push({ kind, one, marker, isClosed: Boolean(one.closed) });
    if (one.shape) markers.push({ kind: "shapes", marker: shapesOf(one.shape) });
  }
}
function drawPlaces() {
  for (const entry of markers) {
    const { kind, one, marker } = entry;
    if (one && entry.isClosed !== isShownClosed(one)) {
      entry.isClosed = isShownClosed(one);
      marker.setIcon(iconOf(kind, one, entry.isClosed));
    }
    if (state.isOn[kind]) marker.addTo(map);
    else marker.remove();
  }
}
let wasSmall = isSmall();
map.on("zoomend", () => {
  if (isSmall() === wasSmall) return;
  wasSmall = isSmall();
  for (const { kind, one, marker, isClosed } of markers) if (one && kind !== "suggestion") marker.setIcon(iconOf(kind, one, isClosed));
});
const blocked = { closure: blockedLayers(counted), record: blockedLayers(recorded) };

// ---- labels
function drawLabels() {
  const placer = new Placer();
  const { isOn } = state;
  for (const kind of ["suggestion", "station", "centre", "depot", "shop"]) if (isOn[kind]) placer.blockPlaces(kind, places[kind]);
  blockFurniture(placer);
  if (isOn.trial) trialLabels(placer, plusTold);
  if (isOn.closure) labelBlocked(placer, counted);
  if (isOn.record) labelBlocked(placer, recorded);
  const zoom = map.getZoom();
  if (isOn.station) for (const one of places.station) placer.beside(one.name, "station", one.at, 12.5, isSmall() ? 10 : 13, true);
  const named = new Set(places.station.map((one) => one.name));
  if (isOn.centre) for (const one of places.centre) if (!named.has(one.name)) placer.beside(one.name, "station", one.at, 12.5, isSmall() ? 9 : 12, true);
  if (isOn.depot && zoom >= SMALL_BELOW + 1) for (const one of places.depot) placer.beside(one.name, "depot", one.at, 11.5, 10, false);
  if (isOn.zone) labelZones(placer, zoneData);
  if (!state.base) labelStreets(placer);
  if (isOn.shop && zoom >= 16) for (const one of places.shop) placer.beside(one.name, "shop", one.at, 11, 9, false);
  putLabels(placer);
}
function plusTold(n) {
  const told = whole(n);
  return say(told === "1" ? "live.plus_1" : "live.plus", { n: told });
}
map.on("moveend", drawLabels);

// ---- cells: a click without a tool asks
map.on("click", ({ latlng, originalEvent }) => {
  if (originalEvent && originalEvent.detail > 1) return; // the second click of two zooms
  if (hand.tool) {
    if (place(latlng)) openSheet(false);
    return;
  }
  const i = state.isOn.cell ? cellAt(latlng) : -1;
  if (i >= 0) openCard("cell", { at: latlng, card: cellCard(i) });
});
function cellCard(i) {
  const { riders: all, covered } = cellNow(i);
  const { nearest, nearest_min: minutes } = answers.today.cells;
  const told = minutes[i] === null ? nearest[i] : say("nearest_at", {
    name: nearest[i], way: say(`way.${profileNow().roads}`), minutes: say("minutes_n", { n: minutes[i].toFixed(1) }),
  });
  return {
    kind: panel.cell_note, name: say("cell_riders", { riders: riders(all) }), rows: nearest[i] ? [[say("nearest"), told]] : [],
    figures: [[riders(covered), say("cell_covered", { m: question.minutes })], [share(covered, all), say("cell_share")]],
  };
}

// ---- the question: mode, hour, service, minutes
let waiting = 0;
const SETTLE_MS = 120;
/** Ask anew, once the slider rests. */
function askAnew() {
  keepQuestion();
  say_();
  clearTimeout(waiting);
  waiting = setTimeout(() => { refreshToday(); comparePlan(); }, SETTLE_MS);
}
const say_ = () => { for (const update of updates) update(); };

function select(label, groups, get, set) {
  const list = h("select", { "aria-label": label, onchange: (event) => { set(event.target.value); askAnew(); } },
    ...groups.map(([name, options]) => {
      const entries = options.map(([value, text]) => h("option", { value }, text));
      return name ? h("optgroup", { label: name }, ...entries) : entries[0];
    }));
  updates.push(() => {
    if (![...list.options].some((option) => option.value === get())) list.append(h("option", { value: get() }, get()));
    list.value = get();
    list.classList.toggle("sc-chosen", get() !== "any");
  });
  return h("label", { class: "sc-choose" }, h("span", {}, label), list);
}
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
function hourSelect() {
  const groups = panel.days.map((day, d) => [day, Array.from({ length: 24 }, (_, hour) =>
    [`${DAYS[d]} ${String(hour).padStart(2, "0")}:00`, say("live.hour_at", { day, h: hour })])]);
  return select(say("live.hour"), [["", [["any", say("live.hour_any")]]], ...groups], () => question.when, (value) => { question.when = value; });
}
function serviceSelect() {
  if (!panel.services.length) return null;
  return select(say("live.service"), [["", [["any", say("live.service_any")]]], ["\u00a0", panel.services]], () => question.service, (value) => { question.service = value; });
}
function sliderElement() {
  const told = h("output", { class: "sc-minutes" });
  const slider = h("input", { type: "range", step: 1, "aria-label": say("live.minutes") });
  const ticks = h("div", { class: "sc-ticks", "aria-hidden": "true" });
  slider.addEventListener("input", () => { question.minutes = allowedMinutes()[Number(slider.value)]; askAnew(); });
  updates.push(() => {
    const allowed = allowedMinutes();
    Object.assign(slider, { min: 0, max: allowed.length - 1 });
    slider.value = allowed.indexOf(question.minutes);
    told.textContent = say("live.minutes_n", { m: question.minutes });
    slider.setAttribute("aria-valuetext", told.textContent);
    slider.style.setProperty("--part", `${(100 * Number(slider.value)) / Math.max(1, allowed.length - 1)}%`);
    const shown = allowed.filter((m, i) => m % 5 === 0 || (i === 0 && m % 5 < 4));
    ticks.replaceChildren(...shown.map((m) => h("span", { style: { left: `${(100 * allowed.indexOf(m)) / Math.max(1, allowed.length - 1)}%` } }, String(m))));
  });
  return h("div", { class: "sc-slider" }, h("div", {}, slider, ticks), told);
}
function questionElement() {
  const modes = panel.profiles.map(({ name }) => [name, panel.words[`live.${name}`] || name]);
  const modeSwitch = modes.length < 2 ? null : segmented(say("live.profile"), modes, () => question.profile,
    (name) => { question.profile = name; fitMinutes(); }, askAnew);
  return [
    h("div", { class: "sc-switches sc-asked" }, modeSwitch, hourSelect()),
    sliderElement(),
    h("div", { class: "sc-chooser" }, serviceSelect()),
  ];
}

// ---- tools
function toolsElement() {
  const picture = { station: () => icons.station(22), shop: () => icons.shop(20), closure: () => icons.blocked(22) };
  const buttons = TOOLS.map((tool) => {
    const button = h("button", {
      type: "button", class: "sc-tool", "data-tool": tool,
      onclick: () => { take(tool); if (hand.tool) { openSheet(false); aimByKeyboard(); } },
    }, picture[tool](), h("span", {}, say(`live.add.${tool}`)));
    draggable(button, tool);
    onTool(() => button.setAttribute("aria-pressed", hand.tool === tool));
    button.setAttribute("aria-pressed", hand.tool === tool);
    return button;
  });
  return h("div", { class: "sc-tools", role: "group", "aria-label": say("live.tools") }, ...buttons);
}

// ---- the plan beside what is tried
const planTold = h("div", { class: "sc-sub", role: "status" });
let plannedFor = "";
async function comparePlan() {
  if (!places.suggestion.length || !state.isOn.suggestion) return;
  const key = asParameters();
  if (plannedFor === key) return;
  plannedFor = key;
  try {
    const effect = await planEffect(places.suggestion);
    const gained = last(effect.after.covered) - last(effect.before.covered);
    if (plannedFor === key) {
      planTold.textContent = say("live.plan_gain", { m: question.minutes, after: share(last(effect.after.covered), effect.after.riders), change: say("gain", { n: signed(gained) }) });
    }
  } catch (error) {
    plannedFor = "";
    planTold.textContent = error.message;
  }
}
function planElement() {
  if (!places.suggestion.length) return null;
  const tick = h("div", {
    class: "sc-layer sc-compare", role: "checkbox", tabindex: 0, onclick: () => toggle(),
    onkeydown: (event) => { if (event.key === " " || event.key === "Enter") { event.preventDefault(); toggle(); } },
  }, h("span", { class: "sc-swatch" }, icons.pin(1, false, 14)), h("span", { class: "sc-layer-name" }, say("live.plan_compare"), " ", h("em", {}, say("live.plan", { n: places.suggestion.length }))), h("span", { class: "sc-tick" }));
  const takeAll = h("button", { type: "button", class: "sc-plain", onclick: () => { takeOver(places.suggestion.map(asSite)); if (state.isOn.suggestion) toggle(); } }, say("live.take"));
  function toggle() {
    state.isOn.suggestion = !state.isOn.suggestion;
    changed();
    comparePlan();
  }
  updates.push(() => {
    tick.setAttribute("aria-checked", Boolean(state.isOn.suggestion));
    planTold.hidden = takeAll.hidden = !state.isOn.suggestion;
  });
  return h("section", { class: "sc-full sc-plan" }, tick, planTold, takeAll);
}

// ---- legend
const n = (kind) => say("count." + kind, { n: whole(places[kind].length) });
const swatches = {
  circle: () => swatch(swatchBox({ fill: panel.tint, stroke: circleStyle(0).color, "stroke-width": 1.6 })),
  trial: () => swatch(swatchBox({ fill: "#fff" }), swatchBox({ fill: "url(#sc-dots)", stroke: colours.proposal, "stroke-width": 2.2 })),
  cell: () => swatch(...[1, 2].map((c, i) => svg("rect", { x: 1 + 15.5 * i, y: 2, width: 12, height: 12, fill: panel.missed_colours[c], stroke: colours.gap, "stroke-width": 0.5 }))),
  station: () => icons.station(17), shop: () => icons.shop(16), depot: () => icons.depot(16), centre: () => icons.centre(18),
  shapes: () => shapesSwatch(places.shop.concat(places.station)),
  closure: () => blockedSwatch(counted),
  record: () => blockedSwatch(recorded),
  zone: () => swatch(svg("line", { x1: 1, y1: 8, x2: 29, y2: 8, stroke: colours.zone, "stroke-width": 1.3, "stroke-dasharray": "6 3 1.5 3" })),
  base: baseSwatch,
};
const legendRows = [
  { key: "circle", has: true, note: () => say("layer.circle.note", { m: question.minutes, way: say(`way.${profileNow().roads}`) }) },
  { key: "trial", has: true, name: () => say("live.layer.trial"), note: () => say("live.layer.trial.note") },
  { key: "cell", has: panel.has_demand, name: () => say(state.cellsBy === "share" ? "layer.cell.share" : "layer.cell", { m: question.minutes }), note: () => panel.cell_note, after: rampElement },
  ...["station", "shop", "depot", "centre"].map((kind) => ({ key: kind, has: places[kind].length > 0, note: () => n(kind) })),
  shapesRow(places.shop.concat(places.station)),
  { key: "closure", has: counted.length > 0, name: () => say("live.layer.closure"), note: () => say("live.layer.closure.note") },
  { key: "record", has: recorded.length > 0, isOff: true, name: () => say("live.layer.record"), note: () => say("live.layer.record.note") },
  { key: "zone", has: zoneData.length > 0, isOff: true, note: () => say("layer.zone.note"), after: zoneWarning },
  { key: "base", has: Boolean(panel.base), isOff: true, onToggle: showBase, note: () => panel.base.note },
].filter((row) => row.has);
for (const row of legendRows) state.isOn[row.key] = !row.isOff;
state.isOn.suggestion = false;
function rampElement() {
  const labels = h("div", { class: "sc-ramp" });
  const by = segmented(say("cell_switch"), [["riders", say("by_count")], ["share", say("by_share")]], () => state.cellsBy, (value) => { state.cellsBy = value; }, changed);
  by.classList.add("sc-by");
  const box = h("div", { class: "sc-ramp-row" }, labels, by);
  updates.push(() => {
    box.hidden = !state.isOn.cell;
    labels.replaceChildren(...panel.missed_colours.map((colour, c) => h("span", {}, h("i", { style: { background: colour } }), classLabel(c, state.cellsBy, cellData.step))));
  });
  return box;
}
function zoneWarning() {
  const box = h("div", { class: "sc-warning" }, say("zone_warning"));
  updates.push(() => { box.hidden = !state.isOn.zone; });
  return box;
}
let details = null;
let wasOpen = false;
function legendElement() {
  details = h("details", { class: "sc-legend" }, h("summary", {}, say("live.legend")),
    ...legendRows.flatMap((row) => legendRowElement(row, swatches[row.key](), changed)));
  details.addEventListener("toggle", measureSheet);
  return h("section", { class: "sc-full" }, details);
}

// ---- head, downloads
function headParts() {
  const other = isChinese ? "en" : "zh";
  const language = h("a", { class: "sc-lang", href: `?lang=${other}`, lang: other, hreflang: other }, say("live.lang"));
  const tags = h("div", { class: "sc-tags" },
    panel.is_invented ? h("span", { class: "sc-tag sc-wide" }, say("invented")) : null, panel.is_invented ? h("span", { class: "sc-tag sc-short" }, say("invented_short")) : null,
    panel.is_internal ? h("span", { class: "sc-tag sc-seal" }, say("internal")) : null, language);
  return [tags, h("div", { class: "sc-title" }, h("h1", {}, say("live.title")), h("div", { class: "sc-sub" }, panel.study))];
}
function downloadsElement() {
  const [proposal, told] = proposalParts();
  return h("div", { class: "sc-downloads sc-full" }, proposal,
    h("button", { type: "button", class: "sc-plain", title: say("live.download_why"), onclick: downloadSeen }, say("live.download_geojson")), told,
    h("div", { class: "sc-foot" }, h("div", { class: "sc-hint" }, say("live.hint")), h("div", { class: "sc-made" }, [panel.foot, "servicecircle"].filter(Boolean).join(isChinese ? "｜" : " | "))));
}
const readout = h("div", { class: "sc-headline", "aria-live": "polite" });
const changeBox = h("section", { class: "sc-full sc-mine" });
const peek = h("button", { type: "button", class: "sc-peek", onclick: () => openSheet(true) });

side.setAttribute("aria-label", say("live.panel"));
side.replaceChildren(...[
  handle, ...headParts(), ...questionElement(), toolsElement(), h("hr"), readout, peek, changeBox, planElement(), jobElement(), legendElement(), downloadsElement(),
].filter(Boolean));

// ---- drawing
function drawPanel() {
  readout.replaceChildren(...readoutParts());
  changeBox.replaceChildren(...changesParts());
  peek.replaceChildren(say("live.changes", { n: changes().length }), h("span", { "aria-hidden": "true" }, " \u25b2"));
  side.classList.toggle("sc-busy", answers.isBusy);
  measureSheet();
}
/** A layer is switched on or off; the view stays where it is. */
function changed() {
  say_();
  drawPanel();
  drawAnswers();
  drawMarkers();
  drawPlaces();
  for (const [key, layers] of Object.entries(blocked)) {
    for (const layer of layers) {
      if (state.isOn[key]) layer.addTo(map);
      else layer.remove();
    }
  }
  drawLabels();
}
onChanges(() => { drawPanel(); drawPlaces(); });
onAnswer(() => {
  drawPanel();
  drawPlaces();
  drawLabels();
  document.body.dataset.answered = String(Number(document.body.dataset.answered || 0) + 1);
});

// ---- keys, search, paper
document.addEventListener("keydown", (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (!isTyping && event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
    event.preventDefault();
    undo();
  }
});
const findable = [
  ...["station", "centre", "shop", "depot"].flatMap((kind) => places[kind].map((one) => folded({ kind, name: one.name, at: one.at, place: one }))),
  ...streetEntries(),
];
symbolOfCard.trial = ({ change }) => symbolOfChange(change, 16);
Object.assign(hooks, {
  entries: () => [...findable, ...changes().filter((one) => one.at).map((one) => folded({ kind: "trial", name: changeName(one), at: one.at, place: { change: one, at: one.at } }))],
  goTo: ({ kind, place: one }) => {
    openSheet(false);
    map.setView(one.at, Math.max(map.getZoom(), 15), { animate: !calm.matches });
    if (kind !== "trial") openCard(kind, cardOf(kind, one));
  },
  escape: () => { if (hand.tool) take(hand.tool); },
  drawLabels,
  toPaper: () => { wasOpen = details.open; details.open = true; },
  toScreen: () => { details.open = wasOpen; },
});
window.addEventListener("resize", measureSheet);

// ---- start
map.getContainer().setAttribute("aria-label", say("map"));
map.getContainer().tabIndex = 0;
styleStreets();
changed();
fitWhole();
drawScale();
refreshToday();
