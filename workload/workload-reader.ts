// Workload reader: a file in rt-app's JSON as a workload, or everything that is wrong with it.
//
// Every problem of keys and values is found in one go, each with its line and the path of its key; what does not fit
// together, such as a wait that nothing ends, is looked for once all of them are right.
// Partners: json-tree.ts, the readers of its parts, reference-check.ts, lock-check.ts.

import { forkCheck } from "./fork-count.ts";
import { GLOBAL_DEFAULTS, readGlobal } from "./global-reader.ts";
import { parseJson } from "./json-tree.ts";
import { checkLocks } from "./lock-check.ts";
import { Findings } from "./problem.ts";
import { checkReferences } from "./reference-check.ts";
import { readResources } from "./resource-reader.ts";
import { readTask } from "./task-reader.ts";
import { describe, type Placed, Values } from "./member-values.ts";
import type { Workload, WorkloadReading } from "./workload-types.ts";

const KEYS = ["tasks", "resources", "global"];

export function readWorkload(text: string): WorkloadReading {
  const findings = new Findings();
  const workload = workloadOf(text, findings);
  if (workload === undefined || findings.problems.length > 0) return { kind: "refused", problems: findings.sorted() };
  return { kind: "read", workload, remarks: findings.remarks };
}

function workloadOf(text: string, findings: Findings): Workload | undefined {
  const root = parseJson(text, findings);
  if (root === undefined) return undefined;
  if (root.kind !== "object") {
    findings.refuse(1, "", `give an object with "tasks", not ${describe(root)}`);
    return undefined;
  }
  const values = new Values(findings);
  const settings = values.once(root.members, "");
  for (const [key, place] of settings) {
    if (!KEYS.includes(key)) values.refuse(place, `is no key here; there are ${KEYS.join(", ")}`);
  }
  const [tasksPlace, globalPlace, resourcesPlace] = [
    settings.get("tasks"),
    settings.get("global"),
    settings.get("resources"),
  ];
  const { policy, durationMillis } =
    globalPlace === undefined ? GLOBAL_DEFAULTS : readGlobal(values, globalPlace.member);
  const declared = resourcesPlace === undefined ? undefined : readResources(values, resourcesPlace.member);
  if (tasksPlace === undefined) {
    findings.refuse(1, "tasks", "is missing; a workload has at least one task");
    return undefined;
  }
  const members = tasksIn(values, tasksPlace);
  const tasks = members.flatMap((member) => readTask(values, member, policy) ?? []);
  const workload = { tasks, durationMillis };
  // An event that was refused is missing to these: what they would report may be its consequence.
  if (findings.problems.length > 0) return undefined;
  checkReferences(workload, declared, findings);
  checkLocks(workload, findings);
  forkCheck(workload, findings);
  return workload;
}

function tasksIn(values: Values, place: Placed): readonly Placed["member"][] {
  const members = values.members(place, "tasks");
  if (members?.length === 0) values.refuse(place, "is empty; a workload has at least one task");
  return members ?? [];
}
