// Rungs and reasons in words. A rung has a letter and a pattern beside its
// colour, so that nobody needs the colour.

import { make } from "./dom.js";

const rungs = {
  live: "the backend answered now",
  cached: "a fresh copy, no call was made",
  stale: "an old copy stood in",
  default: "a hardwired answer stood in",
  missing: "nothing to show",
};

const reasons = {
  timeout: "took longer than its command allows",
  error: "failed, or could not be reached",
  open: "was not made: the circuit is open",
  full: "was not made: as many are running as may",
  budget: "was left too little time by the page's own limit",
  dependency: "needs another call, and that one failed",
  invalid: "got an answer that cannot be read",
  not_found: "asked for what the backend does not know",
  anonymous: "needs a user, and there is none",
  panic: "met a defect in the gateway",
  canceled: "ended with its request",
  overload: "not begun: too many pages are in progress",
};

/** Returns why, as the end of a sentence that begins with "the call". */
export const because = (reason) => reasons[reason] ?? reason;

/** Returns what a rung means. */
export const meaning = (rung) => rungs[rung] ?? rung;

/** Makes the badge of a rung: its letter in its colour, then its name. */
export function badge(rung) {
  const letter = make("b", { class: `letter ${rung}`, "aria-hidden": "true" }, rung.slice(0, 1).toUpperCase());
  return make("span", { class: "badge", title: meaning(rung) }, letter, rung);
}

/** Returns what more there is to say of a mark: its age, its holes, why. */
export function why(mark) {
  const words = [];
  if (mark.rung === "stale" || (mark.rung === "cached" && mark.age > 0)) {
    words.push(`${mark.age} s old`);
  }
  if (mark.holes > 0) {
    words.push(`${mark.holes} ${mark.holes === 1 ? "hole" : "holes"} in its list`);
  }
  if (mark.reason) {
    words.push(`${mark.reason}: the call ${because(mark.reason)}`);
  }
  return words.join("; ");
}
