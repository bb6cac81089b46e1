// The proposal: what is tried, or else the plan of the study, as a document that the server writes.
import { changes, onChanges, triedPlaces } from "./changes.js";
import { hand } from "./download.js";
import { h, panel, say } from "./page.js";
import { asBody } from "./question.js";
import { Job, startTold } from "./running.js";
import { askWithKey } from "./server.js";

const NOT_INSTALLED = 501;
const [DOCUMENT, FOLDER] = ["proposal.docx", "result.zip"];
const listeners = [];
const tell = () => { for (const listener of listeners) listener(); };
/** What is downloaded at the end: the document, or, where nothing writes it, all files of the plan. */
let file = DOCUMENT;
const job = new Job("plan", { tell, read: (address) => download(address, file) });

async function download(address, name) {
  const { data } = await askWithKey(`${address}/results/${name}`, { isFile: true });
  hand(`${panel.study} ${say(name === FOLDER ? "live.proposal_files" : "live.proposal_file")}`, data);
}
async function start() {
  const inputs = { ...asBody(), ...triedPlaces("propose") };
  file = DOCUMENT;
  try {
    await job.start({ ...inputs, proposal: true });
  } catch (error) {
    if (error.status !== NOT_INSTALLED) {
      job.fail(startTold(error));
      return;
    }
    file = FOLDER;
    await job.start(inputs).catch((again) => job.fail(startTold(again)));
  }
}
function statusTold() {
  if (job.status === "successful") return say(file === FOLDER ? "live.proposal_none" : "live.proposal_done");
  if (job.status === "failed") return say("live.suggest_failed", { detail: job.detail });
  if (job.status === "dismissed") return say("live.suggest_stopped");
  return job.status === "accepted" ? say("live.suggest_waiting") : job.detail;
}
/** The button, and below it how far the document is. */
export function proposalParts() {
  const button = h("button", { type: "button", class: "sc-main-button sc-proposal", onclick: () => { if (job.isRunning) job.stop(); else start(); } });
  const fill = h("i");
  const progress = h("div", { class: "sc-progress", role: "progressbar", "aria-label": say("live.download_proposal"), "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const told = h("span", { role: "status", "aria-live": "polite" });
  const every = h("button", { type: "button", class: "sc-link", onclick: () => download(job.address, FOLDER).catch((error) => job.fail(error.message)) }, say("live.proposal_zip"));
  const below = h("div", { class: "sc-sub sc-proposal-told" }, progress, told, " ", every);
  const draw = () => {
    button.textContent = say(job.isRunning ? "live.proposal_stop" : "live.download_proposal");
    button.title = say(changes().length ? "live.proposal_tried" : "live.proposal_plan");
    below.hidden = !job.status;
    progress.hidden = !job.isRunning;
    progress.setAttribute("aria-valuenow", Math.round(job.progress));
    fill.style.width = `${job.progress}%`;
    told.textContent = [statusTold(), job.troubleTold()].filter(Boolean).join(" ");
    told.dataset.status = job.status;
    every.hidden = job.status !== "successful";
  };
  listeners.push(draw);
  onChanges(draw);
  draw();
  return [button, below];
}
