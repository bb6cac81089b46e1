// Symbols of places as markers, and the cards that a click opens.
import { map, shapeOptions } from "./base.js";
import { swatch } from "./controls.js";
import { icons } from "./icons.js";
import { colours, h, isChinese, narrow, say, svg } from "./page.js";

export const SMALL_BELOW = 14.5;
export const isSmall = () => map.getZoom() < SMALL_BELOW;

export function symbolOf(kind, place, isClosed) {
  const small = isSmall();
  if (kind === "suggestion") return icons.pin(place.number, place.kind === "shop");
  const symbol = {
    station: () => icons.station(small ? 18 : 24),
    shop: () => (small ? icons.shopDot() : icons.shop()),
    depot: () => icons.depot(small ? 13 : 18),
    centre: () => icons.centre(small ? 16 : 22),
  }[kind]();
  return isClosed ? icons.closed(symbol) : symbol;
}
export function iconOf(kind, place, isClosed) {
  const symbol = symbolOf(kind, place, isClosed);
  const width = Number(symbol.getAttribute("width"));
  const height = Number(symbol.getAttribute("height"));
  const anchor = kind === "suggestion" ? [15, 36] : [width / 2, height / 2];
  return L.divIcon({ className: "sc-ic sc-ic-" + kind, html: symbol, iconSize: [width, height], iconAnchor: anchor });
}
/** What a shop street, a district or a place with gates is drawn by, beneath its marker. */
export function shapesOf(shape) {
  const options = (more) => shapeOptions("shop", { color: colours.shop, stroke: true, interactive: false, ...more });
  return L.layerGroup([
    L.polyline(shape.lines, options({ color: "#fff", weight: 7, opacity: 0.85 })),
    L.polyline(shape.lines, options({ weight: 4.5, opacity: 0.9 })),
    ...shape.areas.map((area) => L.polygon(area, options({ weight: 2, dashArray: "6 4", fillColor: colours.shop, fill: true, fillOpacity: 0.1 }))),
    ...shape.gates.map((gate) => L.circleMarker(gate, options({ radius: 4.5, weight: 2, fill: true, fillColor: "#fff", fillOpacity: 1 }))),
  ]);
}

/** The row of the legend for these shapes: only what there is of lines, outlines and gates is drawn and named. */
export function shapesRow(list) {
  const has = (part) => list.some((place) => place.shape && place.shape[part].length);
  const parts = ["lines", "areas", "gates"].filter(has);
  return {
    key: "shapes", has: parts.length > 0,
    name: () => parts.map((part) => say("shapes." + part)).join(isChinese ? "、" : ", "),
    note: () => say("shapes.note"),
  };
}
export function shapesSwatch(list) {
  const has = (part) => list.some((place) => place.shape && place.shape[part].length);
  return swatch(...[
    has("areas") ? svg("rect", { x: 1.5, y: 2, width: 27, height: 12, fill: colours.shop, "fill-opacity": 0.1, stroke: colours.shop, "stroke-width": 1.6, "stroke-dasharray": "4 2.6" }) : null,
    has("lines") ? svg("line", { x1: 3, y1: 8, x2: 27, y2: 8, stroke: colours.shop, "stroke-width": 3.4 }) : null,
    has("gates") ? svg("circle", { cx: 15, cy: 8, r: 3.4, fill: "#fff", stroke: colours.shop, "stroke-width": 1.8 }) : null,
  ].filter(Boolean));
}

// ---- cards
export const CARD_WIDTH = 272;
export const symbolOfCard = {
  station: () => icons.station(16), shop: () => icons.shop(16), depot: () => icons.depot(16), centre: () => icons.centre(18),
  cell: () => icons.cell(14), gap: () => icons.gap(15),
  suggestion: (place) => icons.pin(place.number, place.kind === "shop", 15),
};
export function valueOf(value) {
  if (!Array.isArray(value)) return value; // text, or an element
  return h("span", {}, ...value.map((word) => h("span", { class: "sc-chip" }, word)));
}
export function cardElement(kind, place) {
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
export function goBack() {
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
export const LIFT_OF = { station: 8, shop: 4, depot: 5, centre: 7, suggestion: 32, cell: 0, gap: 6 };
export function openCard(kind, place) {
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
