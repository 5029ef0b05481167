// What the page asks of the playground. Each function rejects with an Error whose
// message names the field at fault, if one is.

const base = "/playground";

async function ask(method, path, body) {
  const request = { method, headers: {} };
  if (body !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  const response = await fetch(base + path, request);
  const answer = await response.json();
  if (!response.ok) {
    throw new Error([answer.field, answer.detail || answer.title].filter(Boolean).join(": "));
  }
  return answer;
}

export const choices = () => ask("GET", "/choices");

export const attempt = (question) => ask("POST", "/try", question);

export const faults = () => ask("GET", "/faults");

export const setFault = (service, fault) => ask("PUT", `/faults/${encodeURIComponent(service)}`, { fault });

export const healAll = () => ask("DELETE", "/faults");

/** Returns which versions the first units have. */
export const assignments = (cls, units) => ask("GET", `/assignments?${new URLSearchParams({ class: cls, units })}`);

export const traffic = () => ask("GET", "/traffic");

export const sendTraffic = (load) => ask("PUT", "/traffic", load);

export const stopTraffic = () => ask("DELETE", "/traffic");
