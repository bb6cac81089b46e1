// Labels: greedy, on every move; the first that fits stands, what does not fit is left out.
const labelPane = map.getPane("sc-label");
const SPIRAL = [];
for (let i = -7; i <= 7; i++) for (let j = -7; j <= 7; j++) SPIRAL.push([i * 14, j * 11]);
SPIRAL.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
const PAD = 3;
const KEEP_IN = 6;
/** Zoom from which a rank of street is named. */
const NAMED_FROM = [13, 13, 13, 15, 15.75, 15.75, 16.5];
const hasHan = /[\u2e80-\u9fff\uf900-\ufaff]/;

const ruler = document.createElement("canvas").getContext("2d");
function textWidth(text, px, isBold) {
  ruler.font = `${isBold ? "600 " : ""}${px}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(text).width;
}

class Placer {
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

function blockSymbols(placer) {
  const { isOn } = state;
  const small = isSmall();
  if (isOn.suggestion && !(isPrinting() && state.mode === "before")) for (const place of places.suggestion) placer.block(place.at, 32, 40, -18);
  if (isOn.station) for (const place of places.station) placer.block(place.at, small ? 20 : 26, small ? 20 : 26);
  if (isOn.centre) for (const place of places.centre) placer.block(place.at, small ? 18 : 24, small ? 18 : 24);
  if (isOn.depot) for (const place of places.depot) placer.block(place.at, small ? 15 : 20, small ? 15 : 20);
  if (isOn.shop) for (const place of places.shop) placer.block(place.at, small ? 8 : 17, small ? 8 : 17);
  const view = map.getContainer().getBoundingClientRect();
  for (const element of document.querySelectorAll(".sc-furniture")) {
    const r = element.getBoundingClientRect();
    if (r.width) placer.boxes.push([r.left - view.left - 4, r.top - view.top - 4, r.right - view.left + 4, r.bottom - view.top + 4]);
  }
}

/** Tags of gaps are always placed, next to their gap where something is in the way. */
function labelGaps(placer) {
  for (const gap of gapsNow()) {
    if (!gap.is_tagged) continue;
    const p = placer.point(gap.at);
    if (p.x < -40 || p.y < -40 || p.x > placer.size.x + 40 || p.y > placer.size.y + 40) continue;
    const letterWidth = Math.max(17, textWidth(gap.letter, 12.5, true) + 8);
    const width = letterWidth + textWidth(gap.told, 12.5, true) + 14;
    const height = 20;
    const boxAt = ([dx, dy]) => {
      const x = Math.max(width / 2 + KEEP_IN, Math.min(placer.size.x - width / 2 - KEEP_IN, p.x + dx));
      const y = Math.max(height / 2 + KEEP_IN, Math.min(placer.size.y - height / 2 - KEEP_IN, p.y + dy));
      return [x - width / 2 - PAD, y - height / 2 - PAD, x + width / 2 + PAD, y + height / 2 + PAD];
    };
    const found = SPIRAL.map(boxAt).find((box) => placer.isFree(box)) || boxAt([0, 0]);
    placer.boxes.push(found);
    const tag = h("button", {
      type: "button", class: "sc-lb sc-lb-gap", "aria-label": `${gap.card.name} ${gap.told}`,
      onclick: (event) => { event.stopPropagation(); openCard("gap", gap); },
    }, h("b", { style: { width: `${letterWidth}px` } }, gap.letter), h("span", {}, gap.told));
    placer.put(tag, (found[0] + found[2]) / 2, (found[1] + found[3]) / 2, width, height);
  }
}

/** Names of streets: turned with the street; steep Chinese ones stand upright, one character under the other. */
function labelStreets(placer) {
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

function labelZones(placer) {
  for (const zone of zoneData) {
    const p = placer.point(zone.at);
    const width = textWidth(zone.name, 12) + zone.name.length * 2.4 + 4;
    const box = [p.x - width / 2, p.y - 9, p.x + width / 2, p.y + 9];
    if (!zone.name || !placer.isInView(box) || !placer.isFree(box)) continue;
    placer.boxes.push(box);
    placer.put(h("div", { class: "sc-lb sc-lb-zone" }, zone.name), p.x, p.y, width, 16);
  }
}

/** A report of trouble is named beside its street, with its time; many only from near, where they have room. */
const FEW_CLOSURES = 4;
function labelClosures(placer) {
  if (closureData.length > FEW_CLOSURES && map.getZoom() < 15.5) return;
  for (const one of closureData) {
    const p = placer.point(one.at);
    if (!placer.isInView([p.x, p.y, p.x, p.y])) continue;
    const text = one.when ? `${one.name} ${one.when}` : one.name;
    const [width, height] = [textWidth(text, 11.5, true) + 4, 15];
    const boxes = [[width / 2 + 12, 0], [-width / 2 - 12, 0], ...SPIRAL].map(([dx, dy]) =>
      [p.x + dx - width / 2 - 1, p.y + dy - height / 2, p.x + dx + width / 2 + 1, p.y + dy + height / 2]);
    const box = boxes.find((own) => placer.isInView(own) && placer.isFree(own));
    if (!box) continue;
    placer.boxes.push(box);
    placer.put(h("div", { class: "sc-lb sc-lb-closure" }, text), (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, width, height);
  }
}

function drawLabels() {
  const placer = new Placer();
  const { isOn } = state;
  const zoom = map.getZoom();
  blockSymbols(placer);
  if (isOn.gap) labelGaps(placer);
  if (isOn.closure) labelClosures(placer);
  if (isOn.station) for (const place of places.station) placer.beside(place.name, "station", place.at, 12.5, isSmall() ? 10 : 13, true);
  const named = new Set(isOn.station ? places.station.map((place) => place.name) : []); // a station may be the centre itself
  if (isOn.centre) for (const place of places.centre) if (!named.has(place.name)) placer.beside(place.name, "station", place.at, 12.5, isSmall() ? 9 : 12, true);
  if (isOn.depot && zoom >= 15.5) for (const place of places.depot) placer.beside(place.name, "depot", place.at, 11.5, 10, false);
  if (isOn.zone) labelZones(placer);
  if (!state.base) labelStreets(placer);
  if (isOn.shop && zoom >= 16) for (const place of places.shop) placer.beside(place.name, "shop", place.at, 11, 9, false);
  labelPane.replaceChildren(...placer.elements);
  labelPane.style.opacity = 1;
}
map.on("zoomstart", () => { labelPane.style.opacity = 0; });
map.on("moveend", drawLabels);
