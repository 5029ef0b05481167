// The controls of a request: what they offer, what they say, and what of it
// stands in the address of the page.

import { byId, make, option } from "./dom.js";

const byClass = "class:";
const byAgent = "agent:";

/** Request is the left half of the page, without the faults. */
export class Request {
  #choices;

  constructor(choices) {
    this.#choices = choices;
    byId("path").append(...choices.endpoints.map((endpoint) => option(endpoint.path)));
    byId("device").append(
      make("optgroup", { label: `by ${choices.device_header}` }, ...choices.classes.map((c) => option(byClass + c.name, c.name))),
      make("optgroup", { label: "by User-Agent" }, ...choices.agents.map((a) => option(byAgent + a.label, a.label))),
      make("optgroup", { label: "by nothing" }, option("", "says nothing")));
    byId("users").append(...choices.users.map((user) => option(user)));
    byId("user").value = choices.users[0] ?? "";
    byId("path").addEventListener("change", () => this.#offerQuery());
    byId("device").addEventListener("change", () => this.#offerVersions());
    this.#offerQuery();
    this.#offerVersions();
  }

  /** Returns the question as the port wants it. */
  question() {
    const device = byId("device").value;
    return {
      path: byId("path").value,
      query: this.#query().toString(),
      device: device.startsWith(byClass) ? device.slice(byClass.length) : "",
      user_agent: this.#choices.agents.find((a) => byAgent + a.label === device)?.user_agent ?? "",
      version: byId("version").value,
      user: byId("user").value.trim(),
      header: header(),
    };
  }

  /** Returns what a shared address says of the request. */
  state() {
    const state = new URLSearchParams();
    for (const id of ["path", "device", "version", "user", "header"]) {
      state.set(id, byId(id).value);
    }
    state.set("timing", byId("timing").checked ? "1" : "0");
    for (const [name, value] of this.#query()) {
      state.set(`q.${name}`, value);
    }
    return state;
  }

  /** Puts a state into the controls; what it does not say stays. */
  restore(state) {
    choose("path", state);
    this.#offerQuery();
    choose("device", state);
    this.#offerVersions();
    for (const id of ["version", "user", "header"]) {
      choose(id, state);
    }
    byId("timing").checked = state.get("timing") !== "0";
    byId("more").open = byId("header").value !== "";
    for (const input of inputs()) {
      input.value = state.get(`q.${input.name}`) ?? (state.has("path") ? "" : input.value);
    }
  }

  #query() {
    return new URLSearchParams(inputs().filter((input) => input.value !== "").map((input) => [input.name, input.value]));
  }

  #offerQuery() {
    const endpoint = this.#choices.endpoints.find((e) => e.path === byId("path").value);
    byId("query").replaceChildren(...(endpoint?.parameters ?? []).map(field));
  }

  #offerVersions() {
    const { value } = byId("device");
    const picked = this.#choices.classes.find((c) => byClass + c.name === value);
    const versions = new Set(picked ? picked.versions : this.#choices.classes.flatMap((c) => c.versions));
    const usual = option("", picked ? `by rollouts, else ${picked.chosen}` : "by rollouts");
    byId("version").replaceChildren(usual, ...[...versions].map((version) => option(version)));
  }
}

const inputs = () => [...byId("query").querySelectorAll("input")];

/** Makes the field of a parameter, with what it must be. */
function field(parameter) {
  const id = `query-${parameter.name}`;
  const must = `${parameter.required ? "required" : "optional"}; ${parameter.must}`;
  const value = parameter.required ? parameter.example : "";
  return make("p", {}, make("label", { for: id }, parameter.name), " ",
    make("input", { id, name: parameter.name, value, placeholder: parameter.example, spellcheck: "false", "aria-describedby": `${id}-must` }),
    make("small", { id: `${id}-must` }, must));
}

/** Sets a control to what the state says, unless it does not offer that. */
function choose(id, state) {
  const control = byId(id);
  const value = state.get(id);
  if (value !== null && (!control.options || [...control.options].some((o) => o.value === value))) {
    control.value = value;
  }
}

/** Returns the lines that are sent beside device, agent and user. */
function header() {
  const lines = byId("timing").checked ? [{ name: "Facet-Timing", value: "1" }] : [];
  for (const line of byId("header").value.split("\n").filter((text) => text.trim() !== "")) {
    const colon = line.indexOf(":");
    lines.push({ name: line.slice(0, Math.max(colon, 0)).trim(), value: line.slice(colon + 1).trim() });
  }
  return lines;
}
