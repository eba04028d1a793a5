// Lock check: what a task's own sequence of lock and unlock makes certain: a second lock of a mutex that it holds, which
// would wait for itself, an unlock or a wait without the mutex.
//
// A loop is followed twice: what its first turn leaves locked, its second one meets. Orders between tasks are not judged.
// Partners: workload-reader.ts.

import type { Findings } from "./problem.ts";
import type { PlacedEvent, Workload, WorkloadTask } from "./workload-types.ts";

export function checkLocks({ tasks }: Workload, findings: Findings): void {
  for (const task of tasks) checkTask(task, findings);
}

function checkTask(task: WorkloadTask, findings: Findings): void {
  /** The line at which each held mutex was locked. */
  const held = new Map<string, number>();
  for (let turn = 0; turn < turnsOf(task.loop); turn++) {
    for (const { loop, events } of task.phases) {
      for (let phaseTurn = 0; phaseTurn < turnsOf(loop); phaseTurn++) {
        for (const event of events) step(event, held, findings);
      }
    }
  }
}

function turnsOf(loop: number): number {
  return loop === 1 ? 1 : 2;
}

function step({ event, line, key }: PlacedEvent, held: Map<string, number>, findings: Findings): void {
  switch (event.kind) {
    case "lock": {
      const before = held.get(event.mutex);
      if (before === undefined) held.set(event.mutex, line);
      else
        findings.refuse(
          line,
          key,
          `the task holds "${event.mutex}" already (line ${before}) and would wait for itself`,
        );
      return;
    }
    case "unlock":
      if (!held.delete(event.mutex))
        findings.refuse(line, key, `the task does not hold "${event.mutex}" here; lock it before`);
      return;
    case "wait":
      if (!held.has(event.mutex))
        findings.refuse(line, key, `the task does not hold "${event.mutex}" here; lock it before`);
      return;
    case "run":
    case "runtime":
    case "sleep":
    case "timer":
    case "suspend":
    case "resume":
    case "signal":
    case "broadcast":
    case "sync":
    case "barrier":
    case "yield":
    case "fork":
      return;
    default:
      event satisfies never;
  }
}
