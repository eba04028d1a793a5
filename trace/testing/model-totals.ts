// Model totals: what a kernel would have counted in a run of the model scheduler.
//
// Partner: model-scheduler.ts.

import type { HartTotals, TraceEvent, TraceTotals } from "../event.ts";

export function totalsOf(cpus: number, events: readonly TraceEvent[]): TraceTotals {
  const harts = Array.from({ length: cpus }, (_, cpu) => hartTotals(cpu, events));
  return { kind: "totals", harts, tasks: [], result: "passed", lost: 0 };
}

function hartTotals(cpu: number, events: readonly TraceEvent[]): HartTotals {
  const own = events.filter((event) => event.cpu === cpu);
  const count = (keep: (event: TraceEvent) => boolean): number => own.filter(keep).length;
  return {
    cpu,
    picks: count((event) => event.kind === "switch" && event.next !== null),
    steals: count((event) => event.kind === "steal"),
    migrations: count((event) => event.kind === "migrate"),
    wakes: count((event) => event.kind === "wake"),
    ended: count((event) => event.kind === "end"),
    faults: 0,
    idlePercent: 0,
    accepted: count((event) => event.kind === "accepted"),
    sent: count((event) => event.kind === "sent"),
    sendsFailed: 0,
    coalesced: count((event) => event.kind === "accepted" && event.detail === 1),
    trapped: count((event) => event.kind === "trapped"),
    acked: count((event) => event.kind === "acked"),
  };
}
