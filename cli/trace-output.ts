// Trace output: the file that --trace names, from the run's events and what its console counts.
//
// Invariants: the file is opened before the machine begins, and has its name once it is whole; what was there before
// stays until then. Events that do not add up to the kernel's counters are reported, and the file is written all the same.
// Partners: boot.ts; trace/trace-file.ts (the lines), trace/consistency.ts (the check); machines/, which observe.

import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { Program } from "../abi/programs.ts";
import type { MachineRun } from "../machines/machine-run.ts";
import { EventTally, formatDifference } from "../trace/consistency.ts";
import { ConsoleTotals } from "../trace/console-totals.ts";
import { TRACE_VERSION, type Trace, type TraceEvent, type TraceHeader } from "../trace/event.ts";
import { traceLines } from "../trace/trace-file.ts";
import type { CommandEnding } from "./exit-code.ts";
import type { MachineSpec } from "./machine-options.ts";
import type { Opening } from "./open-machine.ts";

type OpenedMachine = Extract<Opening, { kind: "open" }>;

/** Characters that are written at once. */
const PART_CHARACTERS = 1 << 20;
/** Differences that are printed. */
const SHOWN_MAX = 8;

/** The file, or what keeps it from being written, in one line. */
export function openTrace(path: string): TraceOutput | Extract<CommandEnding, { kind: "usage" }> {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
      return { kind: "usage", message: `${path}: this is a folder; name a file` };
    mkdirSync(dirname(path), { recursive: true });
    return new TraceOutput(path, openSync(`${path}.part`, "w"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return { kind: "usage", message: `${path}: the trace cannot be written there (${code})` };
  }
}

export class TraceOutput {
  readonly kind = "open";
  private readonly totals = new ConsoleTotals();
  private isOpen = true;

  constructor(
    private readonly path: string,
    private readonly file: number,
  ) {}

  /** A line of the console. */
  take(line: string): void {
    this.totals.take(line);
  }

  /** Writes the trace of a run that is over. False, with lines on stderr, where its events do not add up. */
  finish(run: MachineRun, spec: MachineSpec, machine: OpenedMachine): boolean {
    const tally = new EventTally(spec.kind);
    let lost = 0;
    const events = function* (): Generator<TraceEvent> {
      for (const event of run.events?.() ?? []) {
        tally.take(event);
        if (event.kind === "lost") lost += event.count;
        yield event;
      }
    };
    this.write(traceLines(traceHeader(this.totals, spec, machine), events(), null));
    const totals = this.totals.totals(lost);
    this.write([JSON.stringify(totals)]);
    this.close();
    renameSync(`${this.path}.part`, this.path);
    if (lost > 0) process.stderr.write(`${this.path}: ${lost} records were overwritten before they were read\n`);
    const found = tally.compare(totals);
    if (found.kind !== "different") return true;
    const shown = found.differences.slice(0, SHOWN_MAX).map(formatDifference);
    for (const line of shown) process.stderr.write(`${this.path}: ${line}\n`);
    process.stderr.write(`${this.path}: the trace differs from the kernel's counters in ${found.differences.length}\n`);
    return false;
  }

  /** Writes a trace that somebody else has put together. */
  save({ header, events, totals }: Trace): void {
    this.write(traceLines(header, events, totals));
    this.close();
    renameSync(`${this.path}.part`, this.path);
  }

  /** Leaves nothing behind of a file that was not finished. */
  drop(): void {
    if (!this.isOpen) return;
    this.close();
    rmSync(`${this.path}.part`, { force: true });
  }

  private write(lines: Iterable<string>): void {
    let text = "";
    for (const line of lines) {
      text += `${line}\n`;
      if (text.length < PART_CHARACTERS) continue;
      this.writeText(text);
      text = "";
    }
    this.writeText(text);
  }

  private writeText(text: string): void {
    const bytes = Buffer.from(text);
    for (let from = 0; from < bytes.length;) from += writeSync(this.file, bytes, from);
  }

  private close(): void {
    closeSync(this.file);
    this.isOpen = false;
  }
}

/** The header of the trace of a run whose console these totals have read. */
export function traceHeader(
  totals: ConsoleTotals,
  spec: MachineSpec,
  machine: Pick<OpenedMachine, "kernel" | "programs">,
  title?: string,
): TraceHeader {
  return {
    format: "hartbeat-trace",
    version: TRACE_VERSION,
    machine: spec.kind,
    // A run that ends before the kernel has found its CPUs has those of the machine.
    cpus: totals.cpus || spec.harts,
    ticksPerSecond: totals.ticksPerSecond || 10_000_000,
    ...(spec.kind === "sim" ? { seed: spec.seed } : {}),
    kernel: machine.kernel ?? "",
    programs: [...builtInPrograms(), ...(machine.programs ?? [])],
    ...(title === undefined ? {} : { title }),
  };
}

function builtInPrograms(): string[] {
  return Object.keys(Program)
    .filter((name) => Number.isNaN(Number(name)))
    .map((name) => name.toLowerCase());
}
