// The text of a fault, such as "latency=200ms,error=0.3,hang", and what the
// controls of a service show of it.

/** What a service can do instead of answering; of these there can be one. */
export const kinds = ["none", "hang", "reset", "truncated", "garbage", "wrongtype", "deep", "oversize", "huge", "bomb", "down"];

const units = { h: 3600000, m: 60000, s: 1000, ms: 1, "µs": 0.001, us: 0.001, ns: 0.000001 };

/** Returns the milliseconds of a duration such as 1m0.5s. */
function milliseconds(text) {
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(h|ms|m|s|µs|us|ns)/g)) {
    sum += Number(number) * units[unit];
  }
  return sum;
}

/** Reads the text. Fields without a control are kept in rest. */
export function parseFault(text) {
  const fault = { latency: 0, error: 0, kind: "none", rest: [] };
  for (const field of text.split(",").map((part) => part.trim())) {
    const [name, value] = field.split("=");
    if (name === "latency") {
      fault.latency = milliseconds(value ?? "");
    } else if (name === "error") {
      fault.error = Math.round(Number(value) * 100);
    } else if (kinds.includes(name)) {
      fault.kind = name;
    } else if (field !== "") {
      fault.rest.push(field);
    }
  }
  return fault;
}

/** Writes the text. A service that is down can have no other fault. */
export function formatFault(fault) {
  if (fault.kind === "down") {
    return "down";
  }
  const fields = [...fault.rest];
  if (fault.latency > 0) {
    fields.push(`latency=${fault.latency}ms`);
  }
  if (fault.error > 0) {
    fields.push(`error=${fault.error / 100}`);
  }
  if (fault.kind !== "none") {
    fields.push(fault.kind);
  }
  return fields.join(",") || "none";
}

/** Reports whether two texts say the same fault. */
export const sameFault = (a, b) => formatFault(parseFault(a)) === formatFault(parseFault(b));
