// The panel: title, switches, headline figure, suggestions, legend (which is the layer control), parameters.
const subtitle = h("div", { class: "sc-sub" });
/** What the page shows; a sheet of today shows nothing that is proposed. */
function drawSubtitle() {
  const isOfToday = isPrinting() && state.mode === "before";
  subtitle.textContent = [isOfToday ? say("subtitle_today") : panel.subtitle, panel.date]
    .filter(Boolean).join(isChinese ? "｜" : " | ");
}
function headElement() {
  const switches = [];
  if (panel.has_sites) {
    switches.push(segmented(say("mode_switch"), [["before", say("before")], ["after", say("after")]],
      () => state.mode, (mode) => { state.mode = mode; }, changed));
  }
  if (panel.minutes.length > 1) {
    // only the chosen one has its unit where there are many
    const unit = panel.minutes.length <= 3;
    switches.push(segmented(say("minutes_switch"), panel.minutes.map((m, k) => [k, unit ? say("minutes", { m }) : m]),
      () => state.k, (k) => { state.k = k; }, changed));
  }
  drawSubtitle();
  return [
    panel.is_invented || panel.is_internal
      ? h("div", { class: "sc-tags" },
        panel.is_invented ? h("span", { class: "sc-tag sc-wide" }, say("invented")) : null,
        panel.is_invented ? h("span", { class: "sc-tag sc-short" }, say("invented_short")) : null,
        panel.is_internal ? h("span", { class: "sc-tag sc-seal" }, say("internal")) : null)
      : null,
    h("div", { class: "sc-title" }, h("h1", {}, panel.title), subtitle),
    switches.length ? h("div", { class: "sc-switches" }, ...switches) : null,
    panel.has_demand ? choicesElement() : null,
  ].filter(Boolean);
}

function headlineElement() {
  const place = h("div", { class: "sc-headline", "aria-live": "polite" });
  updates.push(() => place.replaceChildren(...headlineParts()));
  return place;
}
function headlineParts() {
  const figure = isChoosing() ? chosenFigure() : panel.figures[state.mode][state.k];
  const title = h("div", { class: "sc-sub" }, figure.title);
  if (!panel.has_demand) {
    return [title, h("div", { class: "sc-figure" }, h("b", { class: "sc-none" }, say("no_demand"))),
      h("div", { class: "sc-sub" }, say("no_demand_note"))];
  }
  const number = figure.share.replace("%", "");
  const beside = figure.change
    ? [h("span", { class: "sc-change" }, figure.change), h("span", { class: "sc-was" }, figure.was)]
    : [h("span", { class: "sc-was" }, figure.riders)];
  const total = figure.parts.reduce((sum, part) => sum + part.n, 0) || 1;
  const told = figure.parts.map((part) => `${part.name} ${part.told}`);
  const bar = h("div", { class: "sc-bar", role: "img", "aria-label": `${say("bar")}: ${told.join(", ")}` },
    ...figure.parts.filter((part) => part.n > 0).map((part) =>
      h("i", { style: { width: `${(100 * part.n) / total}%`, background: part.colour } })));
  const keys = h("div", { class: "sc-keys" }, ...figure.parts.map((part) =>
    h("span", {}, h("i", { style: { background: part.colour } }), `${part.name} ${part.told}`)));
  return [title, h("div", { class: "sc-figure" }, h("b", {}, number, h("small", {}, "%")), ...beside), bar, keys];
}

function suggestionsElement() {
  if (!panel.has_sites) return h("section", { class: "sc-full" }, h("div", { class: "sc-proof" }, panel.proof));
  const rows = places.suggestion.map((place) =>
    h("tr", {
      "data-number": place.number, tabindex: 0, role: "button",
      onclick: () => flyTo("suggestion", place),
      onkeydown: (event) => { if (event.key === "Enter") flyTo("suggestion", place); },
      onmouseenter: () => lift(place.number, true), onmouseleave: () => lift(place.number, false),
      onfocus: () => lift(place.number, true), onblur: () => lift(place.number, false),
    },
    h("td", {}, h("span", { class: "sc-number" + (place.kind === "shop" ? " sc-hollow" : "") }, String(place.number))),
    h("td", {}, h("div", { class: "sc-place",  }, h("span", {}, place.name), h("small", {}, place.note))),
    h("td", {}, place.gain)));
  rowsBox = h("div", { class: hasManyRows() ? "sc-rows sc-tight" : "sc-rows" }, h("table", {}, h("tbody", {}, ...rows)));
  const rest = panel.small_gains.length ? h("div", { class: "sc-rest" }, ...panel.small_gains.map((text) => h("span", {}, text))) : null;
  return h("section", { class: "sc-full sc-proposal" },
    h("h2", {}, say("suggested", { n: places.suggestion.length }), h("em", {}, panel.legend.suggested)),
    rowsBox, rest, h("div", { class: "sc-proof" }, panel.proof));
}
function hasManyRows() { return places.suggestion.length > 4; }
/** A panel that is too long draws closer, then a short list does too; then the list scrolls and gives up height, down to
 * five rows. Where that is not enough the panel scrolls anyway, and the list keeps its rows, up to a dozen. */
const LEAST_ROWS = 108, MOST_ROWS = 230;
let rowsBox = null;
function fitRows() {
  const over = () => side.scrollHeight - side.clientHeight;
  side.classList.remove("sc-dense");
  if (rowsBox) {
    rowsBox.style.maxHeight = "";
    rowsBox.classList.toggle("sc-tight", hasManyRows());
  }
  if (over() <= 0 || narrow.matches || isPrinting()) return;
  side.classList.add("sc-dense");
  if (over() <= 0 || !rowsBox) return;
  rowsBox.classList.add("sc-tight");
  if (over() <= 0) return;
  const left = rowsBox.offsetHeight - over();
  rowsBox.style.maxHeight = `${left >= LEAST_ROWS ? left : MOST_ROWS}px`;
}
function flyTo(kind, place) {
  const go = () => openCard(kind, place);
  const zoom = Math.max(map.getZoom(), 15);
  openSheet(false);
  if (calm.matches) { map.setView(place.at, zoom, { animate: false }); go(); return; }
  map.once("moveend", go);
  map.flyTo(place.at, zoom, { duration: 0.6 });
}

// ---- legend
function circleSwatch() {
  const shapes = panel.tints.map((tint, i) => {
    const k = n - 1 - i;
    const inset = 1 + (i * 7) / Math.max(1, n);
    const style = circleStyle(k);
    return svg("rect", {
      x: inset * 1.3, y: inset, width: 30 - 2.6 * inset, height: 18 - 2 * inset, rx: 3,
      fill: tint, stroke: style.color, "stroke-width": k === 0 ? 1.6 : 1.1, ...(style.dashArray ? { "stroke-dasharray": "3 2" } : {}),
    });
  });
  return svg("svg", { width: 30, height: 18, viewBox: "0 0 30 18" }, ...shapes);
}
const swatches = {
  circle: circleSwatch,
  cell: () => swatch(...[1, 2].map((c, i) => svg("rect", {
    x: 1 + 15.5 * i, y: 2, width: 12, height: 12, fill: panel.missed_colours[c], stroke: colours.gap, "stroke-width": 0.5,
  }))),
  gap: () => swatch(swatchBox({ fill: "#fff" }), swatchBox({ fill: "url(#sc-hatch)", stroke: colours.gap, "stroke-width": 1.5 })),
  gain: () => swatch(swatchBox({ fill: panel.tints[n - 1] }), swatchBox({ fill: "url(#sc-dots)", stroke: colours.proposal, "stroke-width": 2.2 })),
  suggestion: () => icons.pin(1, false, 14),
  station: () => icons.station(17),
  shop: () => icons.shop(16),
  depot: () => icons.depot(16),
  centre: () => icons.centre(18),
  candidate: () => icons.candidate(8),
  zone: () => swatch(svg("line", { x1: 1, y1: 8, x2: 29, y2: 8, stroke: colours.zone, "stroke-width": 1.3, "stroke-dasharray": "6 3 1.5 3" })),
  shapes: () => shapesSwatch(places.shop.concat(places.station)),
  closure: closureSwatch,
  week: () => swatch(swatchBox({ fill: "#fff" }), swatchBox({ fill: colours.night, "fill-opacity": 0.2, stroke: colours.night, "stroke-width": 2 })),
  base: baseSwatch,
};
function countNote(kind, list) {
  const off = list.filter((place) => place.off).length;
  const told = (n) => say("count." + kind, { n: whole(n) });
  return told(list.length) + (off ? say("count.off", { n: told(off) }) : "");
}
/** Rows of the legend: which layers there are, what each is called now, and whether the mode has it. */
const legendRows = [
  { key: "circle", has: circles.before.concat(circles.after).some((area) => area.length), note: () => panel.legend.circle },
  { key: "cell", has: cells.length > 0 && panel.has_demand, note: () => panel.legend.cell,
    name: () => say(state.cellsBy === "share" ? "layer.cell.share" : "layer.cell", { m: minutesNow() }), after: rampElement },
  { key: "gap", has: gapData.before.length + gapData.after.length > 0, isShown: () => !isChoosing(), note: () => panel.legend.gap },
  { key: "gain", has: panel.has_sites, isShown: () => state.mode === "after" && !isChoosing(), note: () => say("layer.gain.note", { m: minutesNow() }) },
  { key: "suggestion", has: panel.has_sites, note: () => (state.mode === "before" ? panel.legend.suggestion_today : panel.legend.suggestion) },
  { key: "station", has: places.station.length > 0, note: () => countNote("station", places.station) },
  { key: "shop", has: places.shop.length > 0, note: () => countNote("shop", places.shop) },
  shapesRow(places.shop.concat(places.station)),
  { key: "depot", has: places.depot.length > 0, note: () => countNote("depot", places.depot) },
  { key: "centre", has: places.centre.length > 0, note: () => countNote("centre", places.centre) },
  { key: "candidate", has: places.candidate.length > 0, isOff: true, note: () => countNote("candidate", places.candidate) },
  { key: "zone", has: zoneData.length > 0, isOff: true, note: () => `${countNote("zone", zoneData)}${isChinese ? "，" : ", "}${say("layer.zone.note")}`, after: zoneWarning },
  { key: "closure", has: closureData.length > 0, note: () => say(
    closureData.some((one) => !one.is_closed) ? "layer.closure.note_slow" : "layer.closure.note", { n: whole(closureData.length) }) },
  { key: "week", has: Boolean(week), isOff: true, note: () => week.note, after: curveElement },
  { key: "base", has: Boolean(panel.base), isOff: true, onToggle: showBase, note: () => panel.base.note },
].filter((row) => row.has);
for (const row of legendRows) state.isOn[row.key] = !row.isOff;

function rampElement() {
  const labels = h("div", { class: "sc-ramp" });
  const by = segmented(say("cell_switch"), [["riders", say("by_count")], ["share", say("by_share")]],
    () => state.cellsBy, (value) => { state.cellsBy = value; }, changed);
  by.classList.add("sc-by");
  const place = h("div", { class: "sc-ramp-row" }, labels, by);
  updates.push(() => {
    place.hidden = !state.isOn.cell;
    labels.replaceChildren(...panel.missed_colours.map((colour, c) =>
      h("span", {}, h("i", { style: { background: colour } }), classLabel(c, state.cellsBy, cellData.step))));
  });
  return place;
}
function zoneWarning() {
  const place = h("div", { class: "sc-warning" }, say("zone_warning"));
  updates.push(() => { place.hidden = !state.isOn.zone; });
  return place;
}

function parametersElement() {
  return h("section", { class: "sc-full sc-about" }, h("h2", {}, say("parameters")),
    h("dl", { class: "sc-parameters" }, ...panel.parameters.flatMap(([term, text]) => (term ? [h("dt", {}, term), h("dd", {}, text)] : [h("dd", { class: "sc-alone" }, text)]))));
}
function footElement() {
  const notes = panel.notes.length
    ? h("details", {}, h("summary", {}, say("notes", { n: panel.notes.length })), h("ul", {}, ...panel.notes.map((note) => h("li", {}, note))))
    : null;
  const made = [panel.made_by, "servicecircle"].filter(Boolean).join(isChinese ? "｜" : " | ");
  return h("div", { class: "sc-foot sc-full" }, notes, sheetNotes, h("div", {}, panel.foot, panel.foot ? " " : "", h("span", { class: "sc-made" }, made)));
}
/** The notes on paper: as many as fit, then how many there are besides. */
const sheetNotes = h("div", { class: "sc-sheet-notes" });
/** The panel is printed a little smaller where it would leave no room for this many notes. */
const SHEET_NOTES = 3;
const SHEET_ZOOMS = ["", 0.72, 0.68];
function fillSheetNotes() {
  const isFull = () => side.scrollHeight > side.clientHeight + 1;
  const list = h("ul");
  const put = (n) => {
    const left = panel.notes.length - n;
    const more = left ? [h("li", {}, say(n ? "notes_more" : "notes_all", { n: left }))] : [];
    list.replaceChildren(...panel.notes.slice(0, n).map((note) => h("li", {}, note)), ...more);
  };
  sheetNotes.replaceChildren(...(panel.notes.length ? [h("b", {}, say("sheet_notes")), list] : []));
  for (const zoom of SHEET_ZOOMS) {
    side.style.zoom = zoom;
    let n = panel.notes.length;
    do put(n); while (isFull() && n-- > 0);
    if (n >= Math.min(SHEET_NOTES, panel.notes.length)) return;
  }
}

// ---- the sheet on a phone
const peek = h("button", { type: "button", class: "sc-peek", onclick: () => openSheet(true) },
  panel.has_sites ? say("suggested", { n: places.suggestion.length }) : say("legend"), h("span", { "aria-hidden": "true" }, " \u25b2"));
side.setAttribute("aria-label", say("panel"));
side.replaceChildren(...[
  handle, ...headElement(), headlineElement(), choices ? choiceNote() : null, peek, suggestionsElement(),
  h("section", { class: "sc-full" }, h("h2", {}, say("legend"), h("span", { class: "sc-hint" }, say("legend_hint"))), ...legendRows.flatMap((row) => legendRowElement(row, swatches[row.key](), changed))),
  parametersElement(), footElement(),
].filter(Boolean));

function draw() {
  document.body.classList.toggle("sc-today", state.mode === "before");
  for (const update of updates) update();
  fitRows();
  measureSheet();
  drawAreas();
  drawPlaces();
  drawLabels();
}
/** Draw everything that hangs on a switch; the view stays where it is. */
function changed() {
  draw();
  if (calm.matches) return;
  for (const name of ["circle", "cell", "gap", "outline"]) {
    map.getPane("sc-" + name).animate([{ opacity: 0.25 }, { opacity: 1 }], { duration: 200, easing: "ease-out" });
  }
}

window.addEventListener("resize", () => { fitRows(); measureSheet(); });
