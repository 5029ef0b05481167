// Why a unit has the version that it has, in words.

const apart = {
  nobody: "the request names no unit",
  holdout: "the holdout keeps it out of all rollouts",
  unsliced: "its bucket is in no rollout's slice",
  rules: "the rules of the rollout leave it out",
};

const reasons = {
  picked: () => "it was picked, and no rollout was asked",
  default: (is) => (is.apart ? `control, for ${apart[is.apart] ?? is.apart}` : "control: no rollout runs in its class"),
  split: (is) => (is.arm === "candidate" ? `the candidate of ${is.rollout}, whose share has its bucket`
    : `control of ${is.rollout}, whose share does not have its bucket`),
  targeting_match: (is) => `the candidate of ${is.rollout}, which lists it`,
  forced: () => "a tester's token forces it",
  quarantined: (is) => `control, for the candidate of ${is.rollout} is in quarantine`,
  absent: (is) => `control, for this build lacks the candidate of ${is.rollout}`,
};

/** Returns why, as the end of a sentence that begins with a version. */
export const because = (is) => reasons[is.reason]?.(is) ?? is.reason;

/** Returns the sentence of a trial; "" if it came to no version. */
export function sentence({ chosen, version }) {
  if (!chosen) {
    return "";
  }
  const first = `${chosen.unit ? `${chosen.unit} has ` : ""}${chosen.version}: ${because(chosen)}`;
  const fell = chosen.fell_back ? `; it brought no page (${chosen.because}), so ${version} did` : "";
  return `${first}${fell}.${chosen.revision > 0 ? ` Revision ${chosen.revision}.` : ""}`;
}
