// Online base maps: nothing is asked of any host before one is chosen.
import { baseLayers, map } from "./base.js";
import { panel, state } from "./page.js";

const tiles = !panel.base ? [] : panel.base.urls.map((url) => L.tileLayer(url, {
  maxNativeZoom: panel.base.most, maxZoom: 20, referrerPolicy: "strict-origin-when-cross-origin",
}));
/** Put the online base in the place of streets and land, or take it away. */
export function showBase(isOn) {
  state.base = isOn ? panel.base.name : "";
  for (const layer of tiles) {
    if (isOn) layer.addTo(map);
    else layer.remove();
  }
  for (const layer of baseLayers) {
    if (isOn) layer.remove();
    else layer.addTo(map);
  }
}
/** How much of what lies under a circle shows through it: more of a map that is drawn already. */
export const circleAlpha = () => (state.base ? 0.4 : panel.fill_alpha);
