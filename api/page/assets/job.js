// Suggestions of the server: a job that is asked for, watched while its gap closes, stopped, and taken over.
import { icons } from "./icons.js";
import { addChanges, whatIfBody, changes } from "./changes.js";
import { asBody } from "./question.js";
import { ask, askWithKey } from "./server.js";
import { data as ground, h, panel, say, whole } from "./page.js";
import { apportioned } from "./shapes.js";

const EVERY_MS = 500;
const listeners = [];
export const onJob = (listener) => listeners.push(listener);
const tell = () => { for (const listener of listeners) listener(); };
/** The job that is watched, and what it has found. */
export const job = { address: "", status: "", progress: 0, best: null, bound: null, detail: "", sites: [] };
const isRunning = () => job.status === "accepted" || job.status === "running";

async function start(stations, shops) {
  if (!stations && !shops) {
    Object.assign(job, { status: "failed", detail: say("live.suggest_nothing") });
    tell();
    return;
  }
  Object.assign(job, { address: "", status: "accepted", progress: 0, best: null, bound: null, detail: "", sites: [] });
  tell();
  try {
    const { minutes, profile, when, service } = asBody();
    const inputs = { stations, shops, minutes, profile, when, service, ...tried() };
    const answer = await askWithKey("ogc/processes/suggest/execution", { method: "POST", body: { inputs }, headers: { Prefer: "respond-async" } });
    if (!answer) Object.assign(job, { status: "" });
    else {
      job.address = addressOf(answer);
      watch(job.address);
    }
  } catch (error) {
    Object.assign(job, { status: "failed", detail: error.status === 404 ? say("live.suggest_off") : error.message });
  }
  tell();
}
/** What is tried is taken to be there, or closed. */
function tried() {
  const { add = [], move = [], close = [] } = whatIfBody();
  const placed = [...add.map(({ kind, lon, lat }) => ({ kind, lon, lat })), ...move.map(({ id, lon, lat }) => ({ kind: kindOf(id), lon, lat }))];
  const gone = [...close, ...move.map(({ id }) => id)];
  return { ...(placed.length ? { add: placed } : {}), ...(gone.length ? { close: gone } : {}) };
}
const kindOf = (id) => (ground("places").shop.some((one) => one.id === id) ? "shop" : "station");
const addressOf = ({ data }) => `ogc/jobs/${encodeURIComponent(data.jobID)}`;

async function watch(address) {
  while (job.address === address && isRunning()) {
    await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
    if (job.address !== address) return;
    try {
      const { data } = await askWithKey(address) || {};
      if (!data) return;
      read(data);
      if (data.status === "successful") await readSites(address);
    } catch (error) {
      Object.assign(job, { status: "failed", detail: error.message });
    }
    tell();
  }
}
function read(data) {
  const found = data.found || {};
  Object.assign(job, {
    status: data.status, progress: data.progress ?? job.progress, detail: data.message || "",
    best: found.objective ?? job.best, bound: found.bound ?? job.bound,
  });
}
async function readSites(address) {
  const { data } = await askWithKey(`${address}/results`);
  job.sites = data.suggestions.value.features.map(({ id, geometry, properties }) => ({
    id: String(id ?? properties.id), what: properties.kind, name: properties.name || "", at: [geometry.coordinates[1], geometry.coordinates[0]],
    gained: properties.riders_gained,
  }));
  const { objective, bound } = data.proof.value;
  Object.assign(job, { best: objective, bound });
  // whole, as they add up from today's riders to those of the plan
  const gains = job.sites.map((site) => site.gained);
  const before = objective - gains.reduce((sum, gain) => sum + gain, 0);
  const shown = apportioned(gains, Math.floor(objective + 0.5) - Math.floor(before + 0.5));
  job.sites.forEach((site, i) => { site.shown = shown[i] === 0 && site.gained > 1e-9 ? "<1" : `+${whole(shown[i])}`; });
}
async function stop() {
  const { address } = job;
  job.address = "";
  job.status = "dismissed";
  tell();
  if (address) await askWithKey(address, { method: "DELETE" }).catch((error) => { job.detail = error.message; tell(); });
}

/** Take sites over as trials: what the server found stays where it is. */
export function takeOver(sites) {
  const there = new Set(changes().map((one) => one.id));
  addChanges(sites.filter((site) => !there.has(`taken-${site.id}`)).map((site) => ({ id: `taken-${site.id}`, what: site.what, at: site.at, name: site.name })));
}
const gapTold = () => {
  const gap = Math.abs(job.bound - job.best) / Math.max(Math.abs(job.bound), 1e-12);
  return `${(100 * gap).toFixed(gap > 0 && gap < 0.001 ? 2 : 1)}%`;
};
function statusTold() {
  if (job.status === "accepted") return say("live.suggest_waiting");
  if (job.status === "dismissed") return say("live.suggest_stopped");
  if (job.status === "failed") return say("live.suggest_failed", { detail: job.detail });
  if (job.best === null || job.bound === null) return job.status === "running" ? say("live.suggest_running") : "";
  if (job.status === "successful" && Math.abs(job.bound - job.best) <= 1e-6 * Math.max(1, Math.abs(job.bound))) {
    return say("live.suggest_proven", { best: whole(job.best) });
  }
  return say("live.suggest_best", { best: whole(job.best), bound: whole(job.bound), gap: gapTold() });
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
  const form = h("form", { class: "sc-job", onsubmit: (event) => { event.preventDefault(); if (isRunning()) stop(); else start(count(stations), count(shops)); } },
    h("span", {}, say("live.suggest_more")), stations, h("span", {}, say("live.suggest_stations")), shops, h("span", {}, say("live.suggest_shops")), button);
  const fill = h("i");
  const progress = h("div", { class: "sc-progress", role: "progressbar", "aria-label": say("live.suggest"), "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const told = h("div", { class: "sc-sub", role: "status", "aria-live": "polite" });
  const found = h("div");
  onJob(() => {
    button.textContent = say(isRunning() ? "live.suggest_stop" : "live.suggest_start");
    progress.hidden = !isRunning();
    progress.setAttribute("aria-valuenow", Math.round(job.progress));
    fill.style.width = `${job.progress}%`;
    told.textContent = statusTold();
    told.dataset.status = job.status;
    found.replaceChildren(...(job.sites.length ? [
      h("ul", { class: "sc-changes" }, ...job.sites.map(siteRow)),
      h("button", { type: "button", class: "sc-plain", onclick: () => takeOver(job.sites) }, say("live.take")),
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
