// The form that starts a rollout.

import { byId, make, option } from "./dom.js";
import { Problem, field, number } from "./form.js";
import * as port from "./port.js";

/** Starter offers what there is to start. */
export class Starter {
  #classes;
  #problem;

  /**
   * classes are the versions of each class of adapters; change makes a change that is
   * an operator's, and tells a Problem what is wrong with it.
   */
  constructor(classes, change) {
    this.#classes = classes;
    this.#build();
    this.#problem = new Problem(byId("start-problem"), {
      class: byId("start-class"), candidate: byId("start-candidate"), name: byId("start-name"), share: byId("start-share"),
      plan: byId("start-share"), min_samples: byId("start-samples"), errors: byId("start-errors"), degraded: byId("start-degraded"),
      panics: byId("start-panics"), p99: byId("start-p99"),
    });
    byId("start").addEventListener("submit", (event) => {
      event.preventDefault();
      change(() => port.start(byId("start-class").value, byId("start-name").value.trim(), described()), this.#problem);
    });
  }

  #build() {
    const cls = make("select", { id: "start-class" }, ...Object.keys(this.#classes).map((name) => option(name)));
    const candidate = make("select", { id: "start-candidate" });
    byId("start-fields").append(
      field(cls, "Class"),
      field(candidate, "Candidate"),
      field(make("input", { id: "start-name", value: "first-try", spellcheck: "false" }), "Name", "a-z, 0-9 and -"),
      field(make("input", { id: "start-share", value: "10, 50, 100", spellcheck: "false" }), "Share or plan, %",
        "10 is a share; 5:30s, 50, 100 a plan whose first step lasts 30 s"),
      field(number("start-samples", 100, { min: 20 }), "Guard: requests", "of each, before it says something; empty: no guard"),
      field(number("start-errors", 1, { min: 0, max: 100 }), "… more errors, %", "of all requests; empty: not looked at"),
      field(number("start-degraded", 5, { min: 0, max: 100 }), "… more degraded, %", "of all requests"),
      field(number("start-p99", "", { min: 0 }), "… longer p99, %", "of control's"),
      field(number("start-panics", 3, { min: 0 }), "… panics", "so many, in all"));
    const offer = () => {
      const versions = this.#classes[cls.value];
      candidate.replaceChildren(...versions.map((name) => option(name)));
      candidate.value = versions.at(-1);
    };
    cls.addEventListener("change", offer);
    offer();
  }
}

/** Returns the rollout that the form describes. */
function described() {
  const steps = byId("start-share").value.split(",").map((text) => text.trim()).filter(Boolean).map(step);
  const rollout = { candidate: byId("start-candidate").value, automatic: byId("start-automatic").checked, guard: guard() };
  return steps.length === 1 && !steps[0].soak ? { ...rollout, share: steps[0].share } : { ...rollout, plan: steps };
}

/** Reads a step such as 5 or 5:30s. */
function step(text) {
  const [share, soak] = text.split(":").map((part) => part.trim());
  if (share === "" || !Number.isFinite(Number(share))) {
    throw Object.assign(new Error(`${text} is not PERCENT or PERCENT:TIME, such as 5:30s`), { field: "share" });
  }
  return soak ? { share: Number(share), soak } : { share: Number(share) };
}

/** Returns the guard; without a number of requests there is none. */
function guard() {
  const value = (id) => (byId(id).value === "" ? undefined : byId(id).valueAsNumber);
  if (value("start-samples") === undefined) {
    return undefined;
  }
  return {
    min_samples: value("start-samples"), errors: value("start-errors"), degraded: value("start-degraded"),
    p99: value("start-p99"), panics: value("start-panics"), hold: byId("start-hold").checked,
  };
}
