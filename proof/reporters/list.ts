// List reporter: for a person who watches. A few runs stream their ladder; many runs stay silent but for one line
// a machine size, until one fails, which then shows everything.
//
// Invariants: what it writes depends on the runs alone, and on what was explored of their kernel (times stand only where
// harts run in real time); the last line after a failure is the command that replays it.

import {
  type ProofEvent,
  type ProofSummary,
  type Reporter,
  type RunName,
  type Sink,
  type ClauseCoverage,
  runTitle,
} from "../proof-event.ts";
import { Program } from "../../abi/programs.ts";
import type { Fields } from "../console-line.ts";
import type { ProofRunReport } from "../proof-run.ts";
import { type Style, clauseTable } from "./clause-lines.ts";
import { drawTable } from "./column-table.ts";

/** At most this many runs stream their whole ladder. */
const STREAMED_RUNS_MAX = 6;
/** Lines of the console's end that a failure shows; the rest is in the run's folder. */
const TAIL_LINES = 12;

/** columns: of the terminal that it is written to; undefined elsewhere. */
export function listReporter(write: Sink, style: Style, columns?: number): Reporter {
  const report = new ListReport((line) => write(`${line}\n`), style, columns);
  return (event) => report.take(event);
}

class ListReport {
  private readonly print: (line: string) => void;
  private readonly style: Style;
  private readonly columns: number | undefined;
  private streams = true;
  /** Runs of one machine size, shown together where runs do not stream. */
  private group: { title: string; passed: number; runs: number; times: number[] } | null = null;

  constructor(print: (line: string) => void, style: Style, columns: number | undefined) {
    this.print = print;
    this.style = style;
    this.columns = columns;
  }

  take(event: ProofEvent): void {
    switch (event.kind) {
      case "begun":
        this.streams = event.runs <= STREAMED_RUNS_MAX;
        return;
      case "run-begun":
        if (this.streams) this.print(this.style("bold", runTitle(event.run)));
        return;
      case "line":
        if (this.streams && event.rung !== null) this.print(`  ${this.style("green", "✓")} ${event.rung.marker}`);
        return;
      case "run-ended":
        return this.endRun(event.run, event.report, event.folder);
      case "covered":
        this.closeGroup();
        return this.showCoverage(event.coverage);
      case "ended":
        this.closeGroup();
        return this.end(event.summary);
      default:
        event satisfies never;
    }
  }

  private endRun(run: RunName, report: ProofRunReport, folder: string | null): void {
    if (!this.streams) this.count(run, report);
    if (report.verdict.kind !== "passed") return this.showFailure(run, report, folder);
    if (!this.streams) return;
    const time = report.lastMarkerMilliseconds;
    // A simulated run has no time of its own to show, and its output is to be the same each time.
    const timeLabel = run.machine === "virt" && time !== null ? `, the last one after ${Math.round(time)} ms` : "";
    const rungs = `${report.reached.length} of ${report.expected.length} markers${timeLabel}`;
    const events = report.evidence.length;
    const evidenceLabel = events === 0 ? "" : `; ${events} events of evidence checked`;
    this.print(`  ${this.style("green", "passed")}: ${rungs}${evidenceLabel}`);
    this.showTable("harts", report.harts);
    this.showTable("requests", report.requests);
    this.showTable("tasks", report.tasks.map(withProgramName));
    this.print("");
  }

  private showFailure(run: RunName, report: ProofRunReport, folder: string | null): void {
    if (!this.streams) this.print(this.style("bold", runTitle(run)));
    const { verdict } = report;
    if (verdict.kind === "inconclusive") this.print(`  ${this.style("yellow", "inconclusive")}: ${verdict.reason}`);
    if (verdict.kind === "failed") this.showReasons(verdict.reasons, report);
    if (folder !== null) this.print(`  kept: ${folder}`);
    this.print("");
  }

  private showReasons(reasons: readonly string[], report: ProofRunReport): void {
    for (const marker of this.streams ? [] : report.reached) this.print(`  ${this.style("green", "✓")} ${marker}`);
    for (const marker of report.expected.slice(report.reached.length)) {
      this.print(`  ${this.style("red", "✗")} ${this.style("dim", marker)}`);
    }
    for (const reason of reasons) this.print(`  ${this.style("red", "failed")}: ${reason}`);
    this.print("  the console's last lines:");
    for (const line of report.console.slice(-TAIL_LINES)) this.print(`  ${this.style("dim", "│")} ${line}`);
  }

  private showTable(title: string, rows: ProofRunReport["harts"]): void {
    const [heading, ...rest] = drawTable(rows);
    if (heading === undefined) return;
    this.print("");
    this.print(`  ${this.style("bold", title)}`);
    this.print(`  ${this.style("dim", heading)}`);
    for (const line of rest) this.print(`  ${line}`);
  }

  private count(run: RunName, report: ProofRunReport): void {
    const title = `${run.machine} smp=${run.harts}`;
    if (this.group?.title !== title) {
      this.closeGroup();
      this.group = { title, passed: 0, runs: 0, times: [] };
    }
    this.group.runs += 1;
    if (run.machine === "virt" && report.lastMarkerMilliseconds !== null) {
      this.group.times.push(report.lastMarkerMilliseconds);
    }
    if (report.verdict.kind === "passed") this.group.passed += 1;
  }

  private closeGroup(): void {
    if (this.group === null) return;
    const { title, passed, runs, times } = this.group;
    const mark = passed === runs ? this.style("green", "✓") : this.style("red", "✗");
    this.print(`${mark} ${title.padEnd(14)} ${passed} of ${runs} runs passed${timesLabel(times)}`);
    this.group = null;
  }

  /** A kernel of which nothing was explored has one line, rather than a table of nothings. */
  private showCoverage({ clauses, explored, of, next }: ClauseCoverage): void {
    if (explored === 0) return this.print(`explored: nothing of this kernel yet; ${next}`);
    for (const line of clauseTable(clauses, this.style, this.columns)) this.print(line);
    this.print("");
    const rest = next === null ? "" : `; the rest: ${next}`;
    this.print(`explored: ${explored} of ${of} scenarios${rest}`);
  }

  private end(summary: ProofSummary): void {
    const { runs, passed, failed, inconclusive, notRun, replay } = summary;
    if (passed === runs) {
      this.print(`${this.style("green", "passed")}: ${passed} of ${runs} run${runs === 1 ? "" : "s"}`);
      return;
    }
    const parts = [
      `${passed} of ${runs} passed`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(inconclusive > 0 ? [`${inconclusive} inconclusive`] : []),
      ...(notRun > 0 ? [`${notRun} not run`] : []),
    ];
    this.print(`${this.style("red", failed > 0 ? "failed" : "incomplete")}: ${parts.join(", ")}`);
    if (replay !== null) this.print(replay);
  }
}

/** `, last marker after 98 ms (61 to 180)`: the median and the range; nothing without times. */
function timesLabel(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b).map(Math.round);
  const median = sorted[sorted.length >> 1];
  if (median === undefined) return "";
  return `, last marker after ${median} ms (${sorted[0]} to ${sorted.at(-1)})`;
}

/** The row with its program's name in place of its number, where abi/programs.ts has one. */
function withProgramName(row: Fields): Fields {
  const number = row.get("program");
  const name = number === undefined ? undefined : Program[Number(number)];
  return name === undefined ? row : new Map([...row, ["program", name]]);
}
