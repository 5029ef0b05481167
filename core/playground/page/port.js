// What the page asks of the private port beside its own resources: how rollouts
// are, and what an operator has done with them. Reading is free; a change needs an
// operator's token, which lives in this module's memory and nowhere else.

const patience = 5000; // milliseconds that anything may take

let token = "";

/** Refusal is a problem that the port has answered: its status, and the field at fault. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `status ${status}`);
    this.status = status;
    this.field = problem.field ?? "";
  }
}

/** Has changes made in the name of whose token it is; "": in nobody's. */
export function identify(text) {
  token = text.trim();
}

/** Reports whether there is a token to make changes with. */
export const identified = () => token !== "";

async function ask(method, path, body) {
  const request = { method, headers: {}, signal: AbortSignal.timeout(patience) };
  if (method !== "GET") {
    request.headers.Authorization = `Bearer ${token}`;
  }
  if (body !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  const response = await fetch(path, request);
  const answer = await response.json();
  if (!response.ok) {
    throw new Refusal(response.status, answer);
  }
  return answer;
}

const place = (...names) => names.map(encodeURIComponent).join("/");

/** Returns the document, how it does, and the last changes. */
export async function rollouts() {
  const [now, status, history] = await Promise.all([
    ask("GET", "/rollouts"), ask("GET", "/rollouts/status"), ask("GET", "/rollouts/history"),
  ]);
  return { classes: now.classes ?? {}, status, history: history ?? [] };
}

export const start = (cls, name, rollout) => ask("PUT", `/rollouts/${place(cls, name)}`, rollout);

/** Does step, pause, resume, abort, promote or restart. */
export const move = (cls, name, action, how = {}) => ask("POST", `/rollouts/${place(cls, name, action)}`, how);

export const release = (cls, version) => ask("DELETE", `/quarantine/${place(cls, version)}`);
