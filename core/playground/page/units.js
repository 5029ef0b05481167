// Which version each of many units has, as the gateway assigns them: a square for
// each, always at its place, so that one sees that a growing share only adds units.

import * as api from "./api.js";
import { because } from "./chosen.js";
import { byId, make, option } from "./dom.js";
import { field } from "./form.js";

/** Units is the picture. */
export class Units {
  #before = null; // what was shown last
  #shown = ""; // what is shown, as asked for

  /** again is called when something else is to be shown. */
  constructor(classes, again) {
    byId("units-fields").append(
      field(make("select", { id: "units-class" }, ...classes.map((name) => option(name))), "Class"),
      field(make("select", { id: "units-count" }, option("200"), option("1000")), "Units", "the users u-1, u-2 and so on"),
      field(make("input", { id: "unit", value: "u-7", spellcheck: "false" }), "Look for", "one of them"));
    for (const id of ["units-class", "units-count"]) {
      byId(id).addEventListener("change", again);
    }
    byId("unit").addEventListener("input", () => this.#point());
  }

  /** Shows the units by a revision, unless it does so already. */
  async refresh(revision) {
    const [cls, count] = [byId("units-class").value, byId("units-count").value];
    const wanted = `${cls} ${count} ${revision}`;
    if (wanted === this.#shown) {
      return;
    }
    const told = await api.assignments(cls, count);
    this.#draw(told);
    this.#shown = `${cls} ${count} ${told.revision}`;
  }

  #draw(told) {
    const before = this.#before?.class === told.class ? new Map(this.#before.units.map((is) => [is.unit, is])) : new Map();
    const moved = (is) => before.has(is.unit) && before.get(is.unit).version !== is.version;
    byId("units").replaceChildren(...told.units.map((is) => square(is, moved(is))));
    const groups = [...grouped(told.units)];
    byId("units-legend").replaceChildren(...groups.map(([words, all]) => make("li", {}, swatch(all[0]), ` ${all.length} have ${words}`)));
    byId("units").setAttribute("aria-label", groups.map(([words, all]) => `${all.length} have ${words}`).join("; "));
    byId("units-note").textContent = change(told, before, this.#before, moved);
    this.#before = told;
    this.#point();
  }

  /** Points at the unit that is looked for. */
  #point() {
    const wanted = byId("unit").value.trim();
    const found = this.#before?.units.find((is) => is.unit === wanted);
    byId("unit-told").textContent = found ? `${found.unit} has ${found.version}: ${because(found)}.` : "";
    for (const element of byId("units").children) {
      element.classList.toggle("wanted", element.dataset.unit === wanted);
    }
  }
}

/** Returns what has changed since the picture before. */
function change(told, before, last, moved) {
  const all = told.units.filter(moved);
  if (before.size === 0 || last.revision === told.revision) {
    return `Revision ${told.revision}.`;
  }
  const joined = all.filter((is) => is.arm === "candidate").length;
  const left = all.filter((is) => before.get(is.unit).arm === "candidate").length;
  return `Revision ${told.revision}: ${joined} came to the candidate since revision ${last.revision}, `
    + `and ${left} left it: those with a frame.`;
}

const square = (is, moved) => make("i", {
  class: `${kind(is)}${moved ? " moved" : ""}`, title: `${is.unit} has ${is.version}: ${because(is)}`, "data-unit": is.unit,
});

const swatch = (is) => make("i", { class: kind(is), "aria-hidden": "true" });

const kind = (is) => (is.arm === "neither" && is.reason === "targeting_match" ? "candidate" : is.arm);

/** Returns the units by what is so of them, the largest group first. */
function grouped(units) {
  const groups = new Map();
  for (const is of units) {
    const words = `${is.version}: ${because(is)}`;
    groups.set(words, [...(groups.get(words) ?? []), is]);
  }
  return new Map([...groups].sort(([, a], [, b]) => b.length - a.length));
}
