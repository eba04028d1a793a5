// Kept tasks: a task that gives up its hart is in its next place before the hart runs another, and a task that could not
// be queued keeps its hart (Q5).
//
// A task that leaves because it yielded or was preempted has been queued or parked by its hart in the same trap; and what
// enters the kernel is what the hart ran last, so no task is dropped without a switch.
// Clauses: Q5.

import type { TraceEvent } from "../event.ts";
import type { Monitor, OpenTrap, Report } from "./monitor.ts";

interface Hart {
  /** What it runs; undefined: not known. */
  current: number | null | undefined;
  /** The number of the event that made it so. */
  since: number;
  /** Tasks that got a place in the trap that is open. */
  placed: Set<number>;
}

export class KeptTasks implements Monitor {
  private readonly harts = new Map<number, Hart>();
  private readonly report: Report;

  constructor(report: Report) {
    this.report = report;
  }

  take(event: TraceEvent, number: number, _trap: OpenTrap): void {
    if (event.kind === "lost") return this.harts.clear();
    const hart = this.harts.get(event.cpu) ?? { current: undefined, since: 0, placed: new Set<number>() };
    this.harts.set(event.cpu, hart);
    switch (event.kind) {
      case "trap":
        this.enter(hart, event, number);
        return;
      case "enqueue":
      case "park":
        hart.placed.add(event.task);
        return;
      case "switch":
        this.leave(hart, event, number);
        return;
      default:
        return;
    }
  }

  finish(): void {}

  private enter(hart: Hart, event: TraceEvent & { readonly kind: "trap" }, number: number): void {
    if (hart.current !== undefined && hart.current !== event.task) {
      const message = `cpu${event.cpu} ran ${nameOf(hart.current)} and enters the kernel from ${nameOf(event.task)}, without a switch`;
      this.report({ clause: "Q5", message, events: [hart.since, number], cpu: event.cpu, t: event.t });
    }
    hart.current = event.task;
    hart.since = number;
    hart.placed = new Set();
  }

  private leave(hart: Hart, event: TraceEvent & { readonly kind: "switch" }, number: number): void {
    const { previous, reason, next, cpu, t } = event;
    const gaveUp = reason === "yielded" || reason === "preempted";
    if (gaveUp && previous !== null && hart.since > 0 && !hart.placed.has(previous)) {
      const message = `task ${previous} left cpu${cpu} as ${reason}, and was neither queued nor parked`;
      this.report({ clause: "Q5", message, events: [hart.since, number], cpu, t });
    }
    hart.current = next;
    hart.since = number;
  }
}

function nameOf(task: number | null): string {
  return task === null ? "no task" : `task ${task}`;
}
