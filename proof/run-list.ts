// Run list: a list of runs, proved one after the other.
//
// Invariants: every planned run ends up in exactly one count of the summary; runs that share a `sameAs` key must
// show the same console, byte for byte (D7), or the later one fails.
// Partners: cli/prove.ts plans, proof-run.ts proves one run, reporters/ hear the events.

import type { MachineRun } from "../machines/machine-run.ts";
import type { ProofEvent, ProofSummary, RunName, ClauseCoverage } from "./proof-event.ts";
import { type ProofRunOptions, type ProofRunReport, proveRun } from "./proof-run.ts";
import { failed } from "./verdict.ts";

export interface PlannedRun {
  readonly name: RunName;
  /** Runs with the same key repeat each other exactly; null where nothing repeats. */
  readonly sameAs: string | null;
  /** What the BOOT line must call the way of an IPI. */
  readonly ipi: string;
  readonly boot: () => MachineRun;
}

export interface SuiteRunOptions extends Omit<ProofRunOptions, "machine" | "harts" | "ipi" | "onLine"> {
  readonly emit: (event: ProofEvent) => void;
  /** Keeps what a run that did not pass has left; hands back where. */
  readonly keep: (name: RunName, report: ProofRunReport) => string | null;
  /** What explorations say of the kernel that was booted; asked once all runs have passed. null: it is not known. */
  readonly cover: () => Promise<ClauseCoverage | null>;
}

/** Proves the runs in order; after an interruption the rest is counted as not run. */
export async function proveAll(runs: readonly PlannedRun[], options: SuiteRunOptions): Promise<ProofSummary> {
  const { emit, keep, signal } = options;
  const firstConsoles = new Map<string, readonly string[]>();
  const counts = { passed: 0, failed: 0, inconclusive: 0 };
  let replay: string | null = null;
  let begun = 0;

  emit({ kind: "begun", runs: runs.length });
  for (const { name, sameAs, ipi, boot } of runs) {
    // A short simulated run never gives way by itself, and an interruption must be heard between runs.
    await nextTurn();
    if (signal.aborted) break;
    begun += 1;
    emit({ kind: "run-begun", run: name });
    const single = await proveRun(boot(), {
      ...options,
      machine: name.machine,
      harts: name.harts,
      ipi,
      onLine: (text, line, rung) => emit({ kind: "line", run: name, text, line, rung }),
    });
    const report = sameAs === null ? single : compared(single, sameAs, firstConsoles);
    counts[report.verdict.kind] += 1;
    const passed = report.verdict.kind === "passed";
    if (!passed) replay ??= name.replay;
    emit({ kind: "run-ended", run: name, report, folder: passed ? null : keep(name, report) });
  }

  const coverage = runs.length > 0 && counts.passed === runs.length ? await options.cover() : null;
  if (coverage !== null) emit({ kind: "covered", coverage });
  const summary: ProofSummary = { runs: runs.length, ...counts, notRun: runs.length - begun, replay };
  emit({ kind: "ended", summary });
  return summary;
}

/** The report, failed where its console differs from that of the first run with the same key. */
function compared(report: ProofRunReport, key: string, firstConsoles: Map<string, readonly string[]>): ProofRunReport {
  if (report.verdict.kind !== "passed") return report;
  const first = firstConsoles.get(key);
  if (first === undefined) {
    firstConsoles.set(key, report.console);
    return report;
  }
  const length = Math.max(first.length, report.console.length);
  for (let line = 0; line < length; line += 1) {
    const [was, is] = [first[line], report.console[line]];
    if (was === is) continue;
    const difference = `line ${line + 1} was ${quoted(was)} at first and is ${quoted(is)} now`;
    return { ...report, verdict: failed(`the same run gave another console: ${difference}`) };
  }
  return report;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function quoted(line: string | undefined): string {
  return line === undefined ? "missing" : `"${line}"`;
}
