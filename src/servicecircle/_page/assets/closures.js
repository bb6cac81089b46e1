// Trouble on the road: switched as one layer.
const closureData = data("closures");
const closureLayers = blockedLayers(closureData);
function drawClosures() {
  for (const layer of closureLayers) {
    if (state.isOn.closure) layer.addTo(map);
    else layer.remove();
  }
}
const closureSwatch = () => blockedSwatch(closureData);
