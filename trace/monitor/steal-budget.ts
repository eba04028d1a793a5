// Steal budget: at most one task in an attempt, and at most one attempt that succeeds between two ticks of a hart (S1).
//
// Thefts and ticks of one hart are its own events, in their order; no other hart's matter.
// Clauses: S1.

import type { TraceEvent } from "../event.ts";
import type { Monitor, OpenTrap, Report } from "./monitor.ts";

export class StealBudget implements Monitor {
  /** CPU by CPU: the number of the theft since its last tick. */
  private readonly stolen = new Map<number, number>();
  private readonly report: Report;

  constructor(report: Report) {
    this.report = report;
  }

  take(event: TraceEvent, number: number, _trap: OpenTrap): void {
    if (event.kind === "lost") this.stolen.clear();
    if (event.kind === "trap" && event.cause === "timer") this.stolen.delete(event.cpu);
    if (event.kind !== "steal") return;
    const { cpu, t, task, victim } = event;
    const before = this.stolen.get(cpu);
    this.stolen.set(cpu, number);
    if (before === undefined) return;
    const message = `cpu${cpu} stole task ${task} from cpu${victim}, its second theft since its last tick`;
    this.report({ clause: "S1", message, events: [before, number], cpu, t });
  }

  finish(): void {}
}
