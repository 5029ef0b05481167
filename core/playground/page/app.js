// The playground: the controls on the left ask, the answer is on the right.
// The situation stands in the address behind the "#".

import { say, show } from "./answer.js";
import * as api from "./api.js";
import { byId } from "./dom.js";
import { Faults } from "./faults.js";
import { Request } from "./request.js";

const faultPrefix = "fault.";

/** Playground joins the halves of the page. */
class Playground {
  #request;
  #faults;
  #asked = 0; // how often; an answer to any but the last is late

  constructor(choices) {
    this.#request = new Request(choices);
    this.#faults = new Faults(choices.services, (text) => { say(text); this.#remember(); });
  }

  /** Shows what the services have and what the address says, then listens. */
  async begin() {
    await this.#faults.refresh();
    this.#restore();
    const form = byId("controls");
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    form.addEventListener("change", () => this.#remember());
    form.addEventListener("keydown", sendOnEnter);
    byId("skip").addEventListener("click", skip);
    window.addEventListener("hashchange", () => this.#restore());
    byId("send").disabled = false; // until now it would have sent the form nowhere
    byId("path").focus();
  }

  async #send() {
    const mine = ++this.#asked;
    byId("answer").setAttribute("aria-busy", "true");
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
    for (const [service, text] of Object.entries(this.#faults.wanted())) {
      state.set(faultPrefix + service, text);
    }
    history.replaceState(null, "", `#${state}`);
  }

  #restore() {
    const state = new URLSearchParams(location.hash.slice(1));
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

/** Goes to the answer without putting that into the address. */
function skip(event) {
  event.preventDefault();
  byId("answer").focus();
}

api.choices()
  .then((choices) => new Playground(choices).begin())
  .catch((error) => say(`The playground cannot begin: ${error.message}`, "bad"));
