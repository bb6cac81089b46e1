// Suggestions of the server: a job that is asked for, watched while its gap closes, stopped, and taken over.
import { icons } from "./icons.js";
import { addChanges, changes, triedPlaces, whatIfBody } from "./changes.js";
import { asBody } from "./question.js";
import { Job, startTold } from "./running.js";
import { ask, askWithKey } from "./server.js";
import { h, panel, say, whole } from "./page.js";
import { apportioned } from "./shapes.js";
import { last } from "./today.js";

const listeners = [];
const onJob = (listener) => listeners.push(listener);
const tell = () => { for (const listener of listeners) listener(); };
/** The job that is watched, and the sites that it has found. */
const job = new Job("suggest", { tell, read: readSites });
let sites = [];
let proof = null;
const figures = () => proof || job.found;

async function start(stations, shops) {
  [sites, proof] = [[], null];
  if (!stations && !shops) {
    job.fail(say("live.suggest_nothing"));
    return;
  }
  try {
    await job.start({ stations, shops, ...asBody(), ...triedPlaces("add") });
  } catch (error) {
    job.fail(startTold(error));
  }
}
async function readSites(address) {
  const { data } = await askWithKey(`${address}/results`);
  sites = data.suggestions.value.features.map(({ id, geometry, properties }) => ({
    id: String(id ?? properties.id), what: properties.kind, name: properties.name || "", at: [geometry.coordinates[1], geometry.coordinates[0]],
    gained: properties.riders_gained,
  }));
  proof = data.proof.value;
  // whole, as they add up from today's riders to those of the plan
  const { before, after } = data.summary.value;
  const [from, to] = [before, after].map(({ covered }) => Math.floor(last(covered) + 0.5));
  const shown = apportioned(sites.map((site) => site.gained), to - from);
  sites.forEach((site, i) => { site.shown = shown[i] === 0 && site.gained > 1e-9 ? "<1" : `+${whole(shown[i])}`; });
}

/** Take sites over as trials: what the server found stays where it is. */
export function takeOver(some) {
  const there = new Set(changes().map((one) => one.id));
  addChanges(some.filter((site) => !there.has(`taken-${site.id}`)).map((site) => ({ id: `taken-${site.id}`, what: site.what, at: site.at, name: site.name })));
}
const isClosed = ({ objective, bound }) => Math.abs(bound - objective) <= 1e-6 * Math.max(1, Math.abs(bound));
function gapTold({ objective, bound }) {
  const gap = Math.abs(bound - objective) / Math.max(Math.abs(bound), 1e-12);
  return `${(100 * gap).toFixed(gap > 0 && gap < 0.001 ? 2 : 1)}%`;
}
function statusTold() {
  if (job.status === "accepted") return say("live.suggest_waiting");
  if (job.status === "dismissed") return say("live.suggest_stopped");
  if (job.status === "failed") return say("live.suggest_failed", { detail: job.detail });
  const now = figures();
  if ((now.objective ?? null) === null || (now.bound ?? null) === null) return job.status === "running" ? say("live.suggest_running") : "";
  const best = whole(now.objective);
  if (job.status === "successful" && isClosed(now)) return say("live.suggest_proven", { best });
  return say("live.suggest_best", { best, bound: whole(now.bound), gap: gapTold(now) });
}
function siteRow(site) {
  const kind = say(`kind.${site.what}`);
  return h("li", {},
    h("span", { class: "sc-change-icon" }, site.what === "shop" ? icons.shop(16) : icons.station(18)),
    h("span", { class: "sc-change-name" }, h("span", {}, say("live.suggest_site", { name: site.name || site.id, kind }))),
    h("span", { class: "sc-change-n" }, site.shown),
    h("button", { type: "button", class: "sc-link", onclick: () => takeOver([site]) }, say("live.take_one")));
}
const number = (label, value) => h("input", { type: "number", min: 0, max: 50, step: 1, value, "aria-label": label, inputmode: "numeric" });
/** The section of the panel. */
export function jobElement() {
  const stations = number(say("live.suggest_stations"), panel.suggest.stations);
  const shops = number(say("live.suggest_shops"), panel.suggest.shops);
  const count = (input) => Math.max(0, Math.min(50, Math.floor(Number(input.value) || 0)));
  const button = h("button", { type: "submit", class: "sc-plain sc-job-button" });
  const form = h("form", { class: "sc-job", onsubmit: (event) => { event.preventDefault(); if (job.isRunning) job.stop(); else start(count(stations), count(shops)); } },
    h("span", {}, say("live.suggest_more")), stations, h("span", {}, say("live.suggest_stations")), shops, h("span", {}, say("live.suggest_shops")), button);
  const fill = h("i");
  const progress = h("div", { class: "sc-progress", role: "progressbar", "aria-label": say("live.suggest"), "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const told = h("div", { class: "sc-sub", role: "status", "aria-live": "polite" });
  const found = h("div");
  onJob(() => {
    button.textContent = say(job.isRunning ? "live.suggest_stop" : "live.suggest_start");
    progress.hidden = !job.isRunning;
    progress.setAttribute("aria-valuenow", Math.round(job.progress));
    fill.style.width = `${job.progress}%`;
    told.textContent = [statusTold(), job.troubleTold()].filter(Boolean).join(" ");
    told.dataset.status = job.status;
    found.replaceChildren(...(sites.length ? [
      h("ul", { class: "sc-changes" }, ...sites.map(siteRow)),
      h("button", { type: "button", class: "sc-plain", onclick: () => takeOver(sites) }, say("live.take")),
    ] : []));
  });
  tell();
  return h("section", { class: "sc-full sc-jobs" }, h("h2", {}, say("live.suggest")), form, progress, told, found);
}

// ---- what the served plan suggests, beside what is tried
/** What the plan's sites would do at the minutes asked. */
export async function planEffect(sites) {
  const add = sites.map((site) => ({ what: site.kind, id: `plan-${site.id}`, at: site.at }));
  const { data } = await ask("what-if", { method: "POST", body: whatIfBody(add) });
  return data;
}
