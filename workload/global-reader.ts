// Global reader: the members of `global`. What has a meaning here is read; what has none is accepted with a remark, so
// that files of rt-app's users run.
//
// Partners: member-values.ts; policy.ts; workload-reader.ts.

import type { Member } from "./json-tree.ts";
import { type Policy, policyNamed, policyRefusal } from "./policy.ts";
import type { Placed, Values } from "./member-values.ts";

export interface GlobalSettings {
  readonly policy: Policy;
  /** null: no end. */
  readonly durationMillis: number | null;
}

export const GLOBAL_DEFAULTS: GlobalSettings = { policy: "SCHED_OTHER", durationMillis: null };

/** Seconds: a day. */
const SECONDS_MAX = 86_400;

const NO_LOG = "has no effect: nothing is logged to files";

/** Keys that change nothing here, and why. */
const IGNORED: ReadonlyMap<string, string> = new Map([
  ["calibration", "has no effect: run is measured as CPU time on each machine"],
  ["lock_pages", "has no effect: all memory is resident"],
  ["logdir", NO_LOG],
  ["log_basename", NO_LOG],
  ["log_size", NO_LOG],
  ["gnuplot", NO_LOG],
  ["ftrace", "has no effect: hartbeat run --trace records what happens"],
  ["frag", "has no effect"],
  ["cumulative_slack", "has no effect: missed periods are counted"],
  ["io_device", "has no effect: there are no iorun events"],
  ["mem_buffer_size", "has no effect: there are no mem events"],
]);

const KNOWN = ["duration", "default_policy", "pi_enabled", ...IGNORED.keys()];

export function readGlobal(values: Values, member: Member): GlobalSettings {
  const members = values.members({ member, path: "global" }, "settings");
  if (members === undefined) return GLOBAL_DEFAULTS;
  let { policy, durationMillis } = GLOBAL_DEFAULTS;
  for (const [key, place] of values.once(members, "global")) {
    const ignored = IGNORED.get(key);
    if (key === "duration") durationMillis = durationOf(values, place);
    else if (key === "default_policy") policy = policyOf(values, place);
    else if (key === "pi_enabled") readPriorityInheritance(values, place);
    else if (ignored !== undefined) values.findings.remark(place.member.line, place.path, ignored);
    else values.refuse(place, `is no key here; there are ${KNOWN.join(", ")}`);
  }
  return { policy, durationMillis };
}

function durationOf(values: Values, place: Placed): number | null {
  const { value } = place.member;
  if (value.kind === "number" && value.number === -1) return null;
  const seconds = values.whole(place, 1, SECONDS_MAX, "seconds (-1: no end)");
  return seconds === undefined ? null : seconds * 1000;
}

function policyOf(values: Values, place: Placed): Policy {
  const name = values.text(place, "a policy");
  const policy = name === undefined ? undefined : policyNamed(name);
  if (name !== undefined && policy === undefined) values.refuse(place, policyRefusal(name));
  return policy ?? GLOBAL_DEFAULTS.policy;
}

function readPriorityInheritance(values: Values, place: Placed): void {
  if (values.flag(place) === true) {
    values.refuse(place, "true is not supported: mutexes do not inherit priorities here; give false");
  }
}
