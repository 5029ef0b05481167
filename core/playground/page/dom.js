// Elements of the page: found by id, and made.

/** Returns the element of an id, which is there. */
export const byId = (id) => document.getElementById(id);

/**
 * Makes an element with attributes and children. An attribute that is true has
 * no value; one that is false, null or undefined is left out. Texts are texts:
 * what an answer holds never becomes an element.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Makes an option of a select. */
export const option = (value, label = value) => make("option", { value }, label);

/** Returns milliseconds as people read them: three figures are enough. */
export function ms(value) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ms`;
}
