// Markers of facilities, depots, candidates and suggestions, and the cards that a click opens.
const places = data("places");
const markers = { station: [], shop: [], depot: [], centre: [], suggestion: [], candidate: [], shapes: [] };

const PANE_OF = { station: "station", depot: "station", centre: "station", shop: "shop", suggestion: "sug" };
for (const kind of Object.keys(PANE_OF)) {
  for (const place of places[kind]) {
    const marker = L.marker(place.at, { pane: "sc-" + PANE_OF[kind], icon: iconOf(kind, place, isShownClosed(place)), riseOnHover: true, zIndexOffset: kind === "station" ? 1000 : 0 });
    marker.on("click", () => openCard(kind, place));
    marker.on("add", () => marker.getElement().setAttribute("aria-label", `${place.card.kind} ${place.name}`));
    if (kind === "suggestion") {
      marker.on("mouseover focus", () => lift(place.number, true));
      marker.on("mouseout blur", () => lift(place.number, false));
    }
    markers[kind].push({ place, marker });
    if (place.shape) markers.shapes.push({ marker: shapesOf(place.shape) });
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
  marker.setIcon(iconOf(kind, place, isShownClosed(place)));
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
    for (const { place, marker } of markers[kind]) if (place) marker.setIcon(iconOf(kind, place, isShownClosed(place)));
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
