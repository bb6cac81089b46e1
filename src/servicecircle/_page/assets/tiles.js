// Online base maps: nothing is asked of any host before one is chosen.
const tiles = !panel.base ? [] : panel.base.urls.map((url) => L.tileLayer(url, {
  maxNativeZoom: panel.base.most, maxZoom: 20, referrerPolicy: "strict-origin-when-cross-origin",
}));
function showBase(isOn) {
  state.base = isOn ? panel.base.name : "";
  for (const layer of tiles) {
    if (isOn) layer.addTo(map);
    else layer.remove();
  }
  for (const layer of baseLayers) {
    if (isOn) layer.remove();
    else layer.addTo(map);
  }
  drawAreas();
}
