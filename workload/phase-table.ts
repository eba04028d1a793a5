// Phase table: a workload as the words that the program `workload` interprets, and a row for each task to spawn.
//
// Instances of a task share their phases. Names become state words, which all tasks share; a timer whose name begins with
// "unique" is each instance's own. Forked tasks have rows as well: they wait until they are forked.
// Partners: abi/workload-table.ts (the layout); the program `workload`; fork-count.ts.

import type { Qos } from "../abi/qos.ts";
import {
  WORKLOAD_MAGIC,
  WORKLOAD_STATE_WORDS_MAX,
  WORKLOAD_WORDS_MAX,
  WorkloadEventKind,
  WorkloadEventRow,
  WorkloadHeader,
  WorkloadPhaseRow,
  WorkloadTaskRow,
} from "../abi/workload-table.ts";
import { countForks } from "./fork-count.ts";
import { checkPlacement } from "./placement-check.ts";
import { Findings, type Problem } from "./problem.ts";
import type { Workload, WorkloadEvent, WorkloadTask } from "./workload-types.ts";

/** One task to spawn; its argument is its place in the list. */
export interface SpawnRow {
  readonly name: string;
  /** 0 for the first of its name. */
  readonly instance: number;
  readonly qos: Qos;
  /** -1: any. */
  readonly cpu: number;
  readonly forked: boolean;
  /** Of a task whose only timer comes once a loop: how far its releases are apart. */
  readonly periodMicros: number | null;
}

export interface PhaseTable {
  readonly words: readonly number[];
  readonly rows: readonly SpawnRow[];
  readonly durationMillis: number;
}

export interface PhaseTableTarget {
  readonly ticksPerSecond: number;
  readonly cpus: number;
  /** Instead of the file's. */
  readonly durationMillis?: number;
}

export type PhaseTableOutcome =
  | { readonly kind: "compiled"; readonly table: PhaseTable }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/** Where neither the file nor its caller sets an end. */
export const DURATION_MILLIS = 10_000;

const MICROS_PER_SECOND = 1_000_000;

export function compileWorkload(workload: Workload, target: PhaseTableTarget): PhaseTableOutcome {
  const findings = new Findings();
  const ticksPerMicro = target.ticksPerSecond / MICROS_PER_SECOND;
  if (!Number.isInteger(ticksPerMicro)) throw new Error("a machine's clock has a whole number of ticks a microsecond");
  const durationMillis = target.durationMillis ?? workload.durationMillis ?? DURATION_MILLIS;
  const state = new StateWords(workload.tasks);
  const { rows, taskRows } = spawnRows(workload.tasks, state, target.cpus, findings);
  const lineOf = (name: string): number => workload.tasks.find((task) => task.name === name)?.line ?? 1;
  if (findings.problems.length === 0) checkPlacement(rows, target.cpus, lineOf, findings);
  const words = new Writer();
  words.put(WORKLOAD_MAGIC, ticksPerMicro, durationMillis, rows.length, 0);
  const phases = writePhases(workload.tasks, state, WorkloadHeader.Words + rows.length * WorkloadTaskRow.Words);
  for (const row of taskRows) {
    const { place, count } = phases.of.get(row.task) ?? { place: 0, count: 0 };
    const { loop, delayMicros } = row.task;
    words.put(loop, delayMicros, place, count, row.forkState, row.forkRank, row.ownTimers);
  }
  words.list[WorkloadHeader.StateCount] = state.used;
  const all = [...words.list, ...phases.words];
  if (all.length > WORKLOAD_WORDS_MAX || state.used > WORKLOAD_STATE_WORDS_MAX) {
    const size = `${all.length} words of phases (at most ${WORKLOAD_WORDS_MAX}), ${state.used} of state (at most ${WORKLOAD_STATE_WORDS_MAX})`;
    findings.refuse(1, "tasks", `the workload is too large: ${size}`);
  }
  if (findings.problems.length > 0) return { kind: "refused", problems: findings.sorted() };
  return { kind: "compiled", table: { words: all, rows, durationMillis } };
}

interface TaskRow {
  readonly task: WorkloadTask;
  readonly forkState: number;
  readonly forkRank: number;
  readonly ownTimers: number;
}

function spawnRows(tasks: readonly WorkloadTask[], state: StateWords, cpus: number, findings: Findings) {
  const rows: SpawnRow[] = [];
  const taskRows: TaskRow[] = [];
  const forks = countForks(tasks);
  tasks.forEach((task, index) => {
    const missing = task.cpus.filter((cpu) => cpu >= cpus);
    if (missing.length > 0) {
      findings.refuse(
        task.cpusLine,
        `${task.key}.cpus`,
        `there is no CPU ${missing.join(", ")}: the machine has ${cpus} (--smp)`,
      );
    }
    const forked = forks[index] ?? 0;
    for (let instance = 0; instance < task.instances + forked; instance++) {
      const isForked = instance >= task.instances;
      const cpu = task.cpus[instance % Math.max(1, task.cpus.length)] ?? -1;
      const periodMicros = periodOf(task);
      rows.push({ name: task.name, instance, qos: task.qos, cpu, forked: isForked, periodMicros });
      taskRows.push({
        task,
        forkState: isForked ? state.of("fork", task.name) : -1,
        forkRank: isForked ? instance - task.instances : 0,
        ownTimers: state.ownTimersOf(task),
      });
    }
  });
  return { rows, taskRows };
}

function periodOf({ phases }: WorkloadTask): number | null {
  const timers = phases.flatMap(({ loop, events }) =>
    events.flatMap(({ event }) => (event.kind === "timer" ? [{ micros: event.micros, loop }] : [])),
  );
  const [timer] = timers;
  return timers.length === 1 && timer !== undefined && (phases.length === 1 || timer.loop === 1) ? timer.micros : null;
}

/** Phases of all tasks, and after each task's phases their events. */
function writePhases(tasks: readonly WorkloadTask[], state: StateWords, start: number) {
  const words = new Writer();
  const of = new Map<WorkloadTask, { readonly place: number; readonly count: number }>();
  for (const task of tasks) {
    const place = start + words.list.length;
    of.set(task, { place, count: task.phases.length });
    let events = place + task.phases.length * WorkloadPhaseRow.Words;
    for (const phase of task.phases) {
      words.put(phase.loop, events, phase.events.length);
      events += phase.events.length * WorkloadEventRow.Words;
    }
    for (const { event } of task.phases.flatMap((phase) => phase.events)) words.put(...eventWords(event, task, state));
  }
  return { words: words.list, of };
}

function eventWords(event: WorkloadEvent, task: WorkloadTask, state: StateWords): [WorkloadEventKind, number, number] {
  switch (event.kind) {
    case "run":
      return [WorkloadEventKind.Run, event.micros, 0];
    case "runtime":
      return [WorkloadEventKind.Runtime, event.micros, 0];
    case "sleep":
      return [WorkloadEventKind.Sleep, event.micros, 0];
    case "timer": {
      const kind = event.mode === "relative" ? WorkloadEventKind.TimerRelative : WorkloadEventKind.TimerAbsolute;
      return [kind, state.timer(task, event.timer), event.micros];
    }
    case "suspend":
      return [WorkloadEventKind.Suspend, state.of("suspension", event.resource), 0];
    case "resume":
      return [WorkloadEventKind.Resume, state.of("suspension", event.resource), 0];
    case "lock":
      return [WorkloadEventKind.Lock, state.of("mutex", event.mutex), 0];
    case "unlock":
      return [WorkloadEventKind.Unlock, state.of("mutex", event.mutex), 0];
    case "wait":
      return [WorkloadEventKind.Wait, state.of("condition", event.condition), state.of("mutex", event.mutex)];
    case "signal":
      return [WorkloadEventKind.Signal, state.of("condition", event.condition), 0];
    case "broadcast":
      return [WorkloadEventKind.Broadcast, state.of("condition", event.condition), 0];
    case "sync":
      return [WorkloadEventKind.Sync, state.of("condition", event.condition), state.of("mutex", event.mutex)];
    case "barrier":
      return [WorkloadEventKind.Barrier, state.of("barrier", event.barrier), state.barrierSize(event.barrier)];
    case "yield":
      return [WorkloadEventKind.Yield, 0, 0];
    case "fork":
      return [WorkloadEventKind.Fork, state.of("fork", event.task), 0];
    default:
      return event satisfies never;
  }
}

class Writer {
  readonly list: number[] = [];

  put(...words: readonly number[]): void {
    this.list.push(...words);
  }
}

type StateKind = "mutex" | "condition" | "suspension" | "barrier" | "fork" | "timer";

/** State words by name. Two words where a 64-bit value or a pair is kept, at even places. */
class StateWords {
  used = 0;
  private readonly places = new Map<string, number>();

  constructor(private readonly tasks: readonly WorkloadTask[]) {}

  of(kind: StateKind, name: string): number {
    const key = `${kind} ${name}`;
    const known = this.places.get(key);
    if (known !== undefined) return known;
    const isPair = kind === "barrier" || kind === "timer";
    const place = isPair ? this.take(2) : this.take(1);
    this.places.set(key, place);
    return place;
  }

  /** A timer as an event names it: a place, or below zero the task's own. */
  timer(task: WorkloadTask, name: string): number {
    return isOwn(name) ? -1 - ownTimers(task).indexOf(name) : this.of("timer", name);
  }

  /** Words for an instance's own timers; 0 where it has none. */
  ownTimersOf(task: WorkloadTask): number {
    const count = ownTimers(task).length;
    return count === 0 ? 0 : this.take(2 * count);
  }

  /** Tasks that a barrier waits for. */
  barrierSize(name: string): number {
    const forks = countForks(this.tasks);
    return this.tasks.reduce((size, task, index) => {
      const references = eventsOf(task).filter((event) => event.kind === "barrier" && event.barrier === name).length;
      return size + references * (task.instances + (forks[index] ?? 0));
    }, 0);
  }

  private take(words: 1 | number): number {
    if (words > 1) this.used += this.used % 2;
    const place = this.used;
    this.used += words;
    return place;
  }
}

function isOwn(timer: string): boolean {
  return timer.startsWith("unique");
}

function ownTimers(task: WorkloadTask): string[] {
  const names = eventsOf(task).flatMap((event) => (event.kind === "timer" && isOwn(event.timer) ? [event.timer] : []));
  return [...new Set(names)];
}

function eventsOf(task: WorkloadTask): readonly WorkloadEvent[] {
  return task.phases.flatMap((phase) => phase.events.map(({ event }) => event));
}
