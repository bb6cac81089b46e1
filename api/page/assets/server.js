// The server: questions and answers as JSON, what it refuses as an error with its own words, the key kept in this tab.
import { h, say } from "./page.js";

/** What the server refused, in its words. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}
const isEnglish = () => document.documentElement.lang === "en";

/** Ask; `key` is sent where the server wants one; `isFile`: what comes is a file, else JSON. */
export async function ask(path, { method = "GET", body, key, signal, isFile = false, headers = {} } = {}) {
  const answer = await fetch(path, {
    method, signal,
    headers: {
      "Accept-Language": isEnglish() ? "en" : "zh", Accept: isFile ? "*/*" : "application/json",
      ...(body ? { "Content-Type": "application/json" } : {}), ...(key ? { "X-API-Key": key } : {}), ...headers,
    },
    body: body ? JSON.stringify(body) : undefined,
  });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, problem.detail || problem.description || `${answer.status} ${answer.statusText}`);
  }
  if (isFile) return { data: await answer.blob() };
  const text = await answer.text();
  return { data: text ? JSON.parse(text) : null, location: answer.headers.get("Location") };
}

// ---- the key: asked for once, kept in this tab alone
const KEPT = "servicecircle key";
let ownKey = sessionStorage.getItem(KEPT) || "";
/** Ask with the key; where there is none, or a wrong one, the reader is asked for it. */
export async function askWithKey(path, options = {}) {
  for (;;) {
    if (!ownKey) ownKey = await wantedKey("");
    if (!ownKey) return null; // she would rather not
    try {
      const answer = await ask(path, { ...options, key: ownKey });
      sessionStorage.setItem(KEPT, ownKey);
      return answer;
    } catch (error) {
      if (error.status !== 401 && error.status !== 403) throw error;
      sessionStorage.removeItem(KEPT);
      ownKey = await wantedKey(say("live.key_wrong"));
      if (!ownKey) return null;
    }
  }
}
function wantedKey(trouble) {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", autocomplete: "off", "aria-label": say("live.key"), name: "key" });
    const cancel = h("button", { type: "button", class: "sc-plain", onclick: () => dialog.close("") }, say("live.cancel"));
    const form = h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); dialog.close(input.value.trim()); } },
      h("h2", {}, say("live.key")), h("p", {}, say("live.key_why")), trouble ? h("p", { class: "sc-trouble", role: "alert" }, trouble) : null,
      input, h("div", { class: "sc-dialog-buttons" }, cancel, h("button", { type: "submit", class: "sc-main-button" }, say("live.ok"))));
    const dialog = h("dialog", { class: "sc-dialog", onclose: () => { dialog.remove(); resolve(dialog.returnValue); } }, form);
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
