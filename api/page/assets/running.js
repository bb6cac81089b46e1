// A job of the server: begun, watched until it ends, stopped.
import { askWithKey } from "./server.js";
import { say } from "./page.js";

const EVERY_MS = 500;
const NOTHING = { address: "", status: "", progress: 0, detail: "", closures: [], found: {} };

/** A job of one process; `tell` is called whenever something of it has changed, `read` with its address at its good end. */
export class Job {
  constructor(process, { tell, read }) {
    Object.assign(this, NOTHING, { process, tell, read });
  }
  get isRunning() {
    return this.status === "accepted" || this.status === "running";
  }
  become(values) {
    Object.assign(this, values);
    this.tell();
  }
  fail(detail) {
    this.become({ status: "failed", detail });
  }
  /** Ask for it; the reader may be asked for the key. What the server refuses is thrown. */
  async start(inputs) {
    this.become({ ...NOTHING, status: "accepted" });
    const answer = await askWithKey(`ogc/processes/${this.process}/execution`, { method: "POST", body: { inputs }, headers: { Prefer: "respond-async" } });
    if (!answer) {
      this.become({ status: "" });
      return;
    }
    this.become({ address: `ogc/jobs/${encodeURIComponent(answer.data.jobID)}`, closures: answer.data.closures || [] });
    this.watch(this.address);
  }
  async watch(address) {
    while (this.address === address && this.isRunning) {
      await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
      if (this.address !== address) return;
      try {
        const { data } = await askWithKey(address) || {};
        if (!data || this.address !== address) return;
        if (data.status === "successful") await this.read(address);
        Object.assign(this, { status: data.status, progress: data.progress ?? this.progress, detail: data.message || "", found: data.found || this.found });
      } catch (error) {
        Object.assign(this, { status: "failed", detail: error.message });
      }
      this.tell();
    }
  }
  async stop() {
    const { address } = this;
    this.become({ address: "", status: "dismissed" });
    if (address) await askWithKey(address, { method: "DELETE" }).catch((error) => this.become({ detail: error.message }));
  }
  /** That reports from the street, or streets tried closed, are counted. */
  troubleTold() {
    const n = this.closures.length;
    return n ? say(n === 1 ? "live.job_closure" : "live.job_closures", { n }) : "";
  }
}
/** What a refused start is told as. */
export const startTold = (error) => (error.status === 404 ? say("live.suggest_off") : error.message);
