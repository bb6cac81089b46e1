// What is seen, as GeoJSON.
import { panel, say, unpack, unpackPolygons } from "./page.js";
import { changeName, changes, closureFeature, toldId } from "./changes.js";
import { question, questionTold } from "./question.js";
import { answers, cellData, cellNow, goneNow } from "./today.js";
import { effectOf } from "./trials.js";
import { figures } from "./readout.js";

const ring = (points) => {
  const out = points.map(([lat, lon]) => [lon, lat]);
  const [first, last] = [out[0], out[out.length - 1]];
  return first[0] === last[0] && first[1] === last[1] ? out : [...out, first];
};
function changeFeature(one) {
  const properties = { layer: "change", what: one.what, id: toldId(one), name: changeName(one), riders_gained: effectOf(one) };
  if (one.what === "closure") return { ...closureFeature(one), properties: { ...closureFeature(one).properties, ...properties } };
  const geometry = one.at ? { type: "Point", coordinates: [one.at[1], one.at[0]] } : null;
  return { type: "Feature", properties, geometry };
}
const OWN_FIELDS = ["layer", "what", "covered", "covered_today", "width_m"];
/** What each property is called; the names themselves are the same in every language and file. */
const fields = () => ({ ...panel.fields, ...Object.fromEntries(OWN_FIELDS.map((name) => [name, say(`live.field.${name}`)])) });
/** What is seen now: circles, changes with what each does, cells with riders. */
export function seen() {
  const { today, effect } = answers;
  const gone = goneNow();
  const redrawn = new Map((effect ? effect.circles.features : []).map((one) => [one.properties.facility_id, one]));
  const circles = today.facilities.flatMap((id, i) => {
    if (gone.has(id) || redrawn.has(id) || !today.areas[i].length) return [];
    const coordinates = unpackPolygons(today.areas[i]).map((rings) => rings.map(ring));
    return [{ type: "Feature", properties: { layer: "circle", facility_id: id, minutes: today.minutes }, geometry: { type: "MultiPolygon", coordinates } }];
  });
  const tried = [...redrawn.values()].map((one) => ({ ...one, properties: { layer: "circle", ...one.properties } }));
  const cells = cellData.ids.flatMap((id, i) => {
    const { riders, covered } = cellNow(i);
    if (!(riders > 0)) return [];
    const properties = { layer: "cell", cell_id: id, riders, covered, covered_today: today.cells.covered[i] };
    return [{ type: "Feature", properties, geometry: { type: "Polygon", coordinates: [ring(unpack(cellData.outlines[i], 6))] } }];
  });
  const now = figures();
  return {
    type: "FeatureCollection",
    servicecircle: { study: panel.study, asked: questionTold().join(" "), minutes: question.minutes, riders: now.all, before: now.before, after: now.after, fields: fields() },
    features: [...circles, ...tried, ...changes().map(changeFeature), ...cells],
  };
}
/** Hand the reader a file. */
export function hand(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
export const downloadSeen = () => hand("servicecircle.geojson", new Blob([`${JSON.stringify(seen())}\n`], { type: "application/geo+json" }));
