// Trouble on the road: closed parts of streets as a crossed line, slowed ones as a broken line.
const closureData = data("closures");
for (const one of closureData) one.latlngs = one.lines.map((steps) => unpack(steps, 6));
const CROSSED = "1.6 5.4";
const closureLines = (isClosed) => closureData.filter((one) => one.is_closed === isClosed).flatMap((one) => one.latlngs);
const closureLayers = [
  ...(closureLines(true).length ? [
    line("closure", closureLines(true), { color: colours.halo, weight: 7, opacity: 0.9, lineCap: "butt" }),
    line("closure", closureLines(true), { color: colours.ink, weight: 2, lineCap: "butt" }),
    line("closure", closureLines(true), { color: colours.ink, weight: 9, dashArray: CROSSED, lineCap: "butt" }),
  ] : []),
  ...(closureLines(false).length ? [
    line("closure", closureLines(false), { color: colours.halo, weight: 5, opacity: 0.9, lineCap: "butt" }),
    line("closure", closureLines(false), { color: colours.ink, weight: 2.4, dashArray: "5 4", lineCap: "butt" }),
  ] : []),
];
function drawClosures() {
  for (const layer of closureLayers) {
    if (state.isOn.closure) layer.addTo(map);
    else layer.remove();
  }
}
function closureSwatch() {
  const stroke = (attributes) => svg("line", { x1: 1, y1: 8, x2: 29, y2: 8, stroke: colours.ink, ...attributes });
  const hasClosed = closureData.some((one) => one.is_closed);
  return swatch(...(hasClosed
    ? [stroke({ "stroke-width": 2 }), stroke({ "stroke-width": 9, "stroke-dasharray": CROSSED })]
    : [stroke({ "stroke-width": 2.4, "stroke-dasharray": "5 4" })]));
}
