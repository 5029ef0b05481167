// One rollout: how it does, and what can be done with it.

import { make, ms } from "./dom.js";
import { Problem, number } from "./form.js";
import * as port from "./port.js";

const active = (rollout) => rollout.status === "running" || rollout.status === "paused";

/** Returns a share as people read it. */
const percent = (share) => `${share} %`;

/** Card shows a rollout. Its controls stay as they are while it does so again. */
export class Card {
  #cls;
  #name;
  #parts = {};
  #buttons = {};
  #problem;
  #change;

  constructor(cls, name, change) {
    this.#cls = cls;
    this.#name = name;
    this.#change = change;
    const id = `rollout-${cls}-${name}`;
    for (const part of ["state", "against", "note", "says"]) {
      this.#parts[part] = make("span", { class: part });
    }
    this.#parts.bar = make("div", { class: "share", role: "img" });
    this.#parts.arms = make("tbody");
    this.share = number(`${id}-share`, "", { min: 0, max: 100, placeholder: "next" });
    this.reason = make("input", { id: `${id}-reason`, placeholder: "why", maxlength: 500 });
    const problem = make("p", { class: "problem", role: "alert" });
    this.#problem = new Problem(problem, { share: this.share, reason: this.reason });
    this.element = make("article", { class: "rollout", id, "aria-labelledby": `${id}-name` },
      make("h3", { id: `${id}-name` }, `${cls}/${name}`, " ", this.#parts.state), make("p", {}, this.#parts.against),
      this.#parts.bar, make("p", { class: "note" }, this.#parts.note), this.#arms(),
      make("p", {}, this.#parts.says), this.#controls(), problem);
  }

  #arms() {
    const heads = ["", "requests", "errors", "degraded", "panics", "p50, ms", "p99, ms"];
    this.#parts.table = make("table", { class: "arms" },
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col", class: head && "number" }, head)))),
      this.#parts.arms);
    return this.#parts.table;
  }

  #controls() {
    const button = (action, label, how = () => ({})) => {
      const element = make("button", { type: "button", class: "small", "data-action": action }, label);
      element.addEventListener("click", () => this.#change(() => port.move(this.#cls, this.#name, action, how()), this.#problem));
      this.#buttons[action] = element;
      return element;
    };
    const share = () => (this.share.value === "" ? {} : { share: this.share.valueAsNumber });
    const reason = () => (this.reason.value === "" ? {} : { reason: this.reason.value });
    return make("div", { class: "line controls" },
      make("p", {}, make("label", { for: this.share.id }, "Share, %"), " ", this.share),
      button("step", "Step", share), button("restart", "Restart", share), button("promote", "Promote"),
      make("p", { class: "grow" }, make("label", { for: this.reason.id }, "Reason"), " ", this.reason),
      button("pause", "Pause", reason), button("resume", "Resume"), button("abort", "Abort", reason));
  }

  /** Shows what is so now; compared is undefined of a rollout that has ended. */
  show(rollout, control, compared) {
    const { state, against, note, says, arms, table } = this.#parts;
    state.textContent = rollout.status;
    this.element.dataset.status = rollout.status;
    against.replaceChildren(...(active(rollout) ? [make("b", {}, rollout.candidate), ` against ${control}: `,
      make("b", {}, percent(rollout.share)), ` of the units of ${this.#cls}${sliced(rollout)}`] : [ended(rollout, this.#cls)]));
    this.#parts.bar.hidden = !active(rollout);
    this.element.style.order = active(rollout) ? 0 : 1;
    note.textContent = noted(rollout, compared);
    says.textContent = said(rollout, compared);
    this.element.classList.toggle("worse", Boolean(compared?.verdict) || rollout.status === "aborted");
    this.#draw(rollout);
    table.hidden = !compared || !active(rollout);
    if (!table.hidden) {
      arms.replaceChildren(arm(`candidate ${rollout.candidate}`, compared.candidate), arm(`control ${control}`, compared.control));
    }
    this.#offer(rollout);
  }

  /** Draws the share in its slice, with the steps of the plan. */
  #draw({ share, slice, plan = [] }) {
    const piece = (kind, from, width) => {
      const element = make("i", { class: kind });
      element.style.left = `${from}%`;
      element.style.width = `${width}%`;
      return element;
    };
    const marks = plan.map((step) => piece(step.share <= share ? "mark past" : "mark", slice.from + step.share, 0));
    this.#parts.bar.replaceChildren(piece("slice", slice.from, slice.to - slice.from), piece("fill", slice.from, share), ...marks);
    this.#parts.bar.setAttribute("aria-label", `${percent(share)} of the units`);
  }

  #offer(rollout) {
    const can = {
      step: active(rollout), promote: active(rollout), abort: active(rollout),
      pause: rollout.status === "running", resume: rollout.status === "paused", restart: !active(rollout),
    };
    for (const [action, element] of Object.entries(this.#buttons)) {
      element.hidden = !can[action];
    }
    const next = (rollout.plan ?? []).find((step) => step.share > rollout.share);
    this.#buttons.step.textContent = next && this.share.value === "" ? `Step to ${percent(next.share)}` : "Step";
    this.reason.closest("p").hidden = !active(rollout);
    this.share.placeholder = active(rollout) ? "next" : "first";
  }
}

const ended = (rollout, cls) => (rollout.status === "promoted" ? `${rollout.candidate} became control of ${cls}`
  : `${rollout.candidate} has no units any more`);

const sliced = ({ slice }) => (slice.from === 0 && slice.to === 100 ? ""
  : `, in the slice from ${percent(slice.from)} to ${percent(slice.to)}`);

/** Returns where the plan stands. */
function noted(rollout, compared) {
  const plan = rollout.plan ?? [];
  const words = [active(rollout) ? `for ${ago(rollout.since)}` : `${ago(rollout.since)} ago`];
  if (active(rollout) && plan.length > 0) {
    const at = plan.findIndex((step) => step.share === rollout.share);
    const steps = plan.map((step) => percent(step.share) + (step.soak && step.soak !== "0s" ? ` for ${step.soak}` : "")).join(", ");
    words.push(at < 0 ? "between the steps of its plan" : `step ${at + 1} of ${plan.length}`, `plan: ${steps}`,
      rollout.automatic ? "which advances it" : "a person goes on");
  }
  if (compared?.waits) {
    words.push(compared.waits);
  }
  return `${words.join("; ")}.`;
}

/** Returns what the guard says. */
function said(rollout, compared) {
  const { guard, reason, status } = rollout;
  if (reason) {
    return `${status}: ${reason}`;
  }
  if (!active(rollout)) {
    return "";
  }
  if (compared?.verdict) {
    return `The candidate is worse: ${compared.verdict}`;
  }
  if (!guard) {
    return "It has no guard: only a person stops it.";
  }
  return compared?.judged ? "Its guard finds the candidate no worse than it may be."
    : `Its guard says nothing yet: it needs ${guard.min_samples} requests of each.`;
}

function arm(name, told) {
  const number = (text) => make("td", { class: "number" }, text);
  const count = (n) => number(told.requests > 0 && n > 0 ? `${n} (${(100 * n / told.requests).toFixed(1)} %)` : `${n}`);
  const time = (value) => number(told.requests > 0 ? ms(value).replace(" ms", "") : "–");
  return make("tr", {}, make("th", { scope: "row" }, name), number(`${told.requests}`),
    count(told.failed), count(told.degraded), count(told.panicked), time(told.p50_ms), time(told.p99_ms));
}

/** Returns how long ago something was, roughly. */
function ago(moment) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(moment)) / 1000));
  if (seconds < 120) {
    return `${seconds} s`;
  }
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
