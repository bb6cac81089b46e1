// Markers of facilities, depots, candidates and suggestions, and the cards that a click opens.
const places = data("places");
const SMALL_BELOW = 14.5;
const isSmall = () => map.getZoom() < SMALL_BELOW;
const markers = { station: [], shop: [], depot: [], centre: [], suggestion: [], candidate: [] };

function symbolOf(kind, place) {
  const small = isSmall();
  if (kind === "suggestion") return icons.pin(place.number, place.kind === "shop");
  const symbol = {
    station: () => icons.station(small ? 18 : 24),
    shop: () => (small ? icons.shopDot() : icons.shop()),
    depot: () => icons.depot(small ? 13 : 18),
    centre: () => icons.centre(small ? 16 : 22),
  }[kind]();
  return isShownClosed(place) ? icons.closed(symbol) : symbol;
}
function iconOf(kind, place) {
  const symbol = symbolOf(kind, place);
  const width = Number(symbol.getAttribute("width"));
  const height = Number(symbol.getAttribute("height"));
  const anchor = kind === "suggestion" ? [15, 36] : [width / 2, height / 2];
  return L.divIcon({ className: "sc-ic sc-ic-" + kind, html: symbol, iconSize: [width, height], iconAnchor: anchor });
}
/** What a shop street, a district or a place with gates is drawn by, beneath its marker. */
function shapesOf(shape) {
  const options = (more) => shapeOptions("shop", { color: colours.shop, stroke: true, interactive: false, ...more });
  return L.layerGroup([
    L.polyline(shape.lines, options({ color: "#fff", weight: 7, opacity: 0.85 })),
    L.polyline(shape.lines, options({ weight: 4.5, opacity: 0.9 })),
    ...shape.areas.map((area) => L.polygon(area, options({ weight: 2, dashArray: "6 4", fillColor: colours.shop, fill: true, fillOpacity: 0.1 }))),
    ...shape.gates.map((gate) => L.circleMarker(gate, options({ radius: 4.5, weight: 2, fill: true, fillColor: "#fff", fillOpacity: 1 }))),
  ]);
}
const PANE_OF = { station: "station", depot: "station", centre: "station", shop: "shop", suggestion: "sug" };
for (const kind of Object.keys(PANE_OF)) {
  for (const place of places[kind]) {
    const marker = L.marker(place.at, { pane: "sc-" + PANE_OF[kind], icon: iconOf(kind, place), riseOnHover: true, zIndexOffset: kind === "station" ? 1000 : 0 });
    marker.on("click", () => openCard(kind, place));
    marker.on("add", () => marker.getElement().setAttribute("aria-label", `${place.card.kind} ${place.name}`));
    if (kind === "suggestion") {
      marker.on("mouseover focus", () => lift(place.number, true));
      marker.on("mouseout blur", () => lift(place.number, false));
    }
    markers[kind].push({ place, marker });
    if (place.shape) markers[kind].push({ marker: shapesOf(place.shape) });
  }
}
for (const at of places.candidate) {
  markers.candidate.push({
    marker: L.circleMarker(at, shapeOptions("shop", {
      radius: 3.2, fill: true, fillColor: "#fff", fillOpacity: 0.85, stroke: true, color: colours.candidate, weight: 1.1,
    })),
  });
}

/** A marker gets its symbol anew only where it turns open or closed. */
function setIconIfChanged(kind, place, marker) {
  const isClosed = Boolean(isShownClosed(place));
  if (marker.isShownClosed === isClosed) return;
  marker.isShownClosed = isClosed;
  marker.setIcon(iconOf(kind, place));
}
function drawPlaces() {
  for (const [kind, list] of Object.entries(markers)) {
    for (const { place, marker } of list) {
      if (place?.leaves || place?.night === false || (choices && place && (kind === "station" || kind === "shop"))) setIconIfChanged(kind, place, marker);
      if (state.isOn[kind]) marker.addTo(map);
      else marker.remove();
    }
  }
}
let wasSmall = isSmall();
map.on("zoomend", () => {
  if (isSmall() === wasSmall) return;
  wasSmall = isSmall();
  for (const kind of ["station", "shop", "depot", "centre"]) {
    for (const { place, marker } of markers[kind]) if (place) marker.setIcon(iconOf(kind, place));
  }
});

/** A row of the table and its pin rise together. */
function lift(number, isUp) {
  document.querySelectorAll(`[data-number="${number}"]`).forEach((row) => row.classList.toggle("sc-up", isUp));
  for (const { place, marker } of markers.suggestion) {
    const element = marker.getElement();
    if (element && place.number === number) element.classList.toggle("sc-up", isUp);
  }
}

// ---- cards
const CARD_WIDTH = 272;
const symbolOfCard = {
  station: () => icons.station(16), shop: () => icons.shop(16), depot: () => icons.depot(16), centre: () => icons.centre(18),
  cell: () => icons.cell(14), gap: () => icons.gap(15),
  suggestion: (place) => icons.pin(place.number, place.kind === "shop", 15),
};
function valueOf(value) {
  if (!Array.isArray(value)) return value; // text, or an element
  return h("span", {}, ...value.map((word) => h("span", { class: "sc-chip" }, word)));
}
function cardElement(kind, place) {
  const { card } = place;
  const rows = card.rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, valueOf(value))]);
  const figures = card.figures.map(([figure, label]) => h("div", {}, h("b", {}, figure), h("span", {}, label)));
  return h("div", { class: `sc-card sc-card-${kind}` },
    h("div", { class: "sc-card-kind" }, symbolOfCard[kind](place), h("span", {}, card.kind)),
    h("div", { class: "sc-card-name" }, card.name),
    rows.length ? h("dl", {}, ...rows) : null,
    figures.length ? h("div", { class: "sc-card-figures" }, ...figures) : null);
}
/** On a phone: where the map stood before a card pushed it aside; it goes back when the card is closed. */
let beforeCard = null;
let openedCard = null;
function goBack() {
  const seenBefore = beforeCard;
  beforeCard = null;
  if (seenBefore && map.getZoom() === seenBefore.zoom) map.setView(seenBefore.centre, seenBefore.zoom, { animate: false });
}
map.on("popupclose", ({ popup }) => {
  if (popup !== openedCard) return;
  openedCard = null;
  setTimeout(() => { if (!openedCard) goBack(); }); // unless the same click opens another card
});
map.on("dragstart zoomstart resize", () => { beforeCard = null; });
const LIFT_OF = { station: 8, shop: 4, depot: 5, centre: 7, suggestion: 32, cell: 0, gap: 6 };
function openCard(kind, place) {
  const bottom = narrow.matches ? document.getElementById("sc-side").offsetHeight + 12 : 24;
  if (narrow.matches && !beforeCard) beforeCard = { centre: map.getCenter(), zoom: map.getZoom() };
  L.popup({
    minWidth: CARD_WIDTH, maxWidth: CARD_WIDTH, offset: [0, 4 - LIFT_OF[kind]],
    autoPanPaddingTopLeft: [14, 64], autoPanPaddingBottomRight: [60, bottom],
  }).setLatLng(place.at).setContent(cardElement(kind, place)).openOn(map);
}
map.on("popupopen", ({ popup }) => {
  openedCard = popup;
  const button = popup.getElement().querySelector(".leaflet-popup-close-button");
  if (button) button.setAttribute("aria-label", say("close"));
});
map.on("click", ({ latlng }) => {
  const i = cellAt(latlng);
  const gap = state.isOn.gap ? gapAt(latlng, i) : null;
  if (state.isOn.cell && i >= 0 && (cellClass(i) >= 0 || !gap)) openCard("cell", cellPlace(i, latlng));
  else if (gap) openCard("gap", { ...gap, at: latlng });
});
function cellPlace(i, latlng) {
  const total = cellData.riders[i];
  const covered = Math.max(0, total - missedNow(i));
  const nearest = cellData.nearest[state.mode];
  const rows = [];
  if (isChoosing()) rows.push([say("choice.service"), choiceTold()]);
  else if (nearest.at[i] >= 0) {
    const name = nearest.names[nearest.at[i]];
    const minutes = nearest.minutes[i];
    const told = minutes === null ? name : say("nearest_at", {
      name, way: panel.way, minutes: say("minutes_n", { n: minutes.toFixed(1) }),
    });
    rows.push([say("nearest"), told]);
  } else rows.push([say("nearest"), NONE]);
  const gap = gapOf(i);
  if (gap) {
    const toGap = h("button", { type: "button", class: "sc-link", onclick: () => openCard("gap", { ...gap, at: latlng }) }, gap.brief);
    rows.unshift([say("layer.gap"), toGap]);
  }
  if (cellData.zones.at[i] >= 0) rows.push([say("zone"), cellData.zones.names[cellData.zones.at[i]]]);
  return {
    at: latlng,
    card: {
      kind: panel.legend.cell,
      name: say("cell_riders", { riders: riders(total) }),
      rows,
      figures: [
        [riders(covered), say("cell_covered", { m: minutesNow() })],
        [share(covered, total), say("cell_share")],
      ],
    },
  };
}
