// What every panel is made of: switches, rows of the legend, the sheet on a phone.
import { colours, h, narrow, say, state, svg } from "./page.js";

export const side = document.getElementById("sc-side");
export const view = document.getElementById("sc-view");
export const updates = []; // what has to be said anew when a switch is moved

/** A switch of a few choices: arrows move it, one of it is in the Tab order. */
export function segmented(label, choices, get, set, changed) {
  const buttons = choices.map(([value, text]) =>
    h("button", { type: "button", role: "radio", class: "sc-choice", onclick: () => { set(value); changed(); } }, text));
  const group = h("div", { class: "sc-switch", role: "radiogroup", "aria-label": label }, ...buttons);
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = choices.findIndex(([value]) => value === get());
    const next = (at + step + choices.length) % choices.length;
    set(choices[next][0]);
    changed();
    buttons[next].focus();
  });
  updates.push(() => buttons.forEach((button, i) => {
    const isChosen = choices[i][0] === get();
    button.setAttribute("aria-checked", isChosen);
    button.tabIndex = isChosen ? 0 : -1;
  }));
  return group;
}

export const swatchBox = (attributes) => svg("rect", { x: 1, y: 1.5, width: 28, height: 13, rx: 2, ...attributes });
export const swatch = (...shapes) => svg("svg", { width: 30, height: 16, viewBox: "0 0 30 16" }, ...shapes);
export const baseSwatch = () => swatch(swatchBox({ fill: colours.green, stroke: colours.rule }), svg("path", { d: "M3 12C10 10 14 5 27 4", stroke: colours.water_line, "stroke-width": 3, fill: "none" }));

export function toggle(row, changed) {
  state.isOn[row.key] = !state.isOn[row.key];
  if (row.onToggle) row.onToggle(state.isOn[row.key]);
  changed();
}
/** A row of the legend: swatch, name, tick; `row.after` makes what stands below it. */
export function legendRowElement(row, picture, changed) {
  const name = h("span");
  const note = h("em");
  const element = h("div", {
    class: "sc-layer", role: "checkbox", tabindex: 0, "data-layer": row.key,
    onclick: () => toggle(row, changed),
    onkeydown: (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      toggle(row, changed);
    },
  }, h("span", { class: "sc-swatch" }, picture), h("span", { class: "sc-layer-name" }, name, " ", note), h("span", { class: "sc-tick" }));
  updates.push(() => {
    element.setAttribute("aria-checked", Boolean(state.isOn[row.key]));
    element.hidden = Boolean(row.isShown) && !row.isShown();
    name.textContent = row.name ? row.name() : say("layer." + row.key);
    note.textContent = row.note ? row.note() : "";
  });
  return row.after ? [element, row.after()] : [element];
}

// ---- the sheet on a phone
export const handle = h("button", { type: "button", class: "sc-handle", "aria-label": say("sheet"), onclick: () => openSheet(!side.classList.contains("sc-open")) });
export function openSheet(isOpen) {
  side.classList.toggle("sc-open", isOpen);
  handle.setAttribute("aria-expanded", isOpen);
  if (!isOpen) side.scrollTop = 0;
  measureSheet();
}
/** What stands on the map stands above the sheet. */
export function measureSheet() {
  if (narrow.matches && !side.classList.contains("sc-open")) document.body.style.setProperty("--sheet", `${side.offsetHeight}px`);
}
