// Trace edit: traces made by hand for tests, and changes of traces.
//
// Owner: the tests beside it.

import type { Trace, TraceEvent } from "../event.ts";

/** A trace of these events. */
export function traceOf(events: readonly TraceEvent[], cpus = 2): Trace {
  return {
    header: {
      format: "hartbeat-trace",
      version: 1,
      machine: "sim",
      cpus,
      ticksPerSecond: 10_000_000,
      kernel: "0".repeat(64),
      programs: ["worker", "sleeper"],
    },
    events,
    totals: null,
  };
}

/** The same trace without its event at an index. */
export function without(trace: Trace, index: number): Trace {
  return { ...trace, events: trace.events.toSpliced(index, 1) };
}

/** The same trace with another event at an index. */
export function replaced(trace: Trace, index: number, event: TraceEvent): Trace {
  return { ...trace, events: trace.events.with(index, event) };
}

/** The same trace with a second event after the one at an index. */
export function doubled(trace: Trace, index: number, event: TraceEvent): Trace {
  return { ...trace, events: trace.events.toSpliced(index + 1, 0, event) };
}

/** The index of the count-th event (from 0) that fits. */
export function indexOf(trace: Trace, fits: (event: TraceEvent, index: number) => boolean, count = 0): number {
  const indices = trace.events.flatMap((event, index) => (fits(event, index) ? [index] : []));
  const index = indices[count];
  if (index === undefined) throw new Error("the trace has no such event");
  return index;
}
