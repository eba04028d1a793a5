// Consistency: whether a trace's events add up to what the kernel counted itself.
//
// The kernel counts on its own paths and prints its counters; an observer looks from outside. A difference means that
// one of the two is wrong, and no figure of the trace is to be trusted.
// Invariant: counts only, in no order, because events of several harts at one time have none.
// Harts of virt run side by side, and two that wake one sleep leave one wake for the observer (docs/decisions/0018): there a
// task may have fewer wakes by its events than by the kernel's count. The sums of a hart stay exact.
// Not checked: what the kernel does not count for its summary (enqueues, spawns, system calls), and a hart or a task
// that has no line in it.

import type { HartTotals, TaskTotals, Trace, TraceEvent, TraceHeader, TraceTotals } from "./event.ts";

/** A number that the events come to, and the kernel's. */
export interface Difference {
  /** `cpu1` or `task 1029`. */
  readonly of: string;
  /** As the summary names it. */
  readonly what: string;
  readonly events: number;
  readonly counted: number;
}

export type Consistency =
  | { readonly kind: "consistent" }
  | { readonly kind: "different"; readonly differences: readonly Difference[] }
  /** reason: one line. */
  | { readonly kind: "not-comparable"; readonly reason: string };

/** What an event adds to on its hart, by the names of HartTotals. */
type HartCounts = Record<Exclude<keyof HartTotals, "cpu" | "idlePercent">, number>;
/** Likewise of its task. */
interface TaskCounts {
  runs: number;
  steals: number;
  migrations: number;
  wakes: number;
  ends: number;
  lastCpu: number;
}

/** Holds the events of a trace against its totals. */
export function checkConsistency({ header, events, totals }: Trace): Consistency {
  const tally = new EventTally(header.machine);
  for (const event of events) tally.take(event);
  return tally.compare(totals);
}

/** `cpu1 picks: 12 by the events, 13 by the kernel's count` */
export function formatDifference({ of, what, events, counted }: Difference): string {
  return `${of} ${what}: ${events} by the events, ${counted} by the kernel's count`;
}

function compareTotals(tally: EventTally, totals: TraceTotals | null): Consistency {
  if (totals === null) return { kind: "not-comparable", reason: "the trace has no totals: its run ended before them" };
  if (totals.lost > 0)
    return { kind: "not-comparable", reason: `${totals.lost} records were lost: the events cannot add up` };
  if (totals.harts.length === 0)
    return { kind: "not-comparable", reason: "the run ended before the kernel's summary: there is nothing to compare" };
  const differences = [
    ...totals.harts.flatMap((hart) => hartDifferences(hart, tally.hart(hart.cpu))),
    ...totals.tasks.flatMap((task) => taskDifferences(task, tally.task(task.task), tally.machine)),
  ];
  return differences.length === 0 ? { kind: "consistent" } : { kind: "different", differences };
}

/** The same event by event, for traces that are not held in memory. */
export class EventTally {
  private readonly harts = new Map<number, HartCounts>();
  private readonly tasks = new Map<number, TaskCounts>();

  constructor(readonly machine: TraceHeader["machine"]) {}

  compare(totals: TraceTotals | null): Consistency {
    return compareTotals(this, totals);
  }

  hart(cpu: number): HartCounts {
    return found(this.harts, cpu, () => ({
      ...{ picks: 0, steals: 0, migrations: 0, wakes: 0, ended: 0, faults: 0 },
      ...{ accepted: 0, sent: 0, sendsFailed: 0, coalesced: 0, trapped: 0, acked: 0 },
    }));
  }

  task(id: number): TaskCounts {
    return found(this.tasks, id, () => ({ runs: 0, steals: 0, migrations: 0, wakes: 0, ends: 0, lastCpu: -1 }));
  }

  take(event: TraceEvent): void {
    const hart = this.hart(event.cpu);
    switch (event.kind) {
      case "switch":
        hart.wakes += event.sleepsEnded ?? 0;
        if (event.next === null) return;
        hart.picks += 1;
        this.task(event.next).runs += 1;
        this.task(event.next).lastCpu = event.cpu;
        return;
      case "steal":
        hart.steals += 1;
        this.task(event.task).steals += 1;
        return;
      case "migrate":
        hart.migrations += 1;
        this.task(event.task).migrations += 1;
        return;
      case "wake":
        this.task(event.task).wakes += 1;
        return;
      case "end":
        // The kernel counts an end on the hart that ran the task; what was killed while it waited, nowhere.
        if (event.by === undefined) hart.ended += 1;
        this.task(event.task).ends += 1;
        return;
      case "trap":
        if (event.cause === "fault") hart.faults += 1;
        return;
      default:
        takeChain(hart, event);
    }
  }
}

function takeChain(hart: HartCounts, event: TraceEvent): void {
  if (event.kind === "accepted") {
    hart.accepted += 1;
    // Covered by an IPI that is on its way.
    hart.coalesced += event.detail === 1 ? 1 : 0;
  } else if (event.kind === "sent") hart.sent += 1;
  else if (event.kind === "coalesced") hart.coalesced += 1;
  else if (event.kind === "trapped") hart.trapped += 1;
  else if (event.kind === "acked") hart.acked += 1;
  else if (event.kind === "send-failed") {
    // Recorded as sent before the machine refused it.
    hart.sendsFailed += 1;
    hart.sent -= 1;
  }
}

function hartDifferences(counted: HartTotals, events: HartCounts): Difference[] {
  const of = `cpu${counted.cpu}`;
  return Object.entries(events).flatMap(([what, number]) =>
    compare(of, what, number, counted[what as keyof HartCounts]),
  );
}

function taskDifferences(counted: TaskTotals, events: TaskCounts, machine: TraceHeader["machine"]): Difference[] {
  const of = `task ${counted.task}`;
  // Woken, and killed before it ran: the kernel counts a wake when the task runs.
  const isWokenAndKilled = counted.end === "killed" && events.wakes === counted.wakes + 1;
  const isOneForTwo = machine === "virt" && events.wakes < counted.wakes;
  return [
    ...compare(of, "runs", events.runs, counted.runs),
    ...compare(of, "steals", events.steals, counted.steals),
    ...compare(of, "migrations", events.migrations, counted.migrations),
    ...(isWokenAndKilled || isOneForTwo ? [] : compare(of, "wakes", events.wakes, counted.wakes)),
    ...compare(of, "ends", events.ends, 1),
    ...compare(of, "last-cpu", events.lastCpu, counted.lastCpu),
  ];
}

function compare(of: string, what: string, events: number, counted: number): Difference[] {
  return events === counted ? [] : [{ of, what, events, counted }];
}

function found<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
