// The week: who serves the night, and the curve of riders covered by hour.
const week = data("week");
const HOUR_WIDTH = 2;
const CURVE_HEIGHT = 46;
const nightLayers = !week || !week.night.length ? [] : [
  area("outline", unpackPolygons(week.night), { fillColor: colours.night, fillOpacity: 0.2, stroke: true, color: colours.night, weight: 2.2 }),
];
function drawNight() {
  for (const layer of nightLayers) {
    if (state.isOn.week) layer.addTo(map);
    else layer.remove();
  }
}
/** Whether a place is shown as closed: always, with the suggestions, or at night. */
const isShownClosed = (place) =>
  place.closed || isLeftOut(place) || (place.leaves && state.mode === "after") || (place.night === false && state.isOn.week && nightLayers.length > 0);

/** A line of steps, an hour each, from the left to the right. */
function steps(hours) {
  const y = (value) => (CURVE_HEIGHT * (1 - Math.min(1, value / week.riders))).toFixed(2);
  return hours.map((value, i) => `${i ? "V" : "M0 "}${y(value)}H${(i + 1) * HOUR_WIDTH}`).join("");
}
const hourName = (i) => say("week_hour", { day: say("days").split(" ")[Math.floor(i / 24)], a: i % 24, b: (i % 24) + 1 });

function curveElement() {
  const width = 168 * HOUR_WIDTH;
  const told = h("div", { class: "sc-week-told", "aria-live": "polite" });
  const covered = svg("path", { fill: colours.station, "fill-opacity": 0.28, stroke: "none" });
  const least = svg("path", { fill: colours.station, "fill-opacity": 0.5, stroke: "none" });
  const line = svg("path", { fill: "none", stroke: colours.circle_line, "stroke-width": 1, "vector-effect": "non-scaling-stroke" });
  const cursor = svg("line", { y1: 0, y2: CURVE_HEIGHT, stroke: colours.ink, "stroke-width": 1, "vector-effect": "non-scaling-stroke", visibility: "hidden" });
  const nights = [];
  for (let day = 0; day < 7; day++) {
    for (const [from, to] of [[0, 6], [22, 24]]) {
      nights.push(svg("rect", { x: (day * 24 + from) * HOUR_WIDTH, y: 0, width: (to - from) * HOUR_WIDTH, height: CURVE_HEIGHT, fill: colours.night, "fill-opacity": 0.09 }));
    }
  }
  const asked = week.when === null ? [] : [svg("line", {
    x1: week.when * HOUR_WIDTH, x2: week.when * HOUR_WIDTH, y1: 0, y2: CURVE_HEIGHT, stroke: colours.proposal, "stroke-width": 1.6, "vector-effect": "non-scaling-stroke",
  })];
  const chart = svg("svg", { viewBox: `0 0 ${width} ${CURVE_HEIGHT}`, preserveAspectRatio: "none", tabindex: 0, role: "img", class: "sc-week-chart" },
    ...nights, covered, least, line, ...asked, cursor);
  let at = null;
  function tell() {
    const now = week.covered[minutesNow()];
    cursor.setAttribute("visibility", at === null ? "hidden" : "visible");
    if (at === null) {
      told.textContent = week.shares[minutesNow()];
      return;
    }
    cursor.setAttribute("x1", (at + 0.5) * HOUR_WIDTH);
    cursor.setAttribute("x2", (at + 0.5) * HOUR_WIDTH);
    const low = week.at_least[minutesNow()][at];
    const range = low < now[at] - 0.5 ? say("week_range", { low: riders(low), high: riders(now[at]) }) : riders(now[at]);
    told.textContent = say("week_told", { hour: hourName(at), riders: range, share: share(now[at], week.riders) });
  }
  const move = (to) => { at = Math.max(0, Math.min(167, to)); tell(); };
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    move(Math.floor((168 * (event.clientX - box.left)) / box.width));
  });
  chart.addEventListener("pointerleave", () => { at = null; tell(); });
  chart.addEventListener("blur", () => { at = null; tell(); });
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 24, ArrowUp: -24 }[event.key];
    if (!step) return;
    event.preventDefault();
    move(at === null ? 0 : at + step);
  });
  const days = h("div", { class: "sc-week-days", "aria-hidden": "true" }, ...say("days").split(" ").map((day) => h("span", {}, day)));
  const place = h("div", { class: "sc-week" }, chart, days, told);
  updates.push(() => {
    place.hidden = !state.isOn.week;
    const outline = steps(week.covered[minutesNow()]);
    line.setAttribute("d", outline);
    covered.setAttribute("d", `${outline}V${CURVE_HEIGHT}H0Z`);
    least.setAttribute("d", `${steps(week.at_least[minutesNow()])}V${CURVE_HEIGHT}H0Z`);
    chart.setAttribute("aria-label", `${say("week")}: ${week.shares[minutesNow()]}`);
    tell();
  });
  return place;
}
