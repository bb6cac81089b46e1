// Labels: greedy, on every move; the first that fits stands, what does not fit is left out.
import { isSmall } from "./cards.js";
import { map, streets } from "./base.js";
import { h } from "./page.js";

const labelPane = map.getPane("sc-label");
export const SPIRAL = [];
for (let i = -7; i <= 7; i++) for (let j = -7; j <= 7; j++) SPIRAL.push([i * 14, j * 11]);
SPIRAL.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
export const PAD = 3;
export const KEEP_IN = 6;
/** Width, height and shift of the symbols, small and large. */
const SYMBOL_BOX = {
  suggestion: [[32, 40, -18], [32, 40, -18]], station: [[20, 20], [26, 26]], centre: [[18, 18], [24, 24]], depot: [[15, 15], [20, 20]],
  shop: [[8, 8], [17, 17]],
};
/** Zoom from which a rank of street is named. */
const NAMED_FROM = [13, 13, 13, 15, 15.75, 15.75, 16.5];
const hasHan = /[\u2e80-\u9fff\uf900-\ufaff]/;

const ruler = document.createElement("canvas").getContext("2d");
const family = getComputedStyle(document.body).fontFamily;
const widths = new Map(); // a text is measured once
export function textWidth(text, px, isBold) {
  const font = `${isBold ? "600 " : ""}${px}px ${family}`;
  const key = `${font} ${text}`;
  if (!widths.has(key)) {
    ruler.font = font;
    widths.set(key, ruler.measureText(text).width);
  }
  return widths.get(key);
}

export class Placer {
  constructor() {
    this.size = map.getSize();
    this.boxes = [];
    this.corner = map.containerPointToLayerPoint([0, 0]);
    this.elements = [];
  }
  point(at) {
    return map.latLngToContainerPoint(at);
  }
  isFree([west, north, east, south]) {
    return !this.boxes.some((b) => west < b[2] && east > b[0] && north < b[3] && south > b[1]);
  }
  isInView([west, north, east, south]) {
    return west >= 4 && north >= 4 && east <= this.size.x - 4 && south <= this.size.y - 4;
  }
  block(at, width, height, dy = 0) {
    const p = this.point(at);
    this.boxes.push([p.x - width / 2, p.y - height / 2 + dy, p.x + width / 2, p.y + height / 2 + dy]);
  }
  blockPlaces(kind, list) {
    const [width, height, dy = 0] = SYMBOL_BOX[kind][isSmall() ? 0 : 1];
    for (const { at } of list) this.block(at, width, height, dy);
  }
  /** Put an element with its middle at x, y. */
  put(element, x, y, width, height) {
    Object.assign(element.style, {
      left: `${x - width / 2 + this.corner.x}px`, top: `${y - height / 2 + this.corner.y}px`,
      width: `${width}px`, height: `${height}px`,
    });
    this.elements.push(element);
  }
  /** Put a name beside its symbol: right, left, below, above. */
  beside(text, kind, at, px, radius, isBold) {
    if (!text) return;
    const p = this.point(at);
    const width = textWidth(text, px, isBold) + 4;
    const height = px * 1.3;
    const aside = radius + width / 2 + 2;
    const stacked = radius + height / 2 + 1;
    for (const [dx, dy] of [[aside, 0], [-aside, 0], [0, stacked], [0, -stacked]]) {
      const [x, y] = [p.x + dx, p.y + dy];
      const box = [x - width / 2 - PAD / 2, y - height / 2, x + width / 2 + PAD / 2, y + height / 2];
      if (!this.isInView(box) || !this.isFree(box)) continue;
      this.boxes.push(box);
      this.put(h("div", { class: `sc-lb sc-lb-${kind}` }, text), x, y, width, height);
      return;
    }
  }
}

/** Nothing is written under what stands on the map. */
export function blockFurniture(placer) {
  const view = map.getContainer().getBoundingClientRect();
  for (const element of document.querySelectorAll(".sc-furniture")) {
    const r = element.getBoundingClientRect();
    if (r.width) placer.boxes.push([r.left - view.left - 4, r.top - view.top - 4, r.right - view.left + 4, r.bottom - view.top + 4]);
  }
}

/** Names of streets: turned with the street; steep Chinese ones stand upright, one character under the other. */
export function labelStreets(placer) {
  const zoom = map.getZoom();
  const stood = {};
  for (const [text, lat, lon, angle, rank, metres] of streets.labels) {
    if (zoom < NAMED_FROM[rank]) continue;
    const name = streets.names[text];
    const p = placer.point([lat, lon]);
    if (p.x < 10 || p.y < 10 || p.x > placer.size.x - 10 || p.y > placer.size.y - 10) continue;
    const px = rank <= 1 ? 12 : 11;
    const width = textWidth(name, px) + name.length * px * 0.06 + 4;
    const height = px * 1.2;
    const metresPerPx = (156543.034 * Math.cos((lat * Math.PI) / 180)) / 2 ** zoom;
    if (metres / metresPerPx < 1.3 * width) continue;
    const apart = rank <= 3 ? 340 : 420;
    if ((stood[text] || []).some((q) => Math.hypot(q.x - p.x, q.y - p.y) < apart)) continue;
    let turn = -angle;
    while (turn > 90) turn -= 180;
    while (turn < -90) turn += 180;
    const isStacked = Math.abs(turn) > 48 && hasHan.test(name) && !/[\u0000-\u024f]/.test(name);
    const [c, s] = [Math.abs(Math.cos((turn * Math.PI) / 180)), Math.abs(Math.sin((turn * Math.PI) / 180))];
    const [w, tall] = [width * c + height * s, width * s + height * c];
    const box = [p.x - w / 2 - 1, p.y - tall / 2 - 1, p.x + w / 2 + 1, p.y + tall / 2 + 1];
    if (!placer.isInView(box) || !placer.isFree(box)) continue;
    placer.boxes.push(box);
    (stood[text] = stood[text] || []).push(p);
    const element = h("div", { class: `sc-lb sc-lb-road${rank <= 1 ? " sc-lb-main" : ""}${isStacked ? " sc-lb-stacked" : ""}` }, name);
    const rest = isStacked ? (turn > 0 ? turn - 90 : turn + 90) : turn;
    element.style.transform = `rotate(${rest}deg)`;
    if (isStacked) placer.put(element, p.x, p.y, height, width);
    else placer.put(element, p.x, p.y, width, height);
  }
}

export function labelZones(placer, zones) {
  for (const zone of zones) {
    const p = placer.point(zone.at);
    const width = textWidth(zone.name, 12) + zone.name.length * 2.4 + 4;
    const box = [p.x - width / 2, p.y - 9, p.x + width / 2, p.y + 9];
    if (!zone.name || !placer.isInView(box) || !placer.isFree(box)) continue;
    placer.boxes.push(box);
    placer.put(h("div", { class: "sc-lb sc-lb-zone" }, zone.name), p.x, p.y, width, 16);
  }
}

/** Put up all that found its place. */
export function putLabels(placer) {
  labelPane.replaceChildren(...placer.elements);
  labelPane.style.opacity = 1;
}
map.on("zoomstart", () => { labelPane.style.opacity = 0; });
