// Services and hours: who still counts, whom they reach, and their circles; worked out here, from the plan's own times.
const choices = data("choices");
Object.assign(state, {
  mode: "before",
  k: panel.minutes.length - 1, // position of the break; the largest first, since gaps and gains are told by it
  cellsBy: "riders",
});
const minutesNow = () => panel.minutes[state.k];
state.service = "";
state.hour = ""; // position of the days, and the hour: "0 12"
const isChoosing = () => Boolean(choices) && (state.service !== "" || state.hour !== "");
const nBreak = panel.minutes.length;

/** Which facilities count now: existing ones that offer it and are not known to be closed; suggestions with the proposal. */
function whoCounts(mode) {
  const counts = choices.areas[panel.minutes[0]].map((_, i) => i < choices.n_own || mode === "after");
  if (state.service !== "") {
    const offering = new Set(choices.services.who[Number(state.service)]);
    for (let i = 0; i < choices.n_own; i++) if (!offering.has(i)) counts[i] = false;
  }
  if (state.hour !== "") {
    const [days, hour] = state.hour.split(" ").map(Number);
    for (const i of choices.hours.closed[days][hour]) counts[i] = false;
  }
  if (mode === "after") for (const i of choices.leaves) counts[i] = false;
  return counts;
}
/** Riders covered at each break, in all and by cell. */
function coveredBy(counts) {
  const total = new Array(nBreak).fill(0);
  const byCell = panel.minutes.map(() => new Float64Array(cellData.riders.length));
  let all = 0;
  const { cell, riders: weight, who } = choices.reach;
  for (let g = 0; g < cell.length; g++) {
    all += weight[g];
    let best = nBreak;
    for (const code of who[g]) {
      const b = code % nBreak;
      if (b < best && counts[(code - b) / nBreak]) best = b;
    }
    for (let b = best; b < nBreak; b++) {
      total[b] += weight[g];
      if (cell[g] >= 0) byCell[b][cell[g]] += weight[g];
    }
  }
  return { total, byCell, all };
}
/** What is chosen, counted before and after; made anew when a choice changes. */
let chosenNow = null;
let chosenKey = "";
function chosenCounts() {
  const key = `${state.service}|${state.hour}`;
  if (key !== chosenKey || !chosenNow) {
    chosenNow = {};
    for (const mode of ["before", "after"]) {
      const counts = whoCounts(mode);
      const covered = coveredBy(counts);
      const parts = covered.total.map((n, b) => n - (b ? covered.total[b - 1] : 0));
      const whole = apportioned([...parts, covered.all - covered.total[nBreak - 1]], Math.floor(covered.all + 0.5));
      chosenNow[mode] = { counts, ...covered, whole };
    }
    chosenKey = key;
  }
  return chosenNow;
}
const missedNow = (i) => (isChoosing()
  ? Math.max(0, cellData.riders[i] - chosenCounts()[state.mode].byCell[state.k][i])
  : cellData.missed[state.mode][minutesNow()][i]);

/** The headline for what is chosen, in the form in which the plan's own comes. */
function chosenFigure() {
  const mine = chosenCounts()[state.mode];
  const today = chosenCounts().before;
  const within = (whole) => whole.slice(0, state.k + 1).reduce((sum, n) => sum + n, 0);
  const plain = panel.figures[state.mode][state.k];
  const figure = {
    title: plain.title,
    share: share(mine.total[state.k], mine.all),
    riders: say("of_riders", { part: whole(within(mine.whole)), total: riders(mine.whole.reduce((sum, n) => sum + n, 0)) }),
    parts: plain.parts.map((part, i) => ({ ...part, n: mine.whole[i], told: whole(mine.whole[i]) })),
  };
  if (state.mode === "after") {
    const more = within(mine.whole) - within(today.whole);
    figure.change = say("gain", { n: `${more < 0 ? "\u2212" : "+"}${whole(Math.abs(more))}` });
    figure.was = say("was", { share: share(today.total[state.k], today.all) });
  }
  return figure;
}

/** Whether a place does not count now: it is shown as closed. */
const isLeftOut = (place) => isChoosing() && place.at_choice !== undefined && !chosenCounts()[state.mode].counts[place.at_choice];
/** What is chosen, in words. */
function choiceTold() {
  const hour = state.hour === "" ? [] : state.hour.split(" ").map(Number);
  return [
    state.service === "" ? say("choice.any") : choices.services.names[Number(state.service)],
    hour.length ? say("choice.at", { days: choices.hours.days[hour[0]], h: hour[1] }) : say("choice.all_day"),
  ].join(isChinese ? "，" : ", ");
}

// ---- circles of those who count: one area, its line only where it is the outer one
const chosenAreas = {};
if (choices) for (const m of panel.minutes) chosenAreas[m] = choices.areas[m].map((polygons) => unpackPolygons(polygons));
function chosenCircle(k) {
  const { counts } = chosenCounts()[state.mode];
  return chosenAreas[panel.minutes[k]].filter((_, i) => counts[i]).flat();
}
// ---- the two lists in the panel
function choiceList(label, groups, get, set) {
  const list = h("select", { "aria-label": label, onchange: (event) => { set(event.target.value); changed(); } },
    ...groups.map(([name, options]) => {
      const entries = options.map(([value, text]) => h("option", { value }, text));
      return name ? h("optgroup", { label: name }, ...entries) : entries[0];
    }));
  updates.push(() => { list.value = get(); list.classList.toggle("sc-chosen", get() !== ""); });
  return h("label", { class: "sc-choose" }, h("span", {}, label), list);
}
function choicesElement() {
  if (!choices) return null;
  const lists = [];
  if (choices.services.codes.length) {
    const options = choices.services.names.map((name, i) => [String(i), name]);
    lists.push(choiceList(say("choice.service"), [["", [["", say("choice.any")]]], ["\u00a0", options]],
      () => state.service, (value) => { state.service = value; }));
  }
  if (choices.hours) {
    const days = choices.hours.days.map((name, d) => [name,
      Array.from({ length: 24 }, (_, hour) => [`${d} ${hour}`, say("choice.at", { days: name, h: hour })])]);
    lists.push(choiceList(say("choice.hour"), [["", [["", say("choice.all_day")]]], ...days],
      () => state.hour, (value) => { state.hour = value; }));
  }
  return h("div", { class: "sc-chooser" }, ...lists);
}
function choiceNote() {
  const note = h("div", { class: "sc-choice-note", "aria-live": "polite" });
  updates.push(() => {
    note.hidden = !isChoosing();
    if (note.hidden) return;
    const { counts } = chosenCounts()[state.mode];
    const told = [say("choice.counted", { n: whole(counts.filter(Boolean).length), all: whole(state.mode === "after" ? counts.length - choices.leaves.length : choices.n_own) })];
    if (state.hour !== "") {
      const [days, hour] = state.hour.split(" ").map(Number);
      const n = choices.hours.unknown[days][hour].filter((i) => counts[i]).length;
      if (n) told.push(say("choice.unknown", { n: whole(n) }));
    }
    note.textContent = [...told, choices.note].join(isChinese ? "" : " ");
  });
  return note;
}
