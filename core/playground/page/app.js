// The playground: the controls on the left ask, the answer is on the right.
// The situation stands in the address behind the "#".

import { say, show } from "./answer.js";
import * as api from "./api.js";
import { byId } from "./dom.js";
import { Faults } from "./faults.js";
import { Request } from "./request.js";
import { Rollouts } from "./rollouts.js";

const faultPrefix = "fault.";
const views = ["answer", "rollouts"];

/** Playground joins the halves of the page. */
class Playground {
  #request;
  #faults;
  #rollouts;
  #asked = 0; // how often; an answer to any but the last is late

  constructor(choices) {
    this.#request = new Request(choices);
    this.#faults = new Faults(choices.services, (text) => { say(text); this.#remember(); });
    this.#rollouts = new Rollouts(choices);
  }

  /** Shows what the services have and what the address says, then listens. */
  async begin() {
    this.#takeToken();
    await this.#faults.refresh();
    this.#restore();
    const form = byId("controls");
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    form.addEventListener("change", () => this.#remember());
    form.addEventListener("keydown", sendOnEnter);
    byId("skip").addEventListener("click", skip);
    for (const view of views) {
      byId(`view-${view}`).addEventListener("click", () => { this.#view(view); this.#remember(); });
    }
    window.addEventListener("hashchange", () => { this.#takeToken(); this.#restore(); });
    byId("send").disabled = false; // until now it would have sent the form nowhere
    byId("path").focus();
  }

  async #send() {
    const mine = ++this.#asked;
    byId("answer").setAttribute("aria-busy", "true");
    this.#view("answer");
    say("Sent …");
    try {
      await this.#faults.apply();
      const trial = await api.attempt(this.#request.question());
      if (mine === this.#asked) {
        show(trial);
      }
      await this.#faults.refresh();
    } catch (error) {
      say(`Not sent. ${error.message}`, "bad");
    }
    this.#remember();
    byId("answer").setAttribute("aria-busy", "false");
  }

  #remember() {
    const state = this.#request.state();
    state.set("view", views.find((view) => !byId(view).hidden));
    for (const [service, text] of Object.entries(this.#faults.wanted())) {
      state.set(faultPrefix + service, text);
    }
    history.replaceState(null, "", `#${state}`);
  }

  /** Shows the answer or the rollouts. */
  #view(shown) {
    for (const view of views) {
      byId(view).hidden = view !== shown;
      byId(`view-${view}`).setAttribute("aria-pressed", `${view === shown}`);
    }
    this.#rollouts.look();
  }

  /** Takes an operator's token out of the address, which is to be shared, into memory. */
  #takeToken() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (state.has("token")) {
      this.#rollouts.identify(state.get("token"));
      state.delete("token");
      history.replaceState(null, "", `#${state}`);
    }
  }

  #restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (views.includes(state.get("view"))) {
      this.#view(state.get("view"));
    }
    this.#request.restore(state);
    if (!state.has("path")) {
      return; // it says nothing of a situation
    }
    const broken = [...state].filter(([name]) => name.startsWith(faultPrefix));
    this.#faults.want(Object.fromEntries(broken.map(([name, text]) => [name.slice(faultPrefix.length), text])));
    const waiting = this.#faults.waiting();
    if (waiting.length > 0) {
      say(`This address changes the faults of ${waiting.join(", ")}. Send does so, and asks.`);
    }
  }
}

/** Makes Enter send from controls that do not do so by themselves everywhere. */
function sendOnEnter(event) {
  if (event.key === "Enter" && event.target.matches("select, input")) {
    event.preventDefault();
    event.currentTarget.requestSubmit();
  }
}

/** Goes to what is shown without putting that into the address. */
function skip(event) {
  event.preventDefault();
  byId("shown").focus();
}

api.choices()
  .then((choices) => new Playground(choices).begin())
  .catch((error) => say(`The playground cannot begin: ${error.message}`, "bad"));
