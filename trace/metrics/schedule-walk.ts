// Schedule walk: goes through a trace once and hands out what scheduling times consist of: stretches that a task ran,
// delays from ready to running, latencies from a wake to running, and the time that each hart was idle.
//
// A hart's stretches follow from its own switches. What begins on one hart and ends on another (a wake here, the run
// there) is matched by task: harts write at the end of a trap, so the run can be written before the wake that caused it,
// while the waker's trap still lasts. Such a run has a delay of 0 ticks.
//
// Invariant: the events are in the order of the trace. After lost records, what was open is dropped, not guessed.

import type { LeaveReason, QosName, TraceEvent } from "../event.ts";

export interface ScheduleSink {
  /** A task left a hart, or the trace ended (isOpen). */
  ran(stretch: Stretch): void;
  /** A task began to run; since: the event that made it ready. */
  began(wait: Wait): void;
  /** A hart had nothing to run. */
  idled(cpu: number, fromTicks: number, toTicks: number): void;
}

export interface Stretch {
  readonly task: number;
  readonly cpu: number;
  readonly qos: QosName;
  readonly from: number;
  readonly to: number;
  readonly reason: LeaveReason | null;
  readonly isOpen: boolean;
}

export interface Wait {
  readonly task: number;
  readonly cpu: number;
  readonly qos: QosName;
  readonly cause: ReadyCause;
  readonly from: number;
  readonly to: number;
}

export type ReadyCause = "spawn" | "wake" | "yielded" | "preempted";

interface HartNow {
  /** undefined: not known yet. */
  task: number | null | undefined;
  qos: QosName;
  since: number;
}

interface TaskNow {
  ready: { readonly cause: ReadyCause; readonly at: number } | null;
  /** Runs that were written before what made the task ready. */
  overtaken: Wait[];
}

export class ScheduleWalk {
  private readonly harts = new Map<number, HartNow>();
  private readonly tasks = new Map<number, TaskNow>();
  /** CPU by CPU: when its last trap was entered. */
  private readonly entries = new Map<number, number>();
  private readonly sink: ScheduleSink;
  private last = 0;

  constructor(sink: ScheduleSink) {
    this.sink = sink;
  }

  take(event: TraceEvent): void {
    this.last = Math.max(this.last, event.t);
    switch (event.kind) {
      case "trap":
        this.entries.set(event.cpu, event.t);
        return this.enter(event.cpu, event.task, event.t);
      case "switch":
        return this.change(event);
      case "spawn":
        this.tasks.set(event.task, { ready: { cause: "spawn", at: event.t }, overtaken: [] });
        return;
      case "wake":
        return this.makeReady(event.task, "wake", event);
      case "end":
        this.tasks.delete(event.task);
        return;
      case "lost":
        this.harts.clear();
        this.tasks.clear();
        return;
      default:
        return;
    }
  }

  finish(): void {
    for (const [cpu, hart] of this.harts) this.close(cpu, hart, this.last, null, true);
  }

  /** The first trap of a hart, or the first after lost records, shows what it runs. */
  private enter(cpu: number, task: number | null, t: number): void {
    if (!this.harts.has(cpu)) this.harts.set(cpu, { task: task === null ? null : undefined, qos: "Normal", since: t });
  }

  private change(event: TraceEvent & { readonly kind: "switch" }): void {
    const { cpu, t, previous, reason, next } = event;
    const hart = this.harts.get(cpu);
    if (hart !== undefined) this.close(cpu, hart, t, reason, false);
    if (previous !== null && (reason === "yielded" || reason === "preempted")) this.makeReady(previous, reason, event);
    if (previous !== null && reason === "blocked") this.block(previous, cpu);
    this.harts.set(cpu, { task: next, qos: event.qos ?? "Normal", since: t });
    if (next !== null) this.begin(next, cpu, event.qos ?? "Normal", t);
  }

  /** A wake that was written while this trap lasted is the end of the sleep that this trap began. */
  private block(task: number, cpu: number): void {
    const now = this.taskOf(task);
    if (now.ready !== null && now.ready.at < (this.entries.get(cpu) ?? 0)) now.ready = null;
  }

  private close(cpu: number, hart: HartNow, t: number, reason: LeaveReason | null, isOpen: boolean): void {
    if (hart.task === null) this.sink.idled(cpu, hart.since, t);
    else if (hart.task !== undefined)
      this.sink.ran({ task: hart.task, cpu, qos: hart.qos, from: hart.since, to: t, reason, isOpen });
  }

  private taskOf(task: number): TaskNow {
    let now = this.tasks.get(task);
    if (now === undefined) this.tasks.set(task, (now = { ready: null, overtaken: [] }));
    return now;
  }

  private makeReady(task: number, cause: ReadyCause, { cpu, t }: TraceEvent): void {
    const now = this.taskOf(task);
    // A run that ended its wait before this trap was entered belongs to something that the trace does not have.
    const enteredAt = this.entries.get(cpu) ?? 0;
    now.overtaken = now.overtaken.filter((run) => run.to >= enteredAt);
    const run = now.overtaken.shift();
    if (run === undefined) now.ready = { cause, at: t };
    else this.sink.began({ ...run, cause });
  }

  private begin(task: number, cpu: number, qos: QosName, t: number): void {
    const isKnown = this.tasks.has(task);
    const now = this.taskOf(task);
    const { ready } = now;
    now.ready = null;
    if (ready !== null) this.sink.began({ task, cpu, qos, cause: ready.cause, from: ready.at, to: t });
    else if (isKnown) now.overtaken.push({ task, cpu, qos, cause: "wake", from: t, to: t });
  }
}
