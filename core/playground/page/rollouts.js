// The rollouts: how they do, read once a second while somebody looks, and what an
// operator does with them.

import { byId, make } from "./dom.js";
import { Problem } from "./form.js";
import * as port from "./port.js";
import { Card } from "./rollout.js";
import { Starter } from "./starter.js";
import { Traffic } from "./traffic.js";
import { Units } from "./units.js";

const pause = 1000; // milliseconds from one reading to the next
const remembered = 8; // lines of the history

/** Rollouts is the panel. */
export class Rollouts {
  #configured; // the version of each class that the configuration names
  #cards = new Map();
  #units;
  #traffic;
  #reading = null;
  #looking = false;
  #waiting = null; // the change that waits for a token

  constructor(choices) {
    const classes = versionsOf(choices.classes);
    this.#configured = Object.fromEntries(choices.classes.map((c) => c.chosen.split("/")));
    new Starter(classes, (make, problem) => this.#change(make, problem));
    this.#units = new Units(Object.keys(classes), () => this.refresh());
    this.#traffic = new Traffic(choices, () => this.refresh());
    byId("start-class").addEventListener("change", () => this.#follow(byId("start-class").value));
    this.#follow(byId("start-class").value);
    byId("operator").addEventListener("submit", (event) => { event.preventDefault(); this.identify(byId("token").value); });
    byId("forget").addEventListener("click", () => this.identify(""));
    document.addEventListener("visibilitychange", () => this.look());
    this.identify("");
  }

  /** Has the picture and the traffic be of a class, too. */
  #follow(cls) {
    byId("units-class").value = cls;
    byId("traffic-class").value = cls;
    if (seen()) {
      this.refresh();
    }
  }

  /** Reads again and again from now on, as long as somebody can see it. */
  async look() {
    if (this.#looking || !seen()) {
      return;
    }
    this.#looking = true;
    while (seen()) {
      await this.refresh();
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
    this.#looking = false;
  }

  /** Uses an operator's token, "" for none, and makes the change that has waited for one. */
  identify(token) {
    port.identify(token);
    byId("token").value = "";
    byId("operator").hidden = port.identified();
    byId("identified").hidden = !port.identified();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting && port.identified()) {
      this.#change(...waiting);
    }
  }

  /** Reads how all is now. One reading is made at a time, and the next one after it. */
  async refresh() {
    while (this.#reading) {
      await this.#reading;
    }
    this.#reading = this.#read().finally(() => { this.#reading = null; });
    await this.#reading;
  }

  async #read() {
    try {
      const now = await port.rollouts();
      this.#show(now);
      await Promise.all([this.#units.refresh(now.status.revision), this.#traffic.refresh()]);
    } catch (error) {
      byId("fleet").textContent = `Not read: ${error.message}. What is below is older.`;
    }
  }

  /** Makes a change that only an operator may make; without a token it waits for one. */
  async #change(make, problem) {
    problem.clear();
    if (!port.identified()) {
      this.#ask(make, problem, "A change needs an operator's token.");
      return;
    }
    try {
      await make();
      await this.refresh();
    } catch (error) {
      if (error.status === 401) {
        this.identify("");
        this.#ask(make, problem, `Not changed: ${error.message}.`);
      } else {
        problem.show(error);
      }
    }
  }

  #ask(make, problem, why) {
    this.#waiting = [make, problem];
    problem.show(new Error(`${why} Give it above, and this is done.`));
    byId("token").focus();
  }

  #show({ classes, status, history }) {
    const heard = status.replicas.filter((replica) => replica.revision === status.revision).length;
    const { replicas, revision, store } = status;
    byId("fleet").textContent = `${heard} of ${replicas.length} replicas at revision ${revision}; the store is ${store}.`
      + replicas.filter((replica) => replica.lacks).map(({ id, lacks }) => ` ${id} lacks ${lacks.join(", ")}.`).join("");
    this.#showCards(classes, status.rollouts);
    this.#showConfined(classes);
    const last = history.slice(-remembered).reverse();
    byId("history").hidden = last.length === 0;
    byId("history-note").textContent = last.length === 0 ? "Nothing was decided yet." : "";
    byId("history").tBodies[0].replaceChildren(...last.map(event));
  }

  #showCards(classes, compared) {
    const there = new Set();
    for (const [cls, layer] of Object.entries(classes)) {
      const control = layer.control ?? this.#configured[cls];
      for (const rollout of layer.rollouts ?? []) {
        const key = `${cls}/${rollout.name}`;
        there.add(key);
        this.#card(key, cls, rollout.name).show(rollout, control, compared.find((c) => c.class === cls && c.rollout === rollout.name));
      }
    }
    for (const [key, card] of this.#cards) {
      if (!there.has(key)) {
        card.element.remove();
        this.#cards.delete(key);
      }
    }
  }

  #card(key, cls, name) {
    let card = this.#cards.get(key);
    if (!card) {
      card = new Card(cls, name, (make, problem) => this.#change(make, problem));
      this.#cards.set(key, card);
      byId("cards").append(card.element);
    }
    return card;
  }

  /** Shows the versions that answer nobody; only what has changed is made anew, so that a button keeps the focus. */
  #showConfined(classes) {
    const all = Object.entries(classes).flatMap(([cls, { quarantine = {} }]) => Object.entries(quarantine).map((one) => [cls, ...one]));
    const shown = JSON.stringify(all);
    if (shown !== byId("confined").dataset.shown) {
      byId("confined").dataset.shown = shown;
      byId("confined").replaceChildren(...all.map((one) => this.#confined(...one)));
    }
  }

  #confined(cls, version, { at, by, reason }) {
    const button = make("button", { type: "button", class: "small", "data-action": "release" }, "Release");
    const problem = make("span", { class: "problem", role: "alert" });
    button.addEventListener("click", () => this.#change(() => port.release(cls, version), new Problem(problem)));
    return make("p", { class: "confined" }, make("b", {}, `${cls}/${version}`),
      ` is in quarantine since ${clock(at)}, by ${by}: ${reason} `, button, " ", problem);
  }
}

/** Reports whether somebody can see the panel. */
const seen = () => !document.hidden && !byId("rollouts").hidden;

/** Returns the names of the versions of each class of adapters. */
function versionsOf(classes) {
  const all = {};
  for (const label of new Set(classes.flatMap((c) => c.versions))) {
    const [cls, version] = label.split("/");
    (all[cls] ??= []).push(version);
  }
  return all;
}

/** Returns the time of a moment. */
const clock = (moment) => new Date(moment).toTimeString().slice(0, 8);

function event({ revision, at, by, what, class: cls, rollout, detail }) {
  const name = [cls, rollout].filter(Boolean).join("/");
  return make("tr", {}, make("td", {}, `${revision}`), make("td", {}, clock(at)), make("td", {}, by),
    make("td", {}, make("b", {}, what), ` ${name}${detail ? `: ${detail}` : ""}`));
}
