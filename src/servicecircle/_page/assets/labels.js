// Labels of the map: tags of gaps first, then names.
function blockSymbols(placer) {
  const { isOn } = state;
  if (isOn.suggestion && !(isPrinting() && state.mode === "before")) placer.blockPlaces("suggestion", places.suggestion);
  for (const kind of ["station", "centre", "depot", "shop"]) if (isOn[kind]) placer.blockPlaces(kind, places[kind]);
  blockFurniture(placer);
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

function drawLabels() {
  const placer = new Placer();
  const { isOn } = state;
  const zoom = map.getZoom();
  blockSymbols(placer);
  if (isOn.gap) labelGaps(placer);
  if (isOn.closure) labelBlocked(placer, closureData);
  if (isOn.station) for (const place of places.station) placer.beside(place.name, "station", place.at, 12.5, isSmall() ? 10 : 13, true);
  const named = new Set(isOn.station ? places.station.map((place) => place.name) : []); // a station may be the centre itself
  if (isOn.centre) for (const place of places.centre) if (!named.has(place.name)) placer.beside(place.name, "station", place.at, 12.5, isSmall() ? 9 : 12, true);
  if (isOn.depot && zoom >= 15.5) for (const place of places.depot) placer.beside(place.name, "depot", place.at, 11.5, 10, false);
  if (isOn.zone) labelZones(placer, zoneData);
  if (!state.base) labelStreets(placer);
  if (isOn.shop && zoom >= 16) for (const place of places.shop) placer.beside(place.name, "shop", place.at, 11, 9, false);
  putLabels(placer);
}
map.on("moveend", drawLabels);
