// Data, words and numbers: what every other part of a page uses. The map in one file joins these parts to one script; the
// live page loads them as modules.
/** Data of a layer: fetched before the first module is read, else beside the script. */
export const data = (key) => (globalThis.pageData ? globalThis.pageData[key] : JSON.parse(document.getElementById("sc-" + key).textContent));
export const panel = data("panel");
export const colours = panel.colours;
export const isChinese = panel.lang === "zh";
export const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
export const narrow = window.matchMedia("(max-width: 720px)");

/** What the reader has chosen. */
export const state = { isOn: {}, base: "" };
// a frame shows where the keyboard is; whoever points sees where
document.addEventListener("keydown", () => document.body.classList.add("sc-by-key"), true);
document.addEventListener("pointerdown", () => document.body.classList.remove("sc-by-key"), true);

// ---- words and numbers
export const say = (key, values = {}) =>
  panel.words[key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
export const NONE = "\u2014";
export const whole = (n) => Math.floor(n + 0.5).toString().replace(/\B(?=(\d{3})+$)/g, ",");
/** Riders as they are shown: `<1` where rounding would leave nothing of something. */
export function riders(n) {
  const told = n > 1e-9 && n < 0.5 ? "<1" : whole(n);
  return say(/^<?1$/.test(told) ? "riders_1" : "riders_n", { n: told });
}
export function share(part, total) {
  if (!(total > 0)) return NONE;
  const percent = (100 * part) / total;
  if (percent <= 1e-7) return "0%";
  if (percent >= 100 - 1e-7) return "100%";
  if (percent < 0.1) return "<0.1%";
  if (percent > 99.9) return ">99.9%";
  return percent.toFixed(1) + "%";
}
export const distance = (m) => (m >= 1000 ? say("kilometres", { n: m / 1000 }) : say("metres", { n: m }));

// ---- elements: names go in as text, never as markup
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "style") element.style.cssText = value; // a policy may forbid the attribute
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// ---- coordinates: each vertex is the step from the one before, around one origin
export const [originLon, originLat] = panel.origin;
export function unpack(steps, digits) {
  const unit = 10 ** digits;
  const points = new Array(steps.length / 2);
  let x = 0;
  let y = 0;
  for (let i = 0; i < points.length; i++) {
    x += steps[2 * i];
    y += steps[2 * i + 1];
    points[i] = [originLat + y / unit, originLon + x / unit];
  }
  return points;
}
export const unpackPolygons = (polygons, digits = 6) => polygons.map((rings) => rings.map((ring) => unpack(ring, digits)));
