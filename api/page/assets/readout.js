// The figure: what all changes do together, each of them alone, who is cut off.
import { apportioned } from "./shapes.js";
import { colours, h, panel, riders, say, share, whole } from "./page.js";
import { canUndo, changeName, changes, clearChanges, toldId, undo } from "./changes.js";
import { question } from "./question.js";
import { answers, last } from "./today.js";
import { effectOf, remove, symbolOfChange } from "./trials.js";

const MINUS = "\u2212";
/** A change of riders: whole, with its sign; of less than half a rider "<1". */
export function signed(n) {
  const rounded = Math.floor(Math.abs(n) + 0.5);
  const isLoss = n < -1e-6;
  if (rounded === 0 && Math.abs(n) > 1e-6) return isLoss ? `${MINUS}<1` : "<1";
  return `${isLoss ? MINUS : "+"}${whole(rounded)}`;
}
/** Totals now and with the changes, and as whole numbers that add up. */
export function figures() {
  const { today, effect } = answers;
  if (!today) return null;
  const before = effect ? last(effect.before.covered) : today.covered;
  const after = effect ? last(effect.after.covered) : before;
  const all = effect ? effect.before.riders : today.riders;
  const total = Math.floor(all + 0.5);
  // the change is rounded as each change alone is; what that leaves is apportioned
  const middle = Math.min(total, Math.floor(Math.abs(after - before) + 0.5));
  const [low, rest] = apportioned([Math.min(before, after), all - Math.max(before, after)], total - middle);
  return { before, after, all, total, low, middle, rest, isLoss: after < before - 1e-9 };
}
function bar({ low, middle, rest, total, isLoss }) {
  const parts = [
    ["live.reached", low, panel.tint], [isLoss ? "live.lost" : "live.gained", middle, isLoss ? colours.ink : colours.proposal],
    ["live.missed", rest, colours.missed],
  ].filter(([key, n]) => key === "live.reached" || key === "live.missed" || n > 0);
  const told = parts.map(([key, n]) => say(key, { n: whole(n) }));
  return [
    h("div", { class: "sc-bar", role: "img", "aria-label": `${say("bar")}: ${told.join(", ")}` },
      ...parts.filter(([, n]) => n > 0).map(([, n, colour]) => h("i", { style: { width: `${(100 * n) / (total || 1)}%`, background: colour } }))),
    h("div", { class: "sc-keys" }, ...parts.map(([, , colour], i) => h("span", {}, h("i", { style: { background: colour } }), told[i]))),
  ];
}
/** The figure and the bar. */
export function readoutParts() {
  const now = figures();
  if (!panel.has_demand) return [h("div", { class: "sc-figure" }, h("b", { class: "sc-none" }, say("no_demand"))), h("div", { class: "sc-sub" }, say("no_demand_note"))];
  if (!now) return [h("div", { class: "sc-sub" }, answers.trouble || say("live.busy"))];
  const trouble = answers.trouble ? h("div", { class: "sc-trouble", role: "alert" }, answers.trouble) : null;
  const m = question.minutes;
  const line = { m, before: share(now.before, now.all), after: share(now.after, now.all), total: riders(now.all) };
  if (!changes().length || !answers.effect) {
    return [h("div", { class: "sc-sub" }, say("live.today")),
      h("div", { class: "sc-figure" }, h("b", {}, share(now.before, now.all).replace("%", ""), h("small", {}, "%"))),
      h("div", { class: "sc-sub" }, say("live.line_today", { ...line, part: whole(now.low + now.middle) })), ...bar(now), trouble].filter(Boolean);
  }
  const part = whole(now.isLoss ? now.low : now.low + now.middle);
  return [
    h("div", { class: "sc-sub" }, say(now.isLoss ? "live.total_lost" : "live.total")),
    h("div", { class: "sc-figure sc-live-figure" }, h("b", { id: "sc-gain" }, signed(now.middle ? (now.isLoss ? -now.middle : now.middle) : now.after - now.before)), h("span", {}, say("live.riders"))),
    h("div", { class: "sc-sub" }, say("live.line", { ...line, part })), ...bar(now), trouble,
  ].filter(Boolean);
}

function noteOf(one) {
  const alone = answers.effect && answers.effect.changes.find(({ id }) => String(id) === toldId(one));
  if (alone && alone.on_network === false) return say("live.off");
  if (one.what === "closure") return say("live.closure.note", { m: one.metres });
  if (one.what === "shop") return say("live.trial.note_shop", { m: Math.min(panel.shop_minutes, question.minutes) });
  return say(one.what === "station" ? "live.trial.note" : `live.${one.what}.note`);
}
function row(one) {
  const n = effectOf(one);
  const name = changeName(one);
  return h("li", { "data-change": one.id },
    h("span", { class: "sc-change-icon" }, symbolOfChange(one, 24)),
    h("span", { class: "sc-change-name" }, h("span", {}, name), h("small", {}, noteOf(one))),
    h("span", { class: `sc-change-n${n !== null && n < 0 ? " sc-lost" : ""}` }, n === null ? "" : signed(n)),
    h("button", { type: "button", class: "sc-x", "aria-label": say("live.remove", { name }), onclick: () => remove(one) }, "\u00d7"));
}
/** The list of changes. */
export function changesParts() {
  const list = changes();
  const buttons = h("span", { class: "sc-head-buttons" },
    canUndo() ? h("button", { type: "button", class: "sc-link", onclick: undo }, say("live.undo")) : null,
    list.length ? h("button", { type: "button", class: "sc-link", onclick: clearChanges }, say("live.clear")) : null);
  return [
    h("h2", {}, say("live.changes", { n: list.length }), buttons),
    list.length ? h("ul", { class: "sc-changes" }, ...list.map(row)) : h("div", { class: "sc-sub" }, say("live.none")),
    ...cutOffParts(),
  ];
}
/** Who loses cover by blocked streets, by zone. */
function cutOffParts() {
  const { effect } = answers;
  if (!effect || !effect.cut_off || !changes().some((one) => one.what === "closure")) return [];
  const rows = effect.cut_off.map((one) => [panel.zone_names[one.zone_id] || one.zone_id || say("live.no_zone"), last(one.riders)])
    .filter(([, n]) => n > 1e-6);
  return [
    h("h3", {}, say("live.cut_off")),
    rows.length ? h("ul", { class: "sc-cut" }, ...rows.map(([name, n]) => h("li", {}, h("span", {}, String(name)), h("b", {}, riders(n)))))
      : h("div", { class: "sc-sub" }, say("live.cut_off_none")),
  ];
}
