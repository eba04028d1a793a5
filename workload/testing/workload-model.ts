// Workload model: what a workload does, step by step, on a machine that switches tasks only where one blocks and in which
// running takes no time. Written from the description of the events, with lists and generators; it shares nothing with
// the interpreter but the table.
//
// It reads the compiled table, so that a mistake of the compiler shows as a difference from neither: phase-table.ts has
// tests of its own. run and runtime are not modelled.
// Partners: thread-machine.ts (order `fifo`); interpreter.test.ts.

import {
  WorkloadEnd,
  WorkloadEventKind,
  WorkloadEventRow,
  WorkloadHeader,
  WorkloadPhaseRow,
  WorkloadTaskRow,
} from "../../abi/workload-table.ts";
import type { PhaseTable } from "../phase-table.ts";

/** What a task does where it stops running. */
type Stop = { readonly kind: "sleep"; readonly until: number } | { readonly kind: "yield" };
type Steps = Generator<Stop, boolean, void>;

interface ModelTask {
  readonly row: number;
  readonly timers: Map<number, number>;
  loops: number;
  phases: number;
  late: number;
  start: number;
  /** What it waits for; a signal takes it from there. */
  waitsOn: number | undefined;
  sleepsUntil: number | undefined;
  sleptAs: number;
}

export interface ModelRun {
  readonly trace: readonly string[];
  readonly lines: readonly string[];
}

const TIME_FIRST = 1000;

export class WorkloadModel {
  private now = TIME_FIRST;
  private readonly end: number;
  private sleeps = 0;
  private readonly trace: string[] = [];
  private readonly lines: string[] = [];
  private readonly tasks: ModelTask[];
  private readonly bodies: Generator<Stop, void, void>[];
  private readonly ready: number[];
  /** Rows in the order in which they began to wait. */
  private readonly waiting: number[] = [];
  private readonly owners = new Map<number, number>();
  private readonly counts = new Map<number, number>();
  private readonly generations = new Map<number, number>();
  private readonly sharedTimers = new Map<number, number>();

  constructor(private readonly table: PhaseTable) {
    this.end = TIME_FIRST + this.word(WorkloadHeader.DurationMillis) * 1000 * this.word(WorkloadHeader.TicksPerMicro);
    this.tasks = table.rows.map((_, row) => ({
      row,
      timers: new Map(),
      loops: 0,
      phases: 0,
      late: 0,
      start: 0,
      waitsOn: undefined,
      sleepsUntil: undefined,
      sleptAs: 0,
    }));
    this.bodies = this.tasks.map((task) => this.body(task));
    this.ready = this.tasks.map(({ row }) => row);
  }

  run(): ModelRun {
    for (;;) {
      const row = this.ready.shift();
      if (row === undefined) {
        if (!this.passTime()) return { trace: this.trace, lines: this.lines };
        continue;
      }
      const { value, done } = this.bodies[row]?.next() ?? { done: true };
      if (done === true || value === undefined) continue;
      if (value.kind === "yield") this.ready.push(row);
      else this.fallAsleep(row, value.until);
    }
  }

  private fallAsleep(row: number, until: number): void {
    const task = this.tasks[row];
    if (task !== undefined) Object.assign(task, { sleepsUntil: until, sleptAs: this.sleeps++ });
  }

  private passTime(): boolean {
    const asleep = this.tasks.filter(({ sleepsUntil }) => sleepsUntil !== undefined);
    if (asleep.length === 0) return false;
    this.now = Math.min(...asleep.map(({ sleepsUntil }) => sleepsUntil ?? Infinity));
    const due = asleep.filter(({ sleepsUntil }) => (sleepsUntil ?? Infinity) <= this.now);
    for (const task of due.toSorted((a, b) => a.sleptAs - b.sleptAs)) this.wakeUp(task);
    return true;
  }

  private wakeUp(task: ModelTask): void {
    if (task.sleepsUntil === undefined) return;
    task.sleepsUntil = undefined;
    this.ready.push(task.row);
  }

  private *body(task: ModelTask): Generator<Stop, void, void> {
    const end = yield* this.live(task);
    const { row, loops, phases, late } = task;
    this.lines[row] = `workload row=${row} end=${end} loops=${loops} phases=${phases} late=${late}`;
  }

  private *live(task: ModelTask): Generator<Stop, WorkloadEnd, void> {
    const forks = this.taskWord(task, WorkloadTaskRow.ForkState);
    if (forks >= 0) {
      const rank = this.taskWord(task, WorkloadTaskRow.ForkRank);
      while ((this.counts.get(forks) ?? 0) <= rank) if (!(yield* this.wait(task, forks))) return WorkloadEnd.Unforked;
    }
    const delay = this.taskWord(task, WorkloadTaskRow.DelayMicros) * this.word(WorkloadHeader.TicksPerMicro);
    if (delay > 0 && !(yield* this.sleepTo(this.now + delay))) return WorkloadEnd.Duration;
    task.start = this.now;
    const loops = this.taskWord(task, WorkloadTaskRow.Loop);
    for (; isBelow(task.loops, loops); task.loops++) {
      if (!(yield* this.phasesOf(task))) return WorkloadEnd.Duration;
    }
    return WorkloadEnd.Done;
  }

  private *phasesOf(task: ModelTask): Steps {
    for (let index = 0; index < this.taskWord(task, WorkloadTaskRow.PhaseCount); index++) {
      const phase = this.taskWord(task, WorkloadTaskRow.Phases) + index * WorkloadPhaseRow.Words;
      const loop = this.word(phase + WorkloadPhaseRow.Loop);
      for (let turn = 0; isBelow(turn, loop); turn++) {
        if (this.now >= this.end) return false;
        for (let event = 0; event < this.word(phase + WorkloadPhaseRow.EventCount); event++) {
          const place = this.word(phase + WorkloadPhaseRow.Events) + event * WorkloadEventRow.Words;
          this.trace.push(`${task.row} ${task.phases} ${place}`);
          if (!(yield* this.perform(task, place))) return false;
        }
        task.phases += 1;
      }
    }
    return true;
  }

  private *perform(task: ModelTask, place: number): Steps {
    const kind: WorkloadEventKind = this.word(place);
    const [first, second] = [this.word(place + 1), this.word(place + 2)];
    const micros = this.word(WorkloadHeader.TicksPerMicro);
    switch (kind) {
      case WorkloadEventKind.Sleep:
        return yield* this.sleepTo(this.now + first * micros);
      case WorkloadEventKind.TimerRelative:
      case WorkloadEventKind.TimerAbsolute:
        return yield* this.timer(task, first, second * micros, kind === WorkloadEventKind.TimerRelative);
      case WorkloadEventKind.Suspend:
        return yield* this.wait(task, first);
      case WorkloadEventKind.Resume:
      case WorkloadEventKind.Broadcast:
        this.release(first, Infinity);
        return true;
      case WorkloadEventKind.Signal:
        this.release(first, 1);
        return true;
      case WorkloadEventKind.Lock:
        return yield* this.lock(task, first);
      case WorkloadEventKind.Unlock:
        this.unlock(task, first);
        return true;
      case WorkloadEventKind.Wait:
        return yield* this.waitWithMutex(task, first, second);
      case WorkloadEventKind.Sync: {
        const held = this.owners.get(second) === task.row;
        if (!held && !(yield* this.lock(task, second))) return false;
        this.release(first, 1);
        if (!(yield* this.waitWithMutex(task, first, second))) return false;
        if (!held) this.unlock(task, second);
        return true;
      }
      case WorkloadEventKind.Barrier:
        return yield* this.meet(task, first, second);
      case WorkloadEventKind.Yield:
        yield { kind: "yield" };
        return true;
      case WorkloadEventKind.Fork:
        this.counts.set(first, (this.counts.get(first) ?? 0) + 1);
        this.release(first, Infinity);
        return true;
      case WorkloadEventKind.Run:
      case WorkloadEventKind.Runtime:
        throw new Error("the model has no CPU time");
      default:
        return kind satisfies never;
    }
  }

  private *sleepTo(until: number): Steps {
    const goal = Math.min(until, this.end);
    while (this.now < goal) yield { kind: "sleep", until: goal };
    return until <= this.end;
  }

  private *timer(task: ModelTask, timer: number, period: number, isRelative: boolean): Steps {
    const timers = timer < 0 ? task.timers : this.sharedTimers;
    const next = (timers.get(timer) ?? task.start) + period;
    timers.set(timer, next);
    if (this.now <= next) return yield* this.sleepTo(next);
    task.late += 1;
    if (isRelative) timers.set(timer, this.now);
    return this.now < this.end;
  }

  /** False: the duration is over, and nobody has ended the wait before. */
  private *wait(task: ModelTask, place: number): Steps {
    task.waitsOn = place;
    this.waiting.push(task.row);
    return yield* this.untilReleased(task);
  }

  private *untilReleased(task: ModelTask): Steps {
    while (task.waitsOn !== undefined && this.now < this.end) yield { kind: "sleep", until: this.end };
    if (task.waitsOn === undefined) return true;
    this.remove(task);
    return false;
  }

  private remove(task: ModelTask): void {
    task.waitsOn = undefined;
    this.waiting.splice(this.waiting.indexOf(task.row), 1);
  }

  /** One: the one that has waited longest. All: in the order of the table. */
  private release(place: number, most: number): void {
    const rows = this.waiting.filter((row) => this.tasks[row]?.waitsOn === place);
    for (const row of most === 1 ? rows.slice(0, 1) : rows.toSorted((a, b) => a - b)) {
      const task = this.tasks[row];
      if (task === undefined) continue;
      this.remove(task);
      this.wakeUp(task);
    }
  }

  /** A mutex that is given back is free; the task that is woken for it may find it taken again. */
  private *lock(task: ModelTask, mutex: number): Steps {
    while (this.owners.has(mutex)) if (!(yield* this.wait(task, mutex))) return false;
    this.owners.set(mutex, task.row);
    return true;
  }

  private unlock(task: ModelTask, mutex: number): void {
    if (this.owners.get(mutex) !== task.row) return;
    this.owners.delete(mutex);
    this.release(mutex, 1);
  }

  private *waitWithMutex(task: ModelTask, condition: number, mutex: number): Steps {
    task.waitsOn = condition;
    this.waiting.push(task.row);
    this.unlock(task, mutex);
    if (!(yield* this.untilReleased(task))) return false;
    return yield* this.lock(task, mutex);
  }

  private *meet(task: ModelTask, barrier: number, size: number): Steps {
    const generation = this.generations.get(barrier) ?? 0;
    const arrived = (this.counts.get(barrier) ?? 0) + 1;
    this.counts.set(barrier, arrived === size ? 0 : arrived);
    if (arrived === size) {
      this.generations.set(barrier, generation + 1);
      this.release(barrier, Infinity);
      return true;
    }
    while ((this.generations.get(barrier) ?? 0) === generation) if (!(yield* this.wait(task, barrier))) return false;
    return true;
  }

  private word(place: number): number {
    return this.table.words[place] ?? 0;
  }

  private taskWord({ row }: ModelTask, field: WorkloadTaskRow): number {
    return this.word(WorkloadHeader.Words + row * WorkloadTaskRow.Words + field);
  }
}

/** loop: -1, for ever. */
function isBelow(turn: number, loop: number): boolean {
  return loop < 0 || turn < loop;
}
