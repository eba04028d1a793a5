// Queue order: which ready task a hart runs next: the highest class first, the oldest of it first (Q6), never a thief's
// task while a higher one waits in the thief's own queues (S2), and none idles while its own queues hold a task (I6).
//
// A hart alone fills its queues, so the order of its entries is known. Others take entries away without a mark here, so
// an entry that a pick has passed by is a suspicion first. It becomes a violation when the entry turns out to have been
// there: the hart itself runs it later without another entry of it, or a thief takes it in a trap that was entered after
// the pick. What another hart writes about the task, and may have done before, ends the suspicion.
//
// Invariant: no violation rests on the order of two harts' events within their traps.
// Clauses: Q6, S2, I6.

import type { QosName, TraceEvent } from "../event.ts";
import type { TaskPhase } from "./task-phase.ts";
import type { Monitor, MonitoredClause, OpenTrap, Report, Violation } from "./monitor.ts";

const RANK: Readonly<Record<QosName, number>> = { Idle: 0, Normal: 1, Interactive: 2, PerfBurst: 3 };

/** A pick that passed an entry by. */
interface Suspicion {
  readonly clause: MonitoredClause;
  readonly message: string;
  readonly number: number;
  readonly t: number;
}

interface Entry {
  readonly task: number;
  readonly cpu: number;
  readonly qos: QosName;
  readonly number: number;
  readonly suspicions: Suspicion[];
}

interface Hart {
  /** By class, oldest first. */
  readonly queues: Entry[][];
  stolen: { readonly task: number } | null;
  current: number | null;
  /** Whether the harts took tasks by themselves when its last trap was entered. */
  tasksRan: boolean;
}

/** A violation that an event of another hart, read later, may still refute. */
interface Candidate {
  readonly violation: Violation;
  readonly task: number;
  /** Who took it, and when its trap ended. */
  readonly thief: number;
  readonly until: number;
  isRefuted: boolean;
}

export class QueueOrder implements Monitor {
  private readonly harts = new Map<number, Hart>();
  /** The one entry that a task can have. */
  private readonly entries = new Map<number, Entry>();
  private readonly candidates: Candidate[] = [];
  private readonly phase: TaskPhase;
  private readonly report: Report;

  constructor(phase: TaskPhase, report: Report) {
    this.phase = phase;
    this.report = report;
  }

  take(event: TraceEvent, number: number, trap: OpenTrap): void {
    const hart = this.hartOf(event.cpu);
    switch (event.kind) {
      case "trap":
        this.idleSince(hart, event, number);
        hart.stolen = null;
        hart.current = event.task;
        hart.tasksRan = this.phase.tasksRun;
        if (event.task !== null) this.drop(event.task);
        return;
      case "enqueue":
        this.overtake(event.task, event.cpu, trap);
        return this.enqueue(hart, event, number);
      case "steal":
        hart.stolen = event;
        return this.steal(event, number, trap);
      case "switch":
        hart.current = event.next;
        return event.next === null ? this.suspectAll(hart, event, number) : this.pick(hart, event, number);
      case "lost":
        this.entries.clear();
        return this.harts.clear();
      case "qos":
      case "end":
      case "wake":
      case "spawn":
        return this.moved(event, trap);
      default:
        return;
    }
  }

  finish(): void {
    for (const { violation, isRefuted } of this.candidates) if (!isRefuted) this.report(violation);
  }

  private hartOf(cpu: number): Hart {
    let hart = this.harts.get(cpu);
    if (hart === undefined) {
      hart = { queues: [[], [], [], []], stolen: null, current: null, tasksRan: false };
      this.harts.set(cpu, hart);
    }
    return hart;
  }

  private enqueue(hart: Hart, event: TraceEvent & { readonly kind: "enqueue" }, number: number): void {
    const { task, qos, cpu } = event;
    this.drop(task);
    const entry = { task, qos, cpu, number, suspicions: [] };
    this.entries.set(task, entry);
    hart.queues[RANK[qos]]?.push(entry);
  }

  private drop(task: number): Entry | null {
    const entry = this.entries.get(task);
    if (entry === undefined) return null;
    this.entries.delete(task);
    const queue = this.harts.get(entry.cpu)?.queues[RANK[entry.qos]] ?? [];
    queue.splice(queue.indexOf(entry), 1);
    return entry;
  }

  /** Somebody did something to a task: its entries may have been gone for long. */
  private moved(event: TraceEvent & { readonly task: number }, trap: OpenTrap): void {
    this.overtake(event.task, event.cpu, trap);
    // A hart's own running task has no entry, and gets none by a change of its class.
    if (event.kind === "qos" && this.hartOf(event.cpu).current === event.task) return;
    this.drop(event.task);
  }

  /** What may have happened before a theft refutes what the theft seemed to show. */
  private overtake(task: number, cpu: number, trap: OpenTrap): void {
    for (const one of this.candidates)
      if (one.task === task && one.thief !== cpu && trap.enteredAt <= one.until) one.isRefuted = true;
  }

  private pick(hart: Hart, event: TraceEvent & { readonly kind: "switch" }, number: number): void {
    const next = event.next ?? -1;
    const isStolen = hart.stolen?.task === next;
    const queues = hart.queues;
    const entry = this.entries.get(next);
    if (entry?.cpu === event.cpu && !isStolen) {
      for (const suspicion of entry.suspicions) this.confirm(suspicion, entry, event, number);
      this.suspectOlder(queues[RANK[entry.qos]] ?? [], entry, event, number);
    }
    this.drop(next);
    if (event.qos === null) return;
    const rank = RANK[event.qos];
    for (const higher of queues.slice(rank + 1).flat()) {
      // The task that leaves the hart in this trap is queued after the pick.
      if (higher.task === event.previous) continue;
      const does = isStolen ? "steals" : "runs";
      const message = `cpu${event.cpu} ${does} task ${next} (${event.qos}) while task ${higher.task} (${higher.qos}) waits in its queue`;
      suspect(higher, { clause: isStolen ? "S2" : "Q6", message, number, t: event.t });
    }
  }

  private suspectOlder(
    queue: readonly Entry[],
    own: Entry,
    event: TraceEvent & { readonly kind: "switch" },
    number: number,
  ): void {
    for (const entry of queue) {
      if (entry === own) return;
      const message = `cpu${event.cpu} runs task ${own.task} before task ${entry.task}, which was queued before it in ${own.qos}`;
      suspect(entry, { clause: "Q6", message, number, t: event.t });
    }
  }

  /** The hart has idled until this trap, and since one at whose entry tasks were taken. */
  private idleSince(hart: Hart, event: TraceEvent & { readonly kind: "trap" }, number: number): void {
    if (event.task === null && hart.current === null) this.suspectAll(hart, event, number);
  }

  private suspectAll(hart: Hart, event: TraceEvent, number: number): void {
    if (!hart.tasksRan) return;
    for (const entry of hart.queues.flat()) {
      const message = `cpu${event.cpu} idles while task ${entry.task} (${entry.qos}) waits in its queue`;
      suspect(entry, { clause: "I6", message, number, t: event.t });
    }
  }

  private steal(event: TraceEvent & { readonly kind: "steal" }, number: number, trap: OpenTrap): void {
    const dropped = this.drop(event.task);
    const entry = dropped?.cpu === event.victim ? dropped : null;
    this.overtake(event.task, event.cpu, trap);
    const suspicion = entry?.suspicions.find((one) => one.t < trap.enteredAt);
    if (entry === null || suspicion === undefined) return;
    const { clause, message, t } = suspicion;
    const violation = { clause, message, events: [entry.number, suspicion.number, number], cpu: event.victim, t };
    this.candidates.push({
      violation,
      task: event.task,
      thief: event.cpu,
      until: event.t,
      isRefuted: false,
    });
  }

  private confirm(suspicion: Suspicion, entry: Entry, event: TraceEvent, number: number): void {
    const { clause, message, t } = suspicion;
    this.report({ clause, message, events: [entry.number, suspicion.number, number], cpu: event.cpu, t });
  }
}

/** One of a clause is enough. */
function suspect(entry: Entry, suspicion: Suspicion): void {
  if (!entry.suspicions.some(({ clause }) => clause === suspicion.clause)) entry.suspicions.push(suspicion);
}
