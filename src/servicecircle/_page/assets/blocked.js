// Trouble on the road: closed parts of streets as a crossed line, slowed ones as a broken line.
import { line, map } from "./base.js";
import { colours, h, svg, unpack } from "./page.js";
import { SPIRAL, textWidth } from "./placer.js";
import { swatch } from "./controls.js";

const CROSSED = "1.6 5.4";
const SLOWED = "5 4";
/** The layers of some reports. */
export function blockedLayers(reports) {
  const lines = (isClosed) => reports.filter((one) => one.is_closed === isClosed).flatMap((one) => one.lines.map((steps) => unpack(steps, 6)));
  const [closed, slowed] = [lines(true), lines(false)];
  const drawn = (latlngs, options) => line("closure", latlngs, { color: colours.ink, lineCap: "butt", ...options });
  return [
    ...(closed.length ? [
      drawn(closed, { color: colours.halo, weight: 7, opacity: 0.9 }), drawn(closed, { weight: 2 }), drawn(closed, { weight: 9, dashArray: CROSSED }),
    ] : []),
    ...(slowed.length ? [drawn(slowed, { color: colours.halo, weight: 5, opacity: 0.9 }), drawn(slowed, { weight: 2.4, dashArray: SLOWED })] : []),
  ];
}
export function blockedSwatch(reports) {
  const stroke = (attributes) => svg("line", { x1: 1, y1: 8, x2: 29, y2: 8, stroke: colours.ink, ...attributes });
  return swatch(...(reports.some((one) => one.is_closed)
    ? [stroke({ "stroke-width": 2 }), stroke({ "stroke-width": 9, "stroke-dasharray": CROSSED })]
    : [stroke({ "stroke-width": 2.4, "stroke-dasharray": SLOWED })]));
}
/** A report of trouble is named beside its street, with its time; many only from near, where they have room. */
const FEW_NAMED = 4;
const NAMED_FROM_ZOOM = 15.5;
export function labelBlocked(placer, reports) {
  if (reports.length > FEW_NAMED && map.getZoom() < NAMED_FROM_ZOOM) return;
  for (const one of reports) {
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
