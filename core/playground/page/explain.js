// The header of an answer in words.

import { make, ms } from "./dom.js";
import { badge, why } from "./rung.js";

const explanations = {
  "accept-ch": () => "client hints that would name the device better next time",
  "access-control-allow-origin": (value) => `web pages of ${value === "*" ? "any origin" : value} may read this answer`,
  "access-control-expose-headers": () => "what else of the header such pages may read",
  "allow": () => "what this path knows",
  "cache-control": (value) => (value === "no-store" ? "nobody may keep this answer"
    : "this client alone may keep it, and asks again before each use"),
  "connection": () => "the connection ends with this answer",
  "content-encoding": () => "packed, because the request allows it and it is worth it",
  "content-length": () => "bytes of the body as sent",
  "content-type": (value) => (value.includes("problem") ? "an error, after RFC 9457" : "what the body is"),
  "etag": () => "send it as If-None-Match: an unchanged page is a 304 without a body",
  "facet-adapter": (value) => `the version that made the page: ${value}`,
  "facet-parts": facetParts,
  "retry-after": (value) => `ask again in ${value} s: by then a circuit lets a probe through`,
  "server-timing": serverTiming,
  "set-cookie": () => "by this a browser is known again while a rollout runs, and keeps its version",
  "vary": () => "what in a request can decide the answer: shared caches keep these apart",
  "x-content-type-options": () => "the type above is to be believed",
  "x-request-id": () => "finds the request's line in the log",
};

/** Returns a text or an element that explains one line of the header. */
export function explain(name, value) {
  return explanations[name.toLowerCase()]?.(value) ?? "";
}

/**
 * Reads the dictionary of Facet-Parts, such as "reviews=stale;age=95;reason=timeout".
 * Its members are tokens with parameters: no value holds a comma.
 */
export function parseParts(value) {
  return value.split(",").map((member) => {
    const [item, ...parameters] = member.trim().split(";");
    const [name, rung] = item.split("=");
    const { age, holes, reason } = Object.fromEntries(parameters.map((text) => text.trim().split("=")));
    return { name, rung, age: Number(age ?? 0), holes: Number(holes ?? 0), reason };
  });
}

function facetParts(value) {
  const rows = parseParts(value).map((part) => make("li", {}, make("b", {}, part.name), " ", badge(part.rung), " · ", why(part)));
  return make("div", {}, "the parts that are not live and whole:", make("ul", {}, ...rows));
}

function serverTiming(value) {
  const times = value.split(",").map((metric) => {
    const [name, duration] = metric.trim().split(";dur=");
    return `${name === "page-total" ? "the page" : name} ${ms(Number(duration))}`;
  });
  return `when each part was ready: ${times.join(", ")}`;
}
