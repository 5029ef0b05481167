// The calls of a page as bars over one time axis: where a call begins after
// another one ended, it needed that one.

import { make, ms } from "./dom.js";
import { badge, because } from "./rung.js";

/** Returns the elements of the list: the axis, then a row for each call. */
export function waterfall(trial) {
  if (trial.calls.length === 0) {
    return [];
  }
  const scale = new Scale(trial);
  return [axis(scale), ...trial.calls.map((call) => row(call, scale))];
}

/** Returns the sentence above the list. */
export function summary(trial) {
  const { calls, runaways } = trial;
  if (runaways > 0) {
    return `${runaways} goroutines outlived the page: its calls cannot be told.`;
  }
  if (calls.length === 0) {
    return "No call was made.";
  }
  return `${calls.length} ${calls.length === 1 ? "call" : "calls"}, in the order they began. ${budgetNote(new Scale(trial))}`;
}

function budgetNote({ budget, beyond }) {
  if (budget <= 0) {
    return "";
  }
  return beyond ? `The page's budget, ${ms(budget)}, lies beyond the right edge.` : `The dashed line is the page's budget, ${ms(budget)}.`;
}

/** Scale turns times into shares of the axis. It shows all that happened; a
 * budget far beyond that would leave the bars no room, and stands at the edge. */
class Scale {
  constructor(trial) {
    const ends = trial.calls.map((call) => call.began_ms + call.ms);
    const happened = Math.max(trial.ms, ...ends) * 1.04;
    this.beyond = trial.budget_ms > happened * 4;
    this.end = this.beyond ? happened : Math.max(happened, trial.budget_ms * 1.04);
    this.budget = trial.budget_ms;
  }

  share(time) {
    return `${(100 * Math.min(time / this.end, 1)).toFixed(3)}%`;
  }
}

/** Makes the track of a row, with the line of the budget. */
function track(scale, ...children) {
  const element = make("div", { class: "track" }, ...children);
  if (scale.budget > 0) {
    const line = make("i", { class: scale.beyond ? "budget beyond" : "budget" });
    line.style.left = scale.beyond ? "100%" : scale.share(scale.budget);
    element.append(line);
  }
  return element;
}

function axis(scale) {
  const marks = [0, 0.25, 0.5, 0.75].map((share) => {
    const mark = make("span", {}, share === 0 ? "0" : ms(scale.end * share));
    mark.style.left = `${share * 100}%`;
    return mark;
  });
  const budget = scale.budget > 0 ? make("span", { class: "limit" }, scale.beyond ? `budget ${ms(scale.budget)} →` : "budget") : null;
  if (budget && !scale.beyond) {
    budget.style.left = scale.share(scale.budget);
    budget.classList.add("at");
  }
  return make("li", { class: "call axis", "aria-hidden": "true" }, track(scale, ...marks, budget));
}

function row(call, scale) {
  const bar = make("div", { class: `bar ${call.rung}` });
  bar.style.left = scale.share(call.began_ms);
  bar.style.width = scale.share(call.ms);
  return make("li", { class: "call" },
    make("span", { class: "command" }, call.command, call.keys > 0 ? make("b", { class: "keys" }, `batch of ${call.keys}`) : null),
    make("span", { class: "fate" }, badge(call.rung), call.outcome === "success" ? null : ` · ${call.outcome.replace("_", " ")}`),
    make("span", { class: "times" }, `${ms(call.ms)} from ${ms(call.began_ms)}`),
    track(scale, bar),
    details(call));
}

/** Makes the line below a call that has something more to say. */
function details(call) {
  const words = [];
  if (call.reason) {
    words.push(`the call ${because(call.reason)}`);
  }
  if (call.error && call.error !== call.reason) {
    words.push(call.error);
  }
  if (call.attempts > 1) {
    words.push(`${call.attempts} attempts`);
  }
  return words.length > 0 ? make("small", { class: "why" }, words.join("; ")) : null;
}
