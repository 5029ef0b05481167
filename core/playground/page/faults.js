// The table of services, each with the controls of its fault.

import * as api from "./api.js";
import { byId, make, option } from "./dom.js";
import { formatFault, kinds, parseFault, sameFault } from "./fault.js";

/**
 * Faults shows what each service has, and gives it what its controls say. What
 * comes from a shared address waits in the controls until apply is called: a
 * link alone breaks nothing.
 */
export class Faults {
  #rows = new Map(); // of a service
  #known = {}; // the fault of each service, as told last
  #applying = null;
  #told;

  /** told is called with what became of a change of the controls. */
  constructor(services, told) {
    this.#told = told;
    for (const service of services) {
      const row = new Row(service, () => this.#changed(service));
      this.#rows.set(service, row);
      byId("services").append(row.element);
    }
    byId("heal").addEventListener("click", () => this.#heal());
  }

  /** Returns the texts of the controls that say a fault, by service. */
  wanted() {
    const broken = [...this.#rows].map(([service, row]) => [service, row.text]).filter(([, text]) => text !== "none");
    return Object.fromEntries(broken);
  }

  /** Puts texts into the controls; services without one are healthy. */
  want(texts) {
    for (const [service, row] of this.#rows) {
      row.text = texts[service] ?? "none";
    }
  }

  /** Returns the services whose controls say what they do not have yet. */
  waiting() {
    return [...this.#rows.keys()].filter((service) => !sameFault(this.#rows.get(service).text, this.#known[service] ?? "none"));
  }

  /** Learns what the services have; controls that are not waiting show it. */
  async refresh() {
    this.#learn(await api.faults());
  }

  /** Gives the services what the controls say, one after the other. */
  apply() {
    this.#applying ??= this.#applyAll().finally(() => { this.#applying = null; });
    return this.#applying;
  }

  async #applyAll() {
    for (let waiting = this.waiting(); waiting.length > 0; waiting = this.waiting()) {
      const [service] = waiting;
      const row = this.#rows.get(service);
      const { text } = row;
      try {
        this.#known = await api.setFault(service, text);
        if (row.text === text) { // nobody changed it meanwhile: 1000us is told as 1ms, and the like
          row.text = this.#known[service];
        }
      } catch (error) {
        row.text = this.#known[service] ?? "none"; // else it would be tried again
        throw new Error(`${service}: ${error.message}`);
      }
    }
  }

  #learn(texts) {
    const waiting = this.waiting();
    this.#known = texts;
    for (const [service, row] of this.#rows) {
      if (!waiting.includes(service)) {
        row.text = texts[service] ?? "none";
      }
    }
  }

  async #changed(service) {
    try {
      await this.apply();
      this.#told(`${service}: ${this.#known[service] === "none" ? "healthy" : this.#known[service]}`);
    } catch (error) {
      this.#told(`Refused. ${error.message}`);
    }
  }

  async #heal() {
    try {
      this.#known = await api.healAll();
      this.want({});
      this.#told("All services are healthy.");
    } catch (error) {
      this.#told(`Not healed. ${error.message}`);
    }
  }
}

/** Row is the controls of one service. */
class Row {
  #fault = parseFault("none");

  constructor(service, changed) {
    this.latency = slider(service, "latency", "milliseconds of latency", { max: 2000, step: 50 });
    this.error = slider(service, "errors", "percent of errors", { max: 100, step: 5 });
    this.kind = make("select", { id: `${service}-kind` }, ...kinds.map((kind) => option(kind)));
    this.rest = make("small", { class: "rest" });
    this.element = make("div", { class: "fault", role: "group", "aria-labelledby": `${service}-name` },
      make("span", { class: "name", id: `${service}-name` }, service),
      this.latency.element, this.error.element,
      make("span", { class: "kind" }, hidden(`${service}-kind`, `${service}: else`), this.kind), this.rest);
    this.#listen(changed);
  }

  #listen(changed) {
    this.element.addEventListener("input", () => { this.#read(); this.#show(); });
    this.element.addEventListener("change", changed);
  }

  get text() {
    return formatFault(this.#fault);
  }

  set text(text) {
    this.#fault = parseFault(text);
    this.latency.input.value = this.#fault.latency;
    this.error.input.value = this.#fault.error;
    this.kind.value = this.#fault.kind;
    this.#show();
  }

  #read() {
    this.#fault.latency = this.latency.input.valueAsNumber;
    this.#fault.error = this.error.input.valueAsNumber;
    this.#fault.kind = this.kind.value;
  }

  #show() {
    const down = this.#fault.kind === "down";
    this.latency.show(`${Math.round(this.#fault.latency)} ms`, down);
    this.error.show(`${this.#fault.error} %`, down);
    this.rest.textContent = down ? "" : this.#fault.rest.join(", ");
    this.element.classList.toggle("broken", this.text !== "none");
  }
}

/** Makes a slider with its label, and the text of its value beside it. */
function slider(service, name, what, bounds) {
  const id = `${service}-${name}`;
  const input = make("input", { type: "range", id, min: 0, value: 0, ...bounds });
  const output = make("output", { for: id, "data-what": name });
  const show = (text, disabled) => {
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
    input.disabled = disabled;
  };
  return { input, show, element: make("span", { class: "slider" }, hidden(id, `${service}: ${what}`), input, output) };
}

const hidden = (id, text) => make("label", { for: id, class: "hidden" }, text);
