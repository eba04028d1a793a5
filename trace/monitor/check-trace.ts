// Check trace: the contract's clauses about the resched chain and the place of tasks, over a whole trace.
//
// The monitors are automata as Linux's runtime verification has them (Documentation/trace/rv): they read events and know
// no state of the kernel. docs/running.md has what each clause is checked for, and what a trace cannot show.
//
// Invariants: what concerns two harts is judged by event numbers, or by a trap that was entered at a later tick than the
// other hart's trap ended; never by the order of events in the file. After lost records, nothing rests on what is missing.
// Clauses: I3, I4, I5, I6, I7, S1, S2, Q5, Q6.

import type { Trace, TraceEvent } from "../event.ts";
import { type ChainStep, judgeChain } from "./chain-numbers.ts";
import { ChainTraps, isChainEvent } from "./chain-traps.ts";
import { KeptTasks } from "./kept-tasks.ts";
import { QueueOrder } from "./queue-order.ts";
import { StealBudget } from "./steal-budget.ts";
import { TaskPhase } from "./task-phase.ts";
import type { Monitor, OpenTrap, Violation } from "./monitor.ts";

const NO_TRAP: OpenTrap = { count: 0, enteredAt: 0, cause: "none", event: 0 };

/** The violations, in the order of the events at which they show. */
export function checkTrace(trace: Trace): Violation[] {
  const checker = new TraceChecker();
  for (const event of trace.events) checker.take(event);
  return checker.finish();
}

/** The same event by event. */
export class TraceChecker {
  private readonly violations: Violation[] = [];
  private readonly phase = new TaskPhase();
  private readonly traps = new Map<number, OpenTrap>();
  private readonly chains = new Map<number, ChainStep[]>();
  private readonly monitors: readonly Monitor[];
  private number = 0;
  private isComplete = true;

  constructor() {
    const report = (violation: Violation): void => {
      this.violations.push(violation);
    };
    this.monitors = [
      new ChainTraps(this.phase, report),
      new StealBudget(report),
      new KeptTasks(report),
      new QueueOrder(this.phase, report),
    ];
  }

  take(event: TraceEvent): void {
    this.number += 1;
    const trap = this.trapOf(event);
    if (event.kind === "lost") this.isComplete = false;
    if (isChainEvent(event)) {
      const { cpu: by, ...step } = event;
      const steps = this.chains.get(event.of) ?? [];
      if (steps.length === 0) this.chains.set(event.of, steps);
      steps.push({ ...step, by, enteredAt: trap.enteredAt, event: this.number });
    }
    for (const monitor of this.monitors) monitor.take(event, this.number, trap);
    this.phase.take(event);
  }

  finish(): Violation[] {
    for (const monitor of this.monitors) monitor.finish();
    for (const steps of this.chains.values())
      judgeChain(steps, this.isComplete, (violation) => this.violations.push(violation));
    return this.violations.toSorted((a, b) => lastOf(a) - lastOf(b));
  }

  private trapOf(event: TraceEvent): OpenTrap {
    const before = this.traps.get(event.cpu) ?? NO_TRAP;
    if (event.kind === "lost") this.traps.set(event.cpu, NO_TRAP);
    if (event.kind !== "trap") return before;
    const trap = { count: before.count + 1, enteredAt: event.t, cause: event.cause, event: this.number };
    this.traps.set(event.cpu, trap);
    return trap;
  }
}

function lastOf({ events }: Violation): number {
  return Math.max(0, ...events);
}
