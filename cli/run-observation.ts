// Run observation: what a workload's run was observed to do: the trace, with the names and periods of its tasks, and
// whether it holds: against the kernel's counters, and for the monitors.
//
// Partners: run.ts; trace-output.ts (the file), trace-check.ts (the monitors), metrics.ts (the counters).

import type { MachineRun } from "../machines/machine-run.ts";
import { ConsoleTotals } from "../trace/console-totals.ts";
import type { Trace, TraceEvent } from "../trace/event.ts";
import type { PhaseTable } from "../workload/phase-table.ts";
import type { MachineSpec } from "./machine-options.ts";
import { reportDifferences } from "./metrics.ts";
import { checkAndReport } from "./trace-check.ts";
import { traceHeader } from "./trace-output.ts";
import type { WorkloadConsole } from "./workload-report.ts";

const MICROS_PER_SECOND = 1_000_000;

export class RunObservation {
  private readonly totals = new ConsoleTotals();

  constructor(
    private readonly spec: MachineSpec,
    private readonly kernel: string | null,
    private readonly title: string,
  ) {}

  /** A line of the console. */
  take(line: string): void {
    this.totals.take(line);
  }

  /** The trace of a run that is over. */
  trace(run: MachineRun, console: WorkloadConsole, table: PhaseTable): Trace {
    const header = traceHeader(this.totals, this.spec, { kernel: this.kernel, programs: ["workload"] }, this.title);
    const observed = [...(run.events?.() ?? [])];
    const last = observed.at(-1)?.t ?? 0;
    const ticksPerMicro = header.ticksPerSecond / MICROS_PER_SECOND;
    const infos = console.known(table).map(({ task, name, periodMicros }): TraceEvent => ({
      ...{ t: last, cpu: 0, kind: "task-info", task, name },
      ...(periodMicros === null ? {} : { periodTicks: periodMicros * ticksPerMicro }),
    }));
    const lost = observed.reduce((sum, event) => sum + (event.kind === "lost" ? event.count : 0), 0);
    return { header, events: [...observed, ...infos], totals: this.totals.totals(lost) };
  }
}

/** Whether a trace adds up to the kernel's counters and no monitor fires; what does not is on stderr. */
export function holds(trace: Trace): boolean {
  const addsUp = reportDifferences(trace).kind === "done";
  // What passes needs no line.
  let report = "";
  const isClean = checkAndReport(trace, (text) => void (report += text));
  if (!isClean) process.stderr.write(report);
  return addsUp && isClean;
}
