// Trace check: runs the monitors over a trace and prints what they find, with the timeline around it.
//
// Partners: trace/monitor/check-trace.ts; the commands `trace --check` and `run` call this.

import type { Trace } from "../trace/event.ts";
import { formatViolation } from "../trace/export/monitor-window.ts";
import { checkTrace } from "../trace/monitor/check-trace.ts";
import { MONITORED_CLAUSES } from "../trace/monitor/monitor.ts";
import { columnsOf, paintCell } from "./timeline-paint.ts";

/** Violations shown with their timelines; the others are counted. */
const SHOWN_MAX = 5;

/** Whether no monitor fired. write: gets the report, whole lines. */
export function checkAndReport(trace: Trace, write: (text: string) => void, width = columnsOf()): boolean {
  const violations = checkTrace(trace);
  for (const violation of violations.slice(0, SHOWN_MAX))
    write(`VIOLATION: ${formatViolation(trace, violation, { width, paint: paintCell })}\n`);
  const lost = trace.events.reduce((sum, event) => sum + (event.kind === "lost" ? event.count : 0), 0);
  if (lost > 0) write(`${lost} records were lost: what is missing in their place proves nothing\n`);
  const counts = MONITORED_CLAUSES.flatMap((clause) => {
    const count = violations.filter((one) => one.clause === clause).length;
    return count === 0 ? [] : [`${clause} ${count}`];
  });
  const clauses = MONITORED_CLAUSES.join(", ");
  write(
    violations.length === 0
      ? `monitors: no violation of ${clauses} in ${trace.events.length} events\n`
      : `FAIL: monitors: ${violations.length} violations in ${trace.events.length} events: ${counts.join(", ")}\n`,
  );
  return violations.length === 0;
}
