// Fields of the forms, each with its label, what it must be, and room for what is
// wrong with it.

import { make } from "./dom.js";

/** Makes a field of a control, whose id it has. */
export function field(control, label, hint = "") {
  const note = `${control.id}-hint`;
  control.setAttribute("aria-describedby", note);
  return make("p", {}, make("label", { for: control.id }, label), " ", control, make("small", { id: note }, hint));
}

/** Makes the control of a number; its value may be "". */
export const number = (id, value, bounds = {}) => make("input", { id, type: "number", value, step: "any", ...bounds });

/**
 * Problem is where a form says what is wrong: beside the control at fault, if there
 * is one, else in a line of its own.
 */
export class Problem {
  #line;
  #controls;

  /** controls are found by the last word of a field, such as "share". */
  constructor(line, controls = {}) {
    this.#line = line;
    this.#controls = controls;
  }

  show(error) {
    this.clear();
    const control = this.#at(error.field ?? "");
    control?.setAttribute("aria-invalid", "true");
    if (control) {
      control.focus();
      control.closest("p").append(make("strong", { class: "wrong" }, error.message));
      this.#line.textContent = "";
    } else {
      this.#line.textContent = [error.field, error.message].filter(Boolean).join(": ");
    }
  }

  clear() {
    this.#line.textContent = "";
    for (const control of Object.values(this.#controls)) {
      control.removeAttribute("aria-invalid");
      control.closest("p")?.querySelectorAll(".wrong").forEach((text) => text.remove());
    }
  }

  /** Returns the control of a field such as "classes.tv.rollouts[0].plan[1].soak". */
  #at(field) {
    const words = field.split(/[.[\]]+/).filter(Boolean).reverse();
    return words.map((word) => this.#controls[word]).find(Boolean);
  }
}
