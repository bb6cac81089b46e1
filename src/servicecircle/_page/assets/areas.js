// Circles, cells not reached, gaps, gain, zones: all that the two switches change.
const circleData = data("circles");
const cellData = data("cells");
const gapData = data("gaps");
const zoneData = data("zones");
const circles = {};
for (const mode of ["before", "after", "gain"]) {
  circles[mode] = panel.minutes.map((m) => unpackPolygons(circleData[mode][m]));
}
const cells = cellData.outlines.map((steps) => unpack(steps, 6));
for (const mode of ["before", "after"]) for (const gap of gapData[mode]) gap.latlngs = unpackPolygons(gap.shape);
for (const zone of zoneData) zone.latlngs = unpackPolygons(zone.shape);
state.cellsBy = cellData.by;

// ---- one layer a thing; its shape changes with the switches
const n = panel.minutes.length;
const drawn = { circle: [], cell: [], gain: [], gap: [], zone: [] };
for (let k = n - 1; k >= 0; k--) {
  drawn.circle.push({ k, layer: area("circle", [], { fillColor: panel.fills[n - 1 - k] }), isFill: true });
}
for (let k = n - 1; k >= 0; k--) drawn.circle.push({ k, layer: area("outline", [], circleStyle(k)), isFill: false });
const chosenCircles = !choices ? [] : panel.minutes.flatMap((_, j) => {
  const k = n - 1 - j;
  const style = circleStyle(k);
  const outline = area("outline", [], { ...style, weight: 2 * style.weight });
  keepOutside(outline, `sc-outside-${k}`);
  return [{ k, layer: area("circle", [], { fillColor: panel.fills[j], fillRule: "nonzero" }), isFill: true }, { k, layer: outline, isFill: false }];
});
drawn.gain.push(
  area("circle", [], { fillColor: "url(#sc-dots)" }),
  area("outline", [], { fill: false, stroke: true, color: "#fff", weight: 4.6, opacity: 0.9 }),
  area("outline", [], { fill: false, stroke: true, color: colours.proposal, weight: 2.4 }));
for (const colour of panel.missed_colours) {
  drawn.cell.push(area("cell", [], {
    fillColor: colour, fillOpacity: 0.92, stroke: true, color: colours.gap, opacity: 0.18, weight: 0.5, smoothFactor: 0,
  }));
}
drawn.gap.push(area("gap", [], {
  fillColor: "url(#sc-hatch)", stroke: true, color: colours.gap, weight: 1.5, opacity: 0.9, lineJoin: "round",
}));
drawn.zone.push(area("outline", [], { fill: false, stroke: true, color: colours.zone, weight: 1.2, dashArray: "6 3 1.5 3" }));

const cellClass = (i) => classOf(missedNow(i), cellData.riders[i], state.cellsBy, cellData.step);
const gapsNow = () => (isChoosing() ? [] : gapData[state.mode]);
const gainNow = () => (state.mode === "after" && !isChoosing() ? circles.gain[state.k] : []);

function drawAreas() {
  const { isOn } = state;
  const alpha = circleAlpha();
  for (const { k, layer, isFill } of drawn.circle) {
    show(layer, isOn.circle && !isChoosing() ? circles[state.mode][k] : []);
    if (isFill) layer.setStyle({ fillOpacity: alpha });
  }
  for (const { k, layer, isFill } of chosenCircles) {
    show(layer, isOn.circle && isChoosing() ? chosenCircle(k) : []);
    if (isFill) layer.setStyle({ fillOpacity: alpha });
  }
  for (const layer of drawn.gain) show(layer, isOn.circle && isOn.gain ? gainNow() : []);
  const byClass = panel.missed_colours.map(() => []);
  if (isOn.cell) {
    cells.forEach((outline, i) => {
      const c = cellClass(i);
      if (c >= 0) byClass[c].push([outline]);
    });
  }
  byClass.forEach((polygons, c) => show(drawn.cell[c], polygons));
  show(drawn.gap[0], isOn.gap ? gapsNow().flatMap((gap) => gap.latlngs) : []);
  drawNight();
  drawClosures();
  show(drawn.zone[0], isOn.zone ? zoneData.flatMap((zone) => zone.latlngs) : []);
}

/** Which cell lies under a place, -1 for none. */
const cellAt = (place) => cells.findIndex((ring) => isWithin(place, [ring]));
/** The gap that a cell belongs to. */
const gapOf = (i) => gapsNow()[i < 0 ? -1 : cellData.gap[state.mode][i]];
/** The gap under a place, cell `i` or no cell: it is drawn over what lies between its cells too. */
const gapAt = (place, i) => gapOf(i) || gapsNow().find((gap) => gap.latlngs.some((rings) => isWithin(place, rings)));
