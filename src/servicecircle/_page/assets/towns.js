// Many towns: zoomed out the share of riders covered by town; zoomed in circles, places and suggestions.
const towns = data("towns");
const drawnTowns = towns.filter((town) => town.at);
for (const town of drawnTowns) {
  town.latlngs = unpackPolygons(town.shape, 5);
  town.reach = unpackPolygons(town.circles, 5);
}

// ---- layers: a town that is small on the screen is a dot, a larger one its share; where most are large, or one fills it, circles and places
const SMALL_PX = 16;
const INTO_PX = 340;
const FILLS = 0.55;
const canvasOf = (pane) => L.canvas({ pane: "sc-" + pane, padding: 0.2 });
const [reachPane, placePane] = [canvasOf("circle"), canvasOf("shop")]; // quicker than SVG for the circles and places of many towns
const onCanvas = (pane, renderer, options) => ({ pane: "sc-" + pane, renderer, interactive: false, smoothFactor: 0.6, stroke: true, fill: true, ...options });
const shareColour = (town) => (town.class === null ? colours.shade : panel.share_colours[town.class]);
const disc = (at, radius, fillColor) => L.circleMarker(at, onCanvas("shop", placePane, { radius, color: colours.white, weight: 1.3, fillColor, fillOpacity: 1 }));
const layersOf = new Map(drawnTowns.map((town) => [town, {
  dot: L.circleMarker(town.at, shapeOptions("circle", { radius: 7, stroke: true, color: colours.circle_line, weight: 1.2, fill: true, fillColor: shareColour(town), fillOpacity: 1 })),
  fill: area("circle", town.latlngs, { fillColor: shareColour(town), stroke: true, color: colours.white, weight: 1.2 }),
  reach: L.polygon(town.reach, onCanvas("circle", reachPane, { color: colours.circle_line, weight: 1.4, opacity: 0.9, fillColor: panel.fill, fillOpacity: panel.fill_alpha })),
  places: L.layerGroup(town.places.map(([at, kind]) => disc(at, kind === "station" ? 4.5 : 3, colours[kind === "station" ? "station" : "shop"]))),
  sites: L.layerGroup(town.sites.map((at) => disc(at, 5, colours.proposal))),
}]));
const borders = area("outline", drawnTowns.filter((town) => town.has_border).flatMap((town) => town.latlngs), {
  fill: false, stroke: true, color: colours.zone, weight: 1.2, dashArray: "6 3 1.5 3",
});
const jointSites = (panel.joint?.sites ?? []).map(([at, town, name, kind, gained], i) => ({ at, town, name, kind, gained, number: i + 1 }));
const jointRadius = ({ kind }) => (kind === "shop" ? 4.5 : 6);
const jointLayer = L.layerGroup(jointSites.map((site) => L.circleMarker(site.at, {
  ...shapeOptions("sug", { radius: jointRadius(site), stroke: true, color: colours.proposal, weight: 3.5, fill: true, fillColor: colours.white, fillOpacity: 1 }),
  interactive: true, bubblingMouseEvents: false,
}).on("click", () => openSite(site))));
const sizeOf = (town) => {
  const [low, high] = town.box.map((corner) => map.latLngToContainerPoint(corner));
  return Math.max(high.x - low.x, low.y - high.y);
};
const showLayer = (layer, isShown) => {
  if (isShown === map.hasLayer(layer)) return;
  if (isShown) layer.addTo(map); else layer.remove();
};
function drawTowns() {
  const sizes = drawnTowns.map(sizeOf).sort((a, b) => a - b);
  const { x, y } = map.getSize();
  const fills = FILLS * Math.min(x, y);
  const isNear = sizes[sizes.length >> 1] >= INTO_PX; // so that neighbours are not drawn in two ways
  for (const [town, layers] of layersOf) {
    const size = sizeOf(town);
    const isInto = isNear || size >= fills;
    showLayer(layers.dot, state.isOn.town && size < SMALL_PX);
    showLayer(layers.fill, state.isOn.town && !isInto);
    showLayer(layers.reach, state.isOn.circle && isInto);
    showLayer(layers.places, state.isOn.place && isInto);
    showLayer(layers.sites, Boolean(state.isOn.site) && isInto);
  }
  showLayer(borders, Boolean(state.isOn.border));
  showLayer(jointLayer, Boolean(state.isOn.joint));
}
map.on("zoomend", drawTowns);

// ---- names
function drawLabels() {
  const placer = new Placer();
  blockFurniture(placer);
  for (const { at } of state.isOn.joint ? jointSites : []) {
    const p = placer.point(at);
    placer.boxes.push([p.x - 9, p.y - 9, p.x + 9, p.y + 9]);
  }
  for (const town of drawnTowns) {
    const p = placer.point(town.at);
    const told = share(town.riders - town.left, town.riders);
    const width = Math.max(textWidth(town.name, 12.5, true), textWidth(told, 12)) + 6;
    const under = sizeOf(town) < SMALL_PX ? 26 : 0; // its dot stays free
    const box = [p.x - width / 2, p.y + under - 17, p.x + width / 2, p.y + under + 17];
    if (!placer.isInView(box) || !placer.isFree(box)) continue;
    placer.boxes.push(box);
    placer.put(h("div", { class: "sc-lb sc-lb-town" }, h("b", {}, town.name), h("span", {}, told)), p.x, p.y + under, width, 32);
  }
  putLabels(placer);
}
map.on("moveend", drawLabels);

// ---- cards
symbolOfCard.town = () => icons.centre(16);
LIFT_OF.town = 0;
function lookInto(town) {
  map.closePopup();
  map.fitBounds(town.box, { animate: !calm.matches, padding: [20, 20] });
}
function townCard(town) {
  const [stations, shops, newStations, newShops] = town.counts.map(whole);
  const link = town.href ? h("a", { class: "sc-link", href: town.href }, say("towns.open")) : null;
  return {
    kind: town.status === "planned" ? say("towns.kind") : `${say("towns.kind")} \u00b7 ${say("towns.status." + town.status)}`,
    name: town.name,
    rows: [
      [say("towns.riders"), riders(town.riders)],
      [say("towns.places"), say("towns.places.told", { stations, shops })],
      ...(town.counts[2] + town.counts[3] ? [[say("towns.new"), say("towns.places.told", { stations: newStations, shops: newShops })],
        ["", say("towns.gain", { share: town.after === null ? NONE : share(town.after, 1), n: riders(town.gained) })]] : []),
      ["", h("button", { type: "button", class: "sc-link", onclick: () => lookInto(town) }, say("towns.into"))],
      ...(link ? [["", link]] : []),
    ],
    figures: [
      [share(town.riders - town.left, town.riders), say("towns.covered", { m: town.minutes })],
      [riders(town.left), say("towns.left")],
    ],
  };
}
const openTown = (town, at = town.at) => openCard("town", { at, card: townCard(town) });
symbolOfCard.joint = (site) => icons.pin(site.number, site.kind === "shop", 15);
LIFT_OF.joint = 6;
const gainTold = (n) => (n > 1e-9 && n < 0.5 ? "<1" : `+${whole(n)}`);
const siteKind = ({ kind }) => say(kind === "shop" ? "kind.shop" : "kind.station");
const openSite = (site) => openCard("joint", {
  at: site.at,
  number: site.number,
  kind: site.kind,
  card: {
    kind: `${say("towns.joint")} \u00b7 ${siteKind(site)}`,
    name: site.name,
    rows: [[say("towns.kind"), site.town]],
    figures: [[gainTold(site.gained), say("towns.joint.gained")]],
  },
});
map.on("click", ({ latlng }) => {
  const town = drawnTowns.find((one) => one.latlngs.some((rings) => isWithin(latlng, rings)));
  if (town) openTown(town, latlng);
});

// ---- panel
const covered = panel.riders - panel.left;
const missedColour = colours.missed;
function headlineParts() {
  const number = share(covered, panel.riders);
  const parts = [["covered", covered, panel.share_colours[2]], ["left", panel.left, missedColour]];
  return [
    h("div", { class: "sc-sub" }, say("towns.kpi")),
    h("div", { class: "sc-figure" }, h("b", {}, number.replace("%", ""), number.endsWith("%") ? h("small", {}, "%") : null),
      h("span", { class: "sc-was" }, say("of_riders", { part: whole(covered), total: riders(panel.riders) }))),
    h("div", { class: "sc-bar", role: "img", "aria-label": say("towns.kpi") }, ...parts.filter(([, n]) => n > 0).map(([, n, colour]) =>
      h("i", { style: { width: `${(100 * n) / (panel.riders || 1)}%`, background: colour } }))),
    h("div", { class: "sc-keys" }, ...parts.map(([key, n, colour]) => h("span", {}, h("i", { style: { background: colour } }), `${say("towns.part." + key)} ${whole(n)}`))),
  ];
}
function townRow(town, i) {
  const go = () => { if (town.at) { openSheet(false); map.fitBounds(town.box, { animate: false, padding: [20, 20] }); openTown(town); } };
  const note = town.at ? say("towns.row", { n: riders(town.left) }) : say("towns.status." + town.status);
  return h("tr", {
    tabindex: town.at ? 0 : -1, role: "button", onclick: go,
    onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(); } },
  }, h("td", {}, h("span", { class: "sc-number sc-rank" }, String(i + 1))), h("td", {}, town.name, h("small", {}, note)),
  h("td", {}, town.at ? share(town.riders - town.left, town.riders) : NONE));
}
function jointElement() {
  const { counts: [stations, shops], gained, gap } = panel.joint;
  const go = (site) => { openSheet(false); map.setView(site.at, Math.max(map.getZoom(), 15), { animate: false }); openSite(site); };
  const sites = say("towns.places.told", { stations: whole(stations), shops: whole(shops) });
  const how = gap > 0 ? say("towns.joint.gap", { gap: share(gap, 1) }) : say("towns.joint.best");
  const told = [say("towns.joint.told", { sites, n: riders(gained) }), how].join(isChinese ? "；" : "; ");
  const shown = jointSites.slice(0, panel.most_listed);
  return h("section", { class: "sc-rows sc-towns sc-full" }, h("h2", {}, say("towns.joint")), h("div", { class: "sc-sub" }, told),
    h("table", {}, ...shown.map((site) => h("tr", {
      tabindex: 0, role: "button", onclick: () => go(site),
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(site); } },
    }, h("td", {}, h("span", { class: "sc-number sc-rank" }, String(site.number))),
    h("td", {}, site.name, h("small", {}, say("towns.joint.row", { town: site.town, kind: siteKind(site) }))), h("td", {}, gainTold(site.gained))))),
    jointSites.length > shown.length ? h("div", { class: "sc-sub" }, say("towns.joint.rest", { n: whole(jointSites.length - shown.length) })) : null);
}
const listed = towns.slice(0, panel.most_listed);
const legendRows = [
  { key: "town", note: () => say("layer.town.note"), after: () => h("div", { class: "sc-ramp-row" }, h("div", { class: "sc-ramp" }, ...panel.share_colours.map((colour, c) => h("span", {}, h("i", { style: { background: colour } }), panel.share_labels[c])))) },
  { key: "circle", note: () => say("layer.town.circle.note") },
  { key: "place", note: () => say("layer.place.note") },
  ...(drawnTowns.some((town) => town.sites.length) ? [{ key: "site", note: () => say("layer.place.note") }] : []),
  ...(jointSites.length ? [{ key: "joint" }] : []),
  ...(drawnTowns.some((town) => town.has_border) ? [{ key: "border", after: () => h("div", { class: "sc-warning" }, say("zone_warning")) }] : []),
];
for (const row of legendRows) state.isOn[row.key] = true;
const round = (fill, r) => svg("circle", { cx: 15, cy: 8, r, fill, stroke: "#fff" });
const swatches = {
  town: () => swatch(...panel.share_colours.map((colour, c) => svg("rect", { x: 1 + 7 * c, y: 2, width: 7, height: 12, fill: colour }))),
  circle: () => swatch(swatchBox({ fill: panel.share_colours[1], stroke: colours.circle_line, "stroke-width": 1.6 })),
  place: () => swatch(svg("circle", { cx: 10, cy: 8, r: 4.5, fill: colours.station }), svg("circle", { cx: 21, cy: 8, r: 3, fill: colours.shop })),
  site: () => swatch(round(colours.proposal, 5)),
  joint: () => swatch(svg("circle", { cx: 15, cy: 8, r: 5, fill: "#fff", stroke: colours.proposal, "stroke-width": 3.5 })),
  border: () => swatch(svg("line", { x1: 2, y1: 8, x2: 29, y2: 8, stroke: colours.zone, "stroke-width": 1.3, "stroke-dasharray": "6 3 1.5 3" })),
};
function changed() {
  for (const update of updates) update();
  drawTowns();
  drawLabels();
}
side.setAttribute("aria-label", panel.title);
side.replaceChildren(...[
  handle,
  panel.is_invented || panel.is_internal ? h("div", { class: "sc-tags" },
    panel.is_invented ? h("span", { class: "sc-tag" }, say("invented")) : null,
    panel.is_internal ? h("span", { class: "sc-tag sc-seal" }, say("internal")) : null) : null,
  h("div", { class: "sc-title" }, h("h1", {}, panel.title), h("div", { class: "sc-sub" },
    [say("towns.count", { n: whole(towns.length) }), panel.n_failed ? say("towns.failed", { n: whole(panel.n_failed) }) : ""].filter(Boolean).join(isChinese ? "，" : ", "))),
  h("div", { class: "sc-headline" }, ...headlineParts()),
  h("section", { class: "sc-full" }, ...legendRows.flatMap((row) => legendRowElement(row, swatches[row.key](), changed))),
  panel.joint ? jointElement() : null,
  h("section", { class: "sc-rows sc-towns sc-full" }, h("h2", {}, say("towns.worst")), h("table", {}, ...listed.map(townRow)),
    towns.length > listed.length ? h("div", { class: "sc-sub" }, say("towns.rest", { n: whole(towns.length - listed.length) })) : null),
  h("div", { class: "sc-foot sc-full" }, panel.foot, h("div", { class: "sc-made" }, "servicecircle")),
].filter(Boolean));

// ---- start
Object.assign(hooks, {
  entries: () => drawnTowns.map((town) => folded({ kind: "town", name: town.name, at: town.at, place: town })),
  goTo: ({ place }) => { map.fitBounds(place.box, { animate: false, padding: [20, 20] }); openTown(place); },
  drawLabels,
});
map.getContainer().setAttribute("aria-label", panel.title);
changed();
measureSheet();
fitWhole();
drawScale();
drawTowns();
drawLabels();
