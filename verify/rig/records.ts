// Records: every counter of every hart and every field of a task's record, read and marked as a whole.
//
// A mark is a different number in each field, so that an operation that writes a field which is not its own, or reads
// another one, shows.
// Owner: none. Partners: rig.ts (one field at a time), kernel-map.ts (where the fields lie).

import {
  COUNTER_FIELDS,
  COUNTERS_OFFSET,
  GLOBALS,
  hartAddress,
  RUNTIME_FIELDS,
  SLEEPERS,
  SLEEPERS_STRIDE,
  TASK_FIELDS,
  unpackWord,
} from "./kernel-map.ts";
import { same } from "./refutation.ts";
import type { Rig } from "./rig.ts";

export type Counter = keyof typeof COUNTER_FIELDS;
/** The fields of a task but its word, its life and the boot hart's count of its lives. */
export type RecordField = Exclude<keyof typeof TASK_FIELDS, "word" | "life" | "incarnation">;

const COUNTERS = Object.keys(COUNTER_FIELDS) as Counter[];
const RECORD_FIELDS = (Object.keys(TASK_FIELDS) as (keyof typeof TASK_FIELDS)[]).filter(
  (field): field is RecordField => field !== "word" && field !== "life" && field !== "incarnation",
);

/** Marks of a record's fields, as wide as the fields are. */
const RECORD_MARKS: Readonly<Record<RecordField, number>> = {
  runs: 0x1111_2222,
  migrations: 0x3333_4444,
  wakes: 0x5555_6666,
  faultAddress: 0x0f0f_7777,
  exitCode: 0x1234_5678,
  steals: 0x0abc_def0,
  program: 0x0123,
  lastCpu: 0x2a,
  exitReason: 0x55,
};

function viewOf(rig: Rig): DataView {
  return new DataView(rig.bytes.buffer);
}

export type Counts = Readonly<Record<Counter, number>>;

export function countsOf(rig: Rig, cpu: number): Counts {
  return Object.fromEntries(COUNTERS.map((counter) => [counter, rig.counter(cpu, counter)])) as Counts;
}

/** Gives every counter of a CPU a number of its own. */
export function markCounts(rig: Rig, cpu: number): void {
  for (const [index, counter] of COUNTERS.entries()) {
    const at = hartAddress(cpu) + COUNTERS_OFFSET + COUNTER_FIELDS[counter];
    viewOf(rig).setBigInt64(at, BigInt(1_000_000 * (cpu + 1) + 10_000 * (index + 1)), true);
  }
}

/** By what each counter of a CPU differs from before; those that do not are left out. */
function countChanges(rig: Rig, cpu: number, before: Counts): Partial<Counts> {
  const now = countsOf(rig, cpu);
  const changed = COUNTERS.filter((counter) => now[counter] !== before[counter]);
  return Object.fromEntries(changed.map((counter) => [counter, now[counter] - before[counter]]));
}

export type TaskRecord = Readonly<Record<RecordField, number>>;

export function recordOf(rig: Rig, task: number): TaskRecord {
  return Object.fromEntries(RECORD_FIELDS.map((field) => [field, rig.taskField(task, field)])) as TaskRecord;
}

/** Gives every field of a task's record a number of its own; `but`: those that have another. */
export function markRecord(rig: Rig, task: number, but: Partial<TaskRecord> = {}): void {
  for (const field of RECORD_FIELDS) rig.setTaskField(task, field, but[field] ?? RECORD_MARKS[field]);
}

/** What the boot hart's handle counts. */
export function runtimeOf(rig: Rig): {
  readonly spawned: number;
  readonly reaped: number;
  readonly nextCpu: number;
  readonly nextTask: number;
} {
  const view = viewOf(rig);
  return {
    spawned: Number(view.getBigInt64(GLOBALS + RUNTIME_FIELDS.spawned, true)),
    reaped: Number(view.getBigInt64(GLOBALS + RUNTIME_FIELDS.reaped, true)),
    nextCpu: view.getInt32(GLOBALS + RUNTIME_FIELDS.nextCpu, true),
    nextTask: view.getInt32(GLOBALS + RUNTIME_FIELDS.nextTask, true),
  };
}

/** The sleepers of a CPU: `task:deadline`, in their order. */
export function sleepersOf(
  rig: Rig,
  cpu: number,
): { readonly list: readonly string[]; readonly earliest: bigint; readonly swept: number } {
  const view = viewOf(rig);
  const base = SLEEPERS + cpu * SLEEPERS_STRIDE;
  const list = Array.from({ length: view.getInt32(base, true) }, (_, index) => {
    const at = base + 32 + 16 * index;
    return `${unpackWord(view.getBigUint64(at + 8, true)).task}:${view.getBigInt64(at, true)}`;
  });
  return { list, earliest: view.getBigInt64(base + 8, true), swept: view.getInt32(base + 4, true) };
}

/** What an action is to change: counters by CPU, fields of records by task; everything else stays. */
export interface Changes {
  readonly counts?: Readonly<Record<number, Partial<Counts>>>;
  readonly records?: Readonly<Record<number, Partial<TaskRecord>>>;
}

/** Refutes an action that changes other counters or records than it is to, of all CPUs and of the given tasks. */
export function changesOnly(
  rig: Rig,
  tasks: readonly number[],
  what: string,
  { counts = {}, records = {} }: Changes,
  action: () => void,
): void {
  const cpus = rig.machine.harts.map(({ cpu }) => cpu);
  const countsBefore = cpus.map((cpu) => countsOf(rig, cpu));
  const recordsBefore = tasks.map((task) => recordOf(rig, task));
  action();
  for (const [cpu, before] of countsBefore.entries())
    same(sorted(countChanges(rig, cpu, before)), sorted(counts[cpu] ?? {}), `what cpu${cpu} counts for ${what}`);
  for (const [index, before] of recordsBefore.entries()) {
    const task = tasks[index] ?? -1;
    same(recordOf(rig, task), { ...before, ...records[task] }, `the record of task ${task} after ${what}`);
  }
}

function sorted(changes: Partial<Counts>): [string, number][] {
  return Object.entries(changes).toSorted(([a], [b]) => a.localeCompare(b));
}
