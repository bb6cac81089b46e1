// What is asked: minutes, mode, hour and service; kept while this tab is open.
import { panel, say } from "./page.js";

const KEPT = `servicecircle question ${panel.study}`;
const kept = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
export const question = {
  minutes: panel.first_minutes, profile: panel.profile, when: panel.when || "any", service: panel.service.join(",") || "any", ...kept,
};
export const keepQuestion = () => sessionStorage.setItem(KEPT, JSON.stringify(question));
/** As parameters of an address. */
export const asParameters = () => new URLSearchParams({
  minutes: question.minutes, profile: question.profile, when: question.when, service: question.service,
}).toString();
/** As members of a body. */
export const asBody = () => ({
  minutes: [question.minutes], profile: question.profile, when: question.when,
  service: question.service === "any" ? [] : question.service.split(","),
});
export const profileNow = () => panel.profiles.find(({ name }) => name === question.profile) || panel.profiles[0];
/** Minutes that the mode allows: all of the slider, or a standard's own. */
export const allowedMinutes = () => {
  const { breaks } = profileNow();
  if (breaks.length) return breaks;
  const all = [];
  for (let m = panel.least_minutes; m <= panel.most_minutes; m++) all.push(m);
  return all;
};
/** The nearest minutes that the mode allows. */
export const fitMinutes = () => {
  question.minutes = allowedMinutes().reduce((best, m) => (Math.abs(m - question.minutes) < Math.abs(best - question.minutes) ? m : best));
};
fitMinutes();
/** The moment and services asked for, in words. */
export function questionTold() {
  const service = panel.services.find(([code]) => code === question.service);
  return [
    say("live.minutes_n", { m: question.minutes }), say(`live.${question.profile}`),
    question.when === "any" ? "" : question.when, question.service === "any" ? "" : service ? service[1] : question.service,
  ].filter(Boolean);
}
