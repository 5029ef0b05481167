// The right half of the page: what was answered, and how it came about.

import { sentence } from "./chosen.js";
import { byId, make, ms } from "./dom.js";
import { explain } from "./explain.js";
import { badge, why } from "./rung.js";
import { summary, waterfall } from "./waterfall.js";

/** Says what was done, and whether that is "good" or "bad"; screen readers read it out. */
export function say(text, how = "") {
  byId("status").textContent = text;
  byId("status").className = how;
}

/** Shows a trial. */
export function show(trial) {
  say(verdict(trial), trial.status < 400 ? "good" : "bad");
  byId("screen").className = trial.device?.class ?? "";
  byId("chosen").textContent = sentence(trial);
  byId("calls-note").textContent = summary(trial);
  byId("calls").replaceChildren(...waterfall(trial));
  byId("parts").tBodies[0].replaceChildren(...trial.parts.map(partRow));
  byId("parts").parentElement.hidden = trial.parts.length === 0;
  byId("lines").replaceChildren(...trial.header.flatMap(line));
  byId("body").textContent = pretty(trial.body);
  byId("told").hidden = false;
}

/** Returns the sentence that tells it all. */
function verdict(trial) {
  const words = [`${trial.status} ${trial.phrase}`.trim(), `in ${ms(trial.ms)}`];
  if (trial.version) {
    words.push(`by ${trial.version}`);
  }
  if (trial.device) {
    words.push(`for ${trial.device.class} (said by ${trial.device.by})`);
  }
  const good = trial.parts.filter((part) => part.rung === "live" && part.holes === 0).length;
  const parts = trial.parts.length === 0 || trial.status >= 400 ? "" : `: ${good} of ${trial.parts.length} parts live and whole`;
  return `${words.join(" ")}${parts}.`;
}

function partRow(part) {
  return make("tr", {},
    make("th", { scope: "row" }, part.name, part.required ? make("small", {}, " required") : null),
    make("td", {}, badge(part.rung), make("span", { class: "note" }, why(part) && ` · ${why(part)}`)),
    make("td", { class: "number" }, ms(part.ms).replace(" ms", "")));
}

function line({ name, value }) {
  return [make("dt", {}, name), make("dd", {}, make("code", {}, value), make("div", { class: "note" }, explain(name, value)))];
}

/** Returns JSON with its lines; what is not JSON, as it is. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text || "(empty)";
  }
}
