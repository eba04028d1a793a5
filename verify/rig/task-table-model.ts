// Task table model: what has to become of a task table, and what does on a kernel.
//
// Partners: verify/clauses/task-tables.ts, which compares the two; kernel/requested-tasks.ts.

import { RING_CAPACITY } from "../../abi/layout.ts";
import { CPUS_IN_TURN, TASK_ROW_WORDS, TASK_ROWS_MAX } from "../../abi/task-table.ts";
import { QOS_COUNT } from "../../abi/qos.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Dice } from "./dice.ts";
import { PoweredOff } from "./fake-machine.ts";
import type { KernelImage } from "./kernel-image.ts";
import { QOS_CLASSES, STEP_TASKS } from "./kernel-map.ts";
import { Refutation } from "./refutation.ts";
import { Rig } from "./rig.ts";

/** Programs that the rig's machine has. */
export const PROGRAMS = 9;

export interface Row {
  readonly program: number;
  readonly qos: number;
  /** Or CPUS_IN_TURN. */
  readonly cpu: number;
  readonly argument: bigint;
}

export type TableOutcome =
  /** Tasks by the queue that they are in, `cpu class: program(argument) ...`, in its order. */
  | { readonly kind: "made"; readonly queues: readonly string[] }
  /** row: from 1; 0: the number of rows. */
  | { readonly kind: "refused"; readonly row: number }
  /** A queue has no place for all of its tasks. */
  | { readonly kind: "too-many" };

export function tableOf(rows: readonly Row[]): number[] {
  const halves = (argument: bigint): number[] => [
    Number(BigInt.asIntN(32, argument)),
    Number(BigInt.asIntN(32, argument >> 32n)),
  ];
  return [rows.length, ...rows.flatMap(({ program, qos, cpu, argument }) => [program, qos, cpu, ...halves(argument)])];
}

/** The rows of a table whose count can be; words past its end are 0. */
export function rowsOf(words: readonly number[]): Row[] {
  return Array.from({ length: words[0] ?? 0 }, (_, index) => {
    const [program = 0, qos = 0, cpu = 0, low = 0, high = 0] = words.slice(1 + index * TASK_ROW_WORDS);
    return { program, qos, cpu, argument: BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0)) };
  });
}

/** What has to become of a table that is not empty. */
export function comeTo(cpus: number, words: readonly number[]): TableOutcome {
  const count = words[0] ?? 0;
  if (count < 0 || count > TASK_ROWS_MAX) return { kind: "refused", row: 0 };
  const below = (value: number, bound: number): boolean => value >= 0 && value < bound;
  const queues = new Map<string, string[]>();
  let next = 0;
  for (const [index, { program, qos, cpu, argument }] of rowsOf(words).entries()) {
    const isRow = below(program, PROGRAMS) && below(qos, QOS_COUNT) && (cpu === CPUS_IN_TURN || below(cpu, cpus));
    if (!isRow) return { kind: "refused", row: index + 1 };
    const key = `${cpu === CPUS_IN_TURN ? next : cpu} ${qos}`;
    const queue = queues.get(key) ?? [];
    if (queue.length === RING_CAPACITY) return { kind: "too-many" };
    queues.set(key, [...queue, `${program}(${argument})`]);
    if (cpu === CPUS_IN_TURN) next = (next + 1) % cpus;
  }
  return { kind: "made", queues: [...queues].map(([key, tasks]) => `${key}: ${tasks.join(" ")}`).toSorted() };
}

/** Traps after which a kernel has had all the occasions that it needs. */
const TRAPS_MAX = 64;
const FAIL = /^KSELFTEST: FAIL (?:the task table's row (\d+) is refused|a task of the table found no place)$/;

/** What does become of it. Harts other than the first take the traps for which they are rung. */
export function outcomeOf(kernel: KernelImage, cpus: number, words: readonly number[]): TableOutcome {
  const rig = Rig.open(kernel, { cpus });
  const others = Array.from({ length: cpus - 1 }, (_, index) => index + 1);
  rig.machine.taskTable = words;
  rig.makeTasksNext(rig.machine.timeTicks);
  try {
    for (let trap = 0; rig.step() === STEP_TASKS; trap++) {
      // The queues are as full as they get: the kernel has nothing to wait for.
      if (trap === TRAPS_MAX) rig.machine.timeTicks += 1n;
      if (trap > TRAPS_MAX) throw new Refutation("the kernel waits for ever for a place that does not come");
      rig.trap(0, TrapCause.TimerInterrupt);
      // They have what they have been given in their queues; nobody runs any of it yet.
      if (rig.step() === STEP_TASKS) rig.settle(others);
    }
  } catch (thrown) {
    if (!(thrown instanceof PoweredOff)) throw thrown;
    return outcomeOfFailure(rig);
  }
  for (const cpu of others) rig.drainMailbox(cpu);
  return { kind: "made", queues: queuesOf(rig, cpus) };
}

function outcomeOfFailure(rig: Rig): TableOutcome {
  const lines = rig.machine.calls.flatMap((call) => (call.kind === "line" ? [call.text] : []));
  const found = lines.map((line) => FAIL.exec(line)).find((match) => match !== null);
  if (found === undefined)
    throw new Refutation(`the kernel failed with other lines than were due: ${lines.join("; ")}`);
  return found[1] === undefined ? { kind: "too-many" } : { kind: "refused", row: Number(found[1]) };
}

function queuesOf(rig: Rig, cpus: number): string[] {
  const prepared = new Map(
    rig.machine.calls.flatMap((call) => (call.kind === "prepare" ? [[call.space, call] as const] : [])),
  );
  const tasks = (cpu: number, qos: number): number[] => [
    ...(rig.current(cpu) !== -1 && rig.word(rig.current(cpu)).qos === qos ? [rig.current(cpu)] : []),
    ...rig.queued(cpu, qos),
  ];
  const all = Array.from({ length: cpus }, (_, cpu) => QOS_CLASSES.map((qos) => [cpu, qos] as const)).flat();
  return all
    .map(([cpu, qos]): [string, number[]] => [`${cpu} ${qos}`, tasks(cpu, qos)])
    .filter(([, found]) => found.length > 0)
    .map(([key, found]) => `${key}: ${found.map((task) => described(prepared, task)).join(" ")}`)
    .toSorted();
}

function described(prepared: ReadonlyMap<number, { program: number; argument: bigint }>, task: number): string {
  const call = prepared.get(task);
  return call === undefined ? "?" : `${call.program}(${call.argument})`;
}

/** A table of up to TASK_ROWS_MAX rows, right or with a few wrong words, or of words that are anything at all. */
export function drawTable(dice: Dice): { cpus: number; words: number[] } {
  const cpus = 1 + dice.roll(6);
  const anything = (): number =>
    dice.one([0, 1, -1, 4, 9, 64, 120, 0x7fff_ffff, -0x8000_0000, dice.roll(0x1_0000), dice.roll(0x1_0000_0000) | 0]);
  const rows = Array.from({ length: 1 + dice.roll(dice.chance(20) ? TASK_ROWS_MAX : 12) }, (): Row => ({
    program: dice.roll(PROGRAMS),
    qos: dice.roll(QOS_COUNT),
    cpu: dice.chance(50) ? CPUS_IN_TURN : dice.roll(cpus),
    argument: (BigInt(anything()) << 32n) | BigInt(anything() >>> 0),
  }));
  const words = tableOf(rows);
  if (dice.chance(40)) return { cpus, words };
  if (dice.chance(10)) words.splice(0, words.length, ...words.map(anything));
  else
    for (let wrong = dice.roll(3); wrong >= 0; wrong--)
      words[dice.chance(5) ? 0 : dice.roll(words.length)] = anything();
  // An empty table is none.
  words[0] ||= 1;
  return { cpus, words };
}
