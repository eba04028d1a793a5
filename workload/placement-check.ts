// Placement check: whether every task finds a place in the run queue of the CPU on which it begins. All are made before the
// first of them runs, and a queue holds 64 of a class, of which the selftests' last two tasks may still have some.
//
// Tasks without CPUs go to the CPUs in turn; at which the turn begins is the kernel's: whatever it is, all must fit.
// Partners: phase-table.ts; kernel/requested-tasks.ts, whose run would fail otherwise.

import { RING_CAPACITY } from "../abi/layout.ts";
import { Qos } from "../abi/qos.ts";
import type { Findings } from "./problem.ts";

/** Of a class, on one CPU, at the start. */
export const PLACES = RING_CAPACITY - 2;

interface Row {
  readonly name: string;
  readonly qos: Qos;
  /** -1: the next in turn. */
  readonly cpu: number;
}

/** lineOf: of a task's name. */
export function checkPlacement(
  rows: readonly Row[],
  cpus: number,
  lineOf: (name: string) => number,
  findings: Findings,
): void {
  for (let first = 0; first < cpus; first++) {
    const full = overfull(rows, cpus, first);
    if (full === undefined) continue;
    const { row, count, cpu } = full;
    const reason = `of class ${Qos[row.qos]} begin on CPU ${cpu}, where ${PLACES} have a place; give --smp, cpus or another priority`;
    findings.refuse(lineOf(row.name), `tasks.${row.name}`, `${count} tasks ${reason}`);
    return;
  }
}

function overfull(
  rows: readonly Row[],
  cpus: number,
  first: number,
): { row: Row; count: number; cpu: number } | undefined {
  const counts = new Map<string, { row: Row; count: number; cpu: number }>();
  let turn = first;
  for (const row of rows) {
    const cpu = row.cpu >= 0 ? row.cpu : turn;
    if (row.cpu < 0) turn = (turn + 1) % cpus;
    const key = `${cpu} ${row.qos}`;
    counts.set(key, { row, count: (counts.get(key)?.count ?? 0) + 1, cpu });
  }
  return [...counts.values()].find(({ count }) => count > PLACES);
}
