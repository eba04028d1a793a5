// Fork count: how many tasks the forks of a workload make. They are made at the start and wait until they are forked, since
// only the boot hart may spawn; so their number has to be known.
//
// Partners: phase-table.ts, which gives each a row; workload-reader.ts.

import { WORKLOAD_TASKS_MAX } from "../abi/workload-table.ts";
import type { Findings } from "./problem.ts";
import type { Workload, WorkloadTask } from "./workload-types.ts";

interface Fork {
  readonly line: number;
  readonly key: string;
  /** Executions of the event by one instance; Infinity: without end. */
  readonly times: number;
}

/** Forked instances of each task, in the order of the tasks. Infinity: without end. */
export function countForks(tasks: readonly WorkloadTask[]): number[] {
  const counts = new Map<WorkloadTask, number>();
  const count = (task: WorkloadTask, under: readonly WorkloadTask[]): number => {
    if (under.includes(task)) return Infinity;
    const known = counts.get(task);
    if (known !== undefined) return known;
    let sum = 0;
    for (const parent of tasks) {
      for (const { times } of forksOf(parent, task.name)) {
        const parents = parent.instances + count(parent, [...under, task]);
        if (parents > 0) sum += times * parents;
      }
    }
    counts.set(task, sum);
    return sum;
  };
  return tasks.map((task) => count(task, []));
}

/** Refuses forks of tasks that there are not, and forks without end; too many tasks; tasks that never begin. */
export function forkCheck({ tasks }: Workload, findings: Findings): void {
  const counts = countForks(tasks);
  let sum = 0;
  tasks.forEach((task, index) => {
    const forked = counts[index] ?? 0;
    if (forked !== Infinity) sum += task.instances + forked;
    if (task.instances + forked === 0) findings.refuse(task.line, task.key, "has no instance, and nothing forks it");
    const without = tasks.flatMap((parent) => forksOf(parent, task.name)).filter(() => forked === Infinity);
    for (const { line, key } of without) {
      findings.refuse(line, key, "forks without end; give the loops around it a number");
    }
  });
  if (sum > WORKLOAD_TASKS_MAX) {
    findings.refuse(
      1,
      "tasks",
      `there are ${sum} tasks, with instances and forks; at most ${WORKLOAD_TASKS_MAX} are possible`,
    );
  }
}

/** The events of a task that fork another. */
function forksOf(parent: WorkloadTask, name: string): Fork[] {
  return parent.phases.flatMap((phase) =>
    phase.events.flatMap(({ event, line, key }) =>
      event.kind === "fork" && event.task === name
        ? [{ line, key, times: endless(parent.loop) * endless(phase.loop) }]
        : [],
    ),
  );
}

function endless(loop: number): number {
  return loop < 0 ? Infinity : loop;
}
