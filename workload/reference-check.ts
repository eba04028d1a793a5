// Reference check: names that events use. Refused: a name that a list of resources does not have or has as something
// else, a fork of no task, and a wait that no other task can ever end.
//
// Partners: resource-reader.ts; workload-reader.ts.

import { countForks } from "./fork-count.ts";
import type { Findings } from "./problem.ts";
import type { DeclaredResources, ResourceUse } from "./resource-reader.ts";
import type { PlacedEvent, Workload, WorkloadEvent, WorkloadTask } from "./workload-types.ts";

interface Use extends PlacedEvent {
  readonly task: WorkloadTask;
}

export function checkReferences(workload: Workload, declared: DeclaredResources | undefined, findings: Findings): void {
  const uses = usesIn(workload);
  if (declared !== undefined) for (const use of uses) checkDeclared(use, declared, findings);
  const forked = countForks(workload.tasks);
  const livesOf = (task: WorkloadTask): number => task.instances + (forked[workload.tasks.indexOf(task)] ?? 0);
  for (const use of uses) checkWait(use, uses, livesOf, findings);
  checkBarriers(uses, livesOf, findings);
  for (const { event, line, key } of uses) {
    if (event.kind !== "fork" || workload.tasks.some(({ name }) => name === event.task)) continue;
    findings.refuse(line, key, `there is no task "${event.task}"`);
  }
}

function usesIn({ tasks }: Workload): Use[] {
  return tasks.flatMap((task) => task.phases.flatMap(({ events }) => events.map((placed) => ({ ...placed, task }))));
}

function checkDeclared({ event, line, key }: Use, declared: DeclaredResources, findings: Findings): void {
  for (const [name, use] of namesOf(event)) {
    const type = declared.get(name);
    if (type === undefined) findings.refuse(line, key, `"${name}" is not in resources; add it, or leave resources out`);
    else if (type !== use) findings.refuse(line, key, `"${name}" is a ${type} in resources and a ${use} here`);
  }
}

/** Names that rt-app's lists have. Each task has a suspension and timers of its own. */
function namesOf(event: WorkloadEvent): [string, ResourceUse][] {
  switch (event.kind) {
    case "lock":
    case "unlock":
      return [[event.mutex, "mutex"]];
    case "wait":
    case "sync":
      return [
        [event.condition, "condition"],
        [event.mutex, "mutex"],
      ];
    case "signal":
    case "broadcast":
      return [[event.condition, "condition"]];
    case "barrier":
      return [[event.barrier, "barrier"]];
    case "suspend":
    case "resume":
    case "timer":
    case "run":
    case "runtime":
    case "sleep":
    case "yield":
    case "fork":
      return [];
    default:
      return event satisfies never;
  }
}

/** A wait, sync or suspend needs another task, or another instance, that ends it. */
function checkWait(
  { event, line, key, task }: Use,
  uses: readonly Use[],
  livesOf: (task: WorkloadTask) => number,
  findings: Findings,
): void {
  const isEnd = endOf(event);
  if (isEnd === undefined) {
    if (
      event.kind === "resume" &&
      !uses.some(({ event: other }) => other.kind === "suspend" && other.resource === event.resource)
    ) {
      findings.remark(line, key, `has no effect: nothing suspends on "${event.resource}"`);
    }
    return;
  }
  const ends = uses.some((use) => isEnd(use.event) && (use.task !== task || livesOf(task) > 1));
  if (ends) return;
  const how = event.kind === "suspend" ? `resumes "${event.resource}"` : `signals "${nameOfCondition(event)}"`;
  findings.refuse(line, key, `would wait for ever: no other task ${how}`);
}

function nameOfCondition(event: WorkloadEvent): string {
  return event.kind === "wait" || event.kind === "sync" ? event.condition : "";
}

/** Which events end a wait; undefined: it is none. */
function endOf(event: WorkloadEvent): ((other: WorkloadEvent) => boolean) | undefined {
  if (event.kind === "suspend") return (other) => other.kind === "resume" && other.resource === event.resource;
  if (event.kind !== "wait" && event.kind !== "sync") return undefined;
  const { condition } = event;
  return (other) =>
    (other.kind === "signal" || other.kind === "broadcast" || other.kind === "sync") && other.condition === condition;
}

/** A barrier waits for as many as there are references; a task with two of them cannot be at both. */
function checkBarriers(uses: readonly Use[], livesOf: (task: WorkloadTask) => number, findings: Findings): void {
  const seen = new Map<string, Use>();
  for (const use of uses) {
    if (use.event.kind !== "barrier" || livesOf(use.task) === 0) continue;
    const key = `${use.task.key}\n${use.event.barrier}`;
    const before = seen.get(key);
    if (before === undefined) seen.set(key, use);
    else {
      const name = use.event.barrier;
      findings.refuse(
        use.line,
        use.key,
        `would wait for ever: the task is at "${name}" in line ${before.line} too; give it a name of its own`,
      );
    }
  }
}
