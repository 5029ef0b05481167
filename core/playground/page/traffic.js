// The form that sends traffic, and how that does.

import * as api from "./api.js";
import { byId, make, option } from "./dom.js";
import { Problem, field, number } from "./form.js";

/** Traffic sends and stops it. */
export class Traffic {
  #problem;
  #running = false;

  /** choices are what the playground offers; done is called when something has changed. */
  constructor(choices, done) {
    byId("traffic").hidden = !choices.traffic;
    byId("traffic-fields").append(
      field(make("select", { id: "traffic-class" }, ...choices.classes.map((c) => option(c.name))), "Device"),
      field(make("select", { id: "traffic-path" }, ...choices.endpoints.map((e) => option(e.path))), "Endpoint"),
      field(number("traffic-rate", 40, { min: 1, max: 100 }), "Requests a second", "1 to 100"),
      field(number("traffic-seconds", 30, { min: 1, max: 60 }), "Seconds", "1 to 60"));
    this.#problem = new Problem(byId("traffic-problem"));
    byId("traffic").addEventListener("submit", async (event) => {
      event.preventDefault();
      this.#problem.clear();
      try {
        this.#show(await (this.#running ? api.stopTraffic() : api.sendTraffic(load())));
        done();
      } catch (error) {
        this.#problem.show(error);
      }
    });
  }

  async refresh() {
    if (!byId("traffic").hidden) {
      this.#show(await api.traffic());
    }
  }

  #show(told) {
    this.#running = told.running;
    byId("traffic-send").textContent = told.running ? "Stop it" : "Send traffic";
    byId("traffic-told").textContent = told.target ? words(told) : "";
  }
}

const load = () => ({
  class: byId("traffic-class").value, path: byId("traffic-path").value,
  rate: byId("traffic-rate").valueAsNumber || 0, seconds: byId("traffic-seconds").valueAsNumber || 0,
});

function words(told) {
  const left = told.running ? `${Math.ceil(told.left_s)} s left` : "ended";
  const skipped = told.skipped > 0 ? `, ${told.skipped} skipped` : "";
  return `${told.target} for ${told.class}, ${left}: ${told.requests} answered, ${told.failed} failed${skipped}`;
}
