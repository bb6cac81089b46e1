// Start: first view, first drawing. Leaflet's own markers, should a notebook add some, find their images inside the page.
const image = (className) => {
  const probe = h("div", { class: className, style: { position: "absolute" } });
  document.body.append(probe);
  const url = getComputedStyle(probe).backgroundImage.replace(/^url\(["']?/, "").replace(/["']?\)$/, "");
  probe.remove();
  return url;
};
delete L.Icon.Default.prototype._getIconUrl;
L.Icon.Default.mergeOptions({ iconUrl: image("leaflet-default-icon-path"), iconRetinaUrl: null, shadowUrl: null });

map.getContainer().setAttribute("aria-label", say("map"));
styleStreets();
draw();
fitWhole(); // above the sheet, whose height is known now
drawScale();
