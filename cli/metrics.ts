// hartbeat metrics: what a trace comes to: latencies, run times, counts, as a table, JSON or CSV.

import type { Command } from "commander";
import { checkConsistency, formatDifference } from "../trace/consistency.ts";
import type { Trace } from "../trace/event.ts";
import { formatCsv, rowsOf } from "../trace/metrics/metric-rows.ts";
import { formatMetrics } from "../trace/metrics/metrics-table.ts";
import { metricsOf, type TraceMetrics } from "../trace/metrics/trace-metrics.ts";
import type { CommandEnding } from "./exit-code.ts";
import { readTrace } from "./trace-input.ts";

interface MetricsFlags {
  readonly json?: true;
  readonly csv?: true;
}

const MORE = `
The events are held against the kernel's own counters, where the trace has them; a difference is an error.
docs/running.md defines each number.

Exit codes: 0 as it should be, 1 the events and the kernel's counters differ, 2 usage.`;

export function addMetrics(program: Command, end: (ending: CommandEnding) => void): void {
  program
    .command("metrics")
    .description("latencies, run times and counts of a trace, by task, class and hart")
    .argument("<trace>", "a trace file")
    .option("--json", "one versioned object")
    .option("--csv", "one line a number")
    .addHelpText("after", MORE)
    .action((path: string, flags: MetricsFlags) => end(showMetrics(path, flags)));
}

function showMetrics(path: string, flags: MetricsFlags): CommandEnding {
  if (flags.json && flags.csv) return { kind: "usage", message: "--json and --csv exclude each other" };
  const input = readTrace(path);
  if (input.kind === "usage") return input;
  const metrics = metricsOf(input.trace);
  process.stdout.write(formatAs(metrics, flags));
  return reportDifferences(input.trace);
}

function formatAs(metrics: TraceMetrics, { json, csv }: MetricsFlags): string {
  if (json) return `${JSON.stringify(metrics)}\n`;
  return csv ? formatCsv(rowsOf(metrics)) : formatMetrics(metrics);
}

/** On stderr: the numbers stay as they are. */
export function reportDifferences(trace: Trace): CommandEnding {
  const consistency = checkConsistency(trace);
  switch (consistency.kind) {
    case "consistent":
      return { kind: "done" };
    case "not-comparable":
      process.stderr.write(`not compared with the kernel's counters: ${consistency.reason}\n`);
      return { kind: "done" };
    case "different":
      for (const difference of consistency.differences)
        process.stderr.write(`DIFFERENT: ${formatDifference(difference)}\n`);
      return { kind: "red" };
    default:
      return consistency satisfies never;
  }
}
