// Trace input: traces and metrics that the user names. What cannot be read is the user's to mend, in one line with the
// file and the line.
//
// Partners: trace/trace-file.ts and trace/metrics/metrics-file.ts have the formats.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Trace } from "../trace/event.ts";
import { parseMetrics } from "../trace/metrics/metrics-file.ts";
import { metricsOf, type TraceMetrics } from "../trace/metrics/trace-metrics.ts";
import { formatMalformed, TraceReader } from "../trace/trace-file.ts";
import { readInput } from "./input-file.ts";

export type Refusal = { readonly kind: "usage"; readonly message: string };

export type TraceInput = { readonly kind: "trace"; readonly trace: Trace } | Refusal;

const LINE_END = 10;

export function readTrace(path: string): TraceInput {
  const input = readInput(path);
  return input.kind === "usage" ? input : traceOf(path, input.bytes);
}

/** Line by line: a trace may be longer than a string can be. */
function traceOf(path: string, bytes: Uint8Array): TraceInput {
  const reader = new TraceReader();
  const decoder = new TextDecoder();
  let line = 0;
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(LINE_END, start);
    const end = found < 0 ? bytes.length : found;
    line += 1;
    const reason = reader.take(decoder.decode(bytes.subarray(start, end)));
    if (reason !== undefined)
      return { kind: "usage", message: `${path}: ${formatMalformed({ kind: "malformed", line, reason })}` };
    start = end + 1;
  }
  const trace = reader.trace();
  if (trace === undefined) return { kind: "usage", message: `${path}: the file is empty: give a trace` };
  return { kind: "trace", trace };
}

export type MetricsInput = { readonly kind: "metrics"; readonly runs: readonly TraceMetrics[] } | Refusal;

/** A group of runs: files with commas between them, or a folder of them; each is a trace or what `metrics --json` prints. */
export function readRuns(paths: string): MetricsInput {
  const runs: TraceMetrics[] = [];
  for (const path of paths.split(",").flatMap((one) => filesIn(one))) {
    const run = readRun(path);
    if (run.kind === "usage") return run;
    runs.push(run.metrics);
  }
  if (runs.length > 0) return { kind: "metrics", runs };
  return {
    kind: "usage",
    message: `${paths}: the folder has no .jsonl and no .json file: name runs, or a folder of them`,
  };
}

/** The runs of a folder, by name; a path that is no folder itself. */
function filesIn(path: string): string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [path];
  const files = readdirSync(path)
    .filter((name) => /\.jsonl?$/.test(name))
    .toSorted();
  // Of a run that left both, one: its metrics.
  const names = new Set(files);
  return files
    .filter((name) => !name.endsWith(".jsonl") || !names.has(name.replace(/\.jsonl$/, ".json")))
    .map((name) => join(path, name));
}

function readRun(path: string): { readonly kind: "run"; readonly metrics: TraceMetrics } | Refusal {
  const input = readInput(path);
  if (input.kind === "usage") return input;
  const begin = new TextDecoder().decode(input.bytes.subarray(0, 200));
  if (/^\s*\{\s*"format"\s*:\s*"hartbeat-metrics"/.test(begin)) {
    const read = parseMetrics(new TextDecoder().decode(input.bytes));
    if (read.kind === "read") return { kind: "run", metrics: read.metrics };
    return { kind: "usage", message: `${path}: ${read.reason}` };
  }
  const read = traceOf(path, input.bytes);
  return read.kind === "usage" ? read : { kind: "run", metrics: metricsOf(read.trace) };
}
