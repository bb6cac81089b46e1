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

const findable = [
  ...["station", "suggestion", "centre", "shop", "depot"].flatMap((kind) => places[kind].map((place) => folded({ kind, name: place.name, at: place.at, place }))),
  ...streetEntries(),
];
Object.assign(hooks, {
  entries: () => [...findable, ...gapsNow().map((gap) => folded({ kind: "gap", name: gap.card.name, at: gap.at, place: gap }))],
  goTo: ({ kind, place }) => flyTo(kind, place),
  drawLabels,
  toPaper: () => { drawSubtitle(); fitRows(); fillSheetNotes(); },
  toScreen: () => { drawSubtitle(); fitRows(); },
});
map.getContainer().setAttribute("aria-label", say("map"));
styleStreets();
draw();
fitWhole(); // above the sheet, whose height is known now
drawScale();
