// Proof run: one machine run read to its end through a gate.
//
// Invariants: the run is stopped as soon as nothing can change the verdict, and always before this returns; the
// clock here only ends a run, it never makes one pass.
// Partners: machines/ supplies the run, gate.ts judges, reporters/ hear of each line as it comes.

import type { MachineRun } from "../machines/machine-run.ts";
import type { ConsoleLine, Fields } from "./console-line.ts";
import { type Ending, Gate, type GateOptions } from "./gate.ts";
import type { Rung } from "./ladder.ts";
import type { Verdict } from "./verdict.ts";

export interface ProofRunOptions extends GateOptions {
  readonly timeoutMilliseconds: number;
  /** Aborting it stops the run from outside: the verdict is then inconclusive, unless it was already decided. */
  readonly signal: AbortSignal;
  /** Hears each console line, and the rung that it took where it took one. */
  readonly onLine: (text: string, line: ConsoleLine, rung: Rung | null) => void;
}

export interface ProofRunReport {
  readonly verdict: Verdict;
  /** Every line that was read, in order. */
  readonly console: readonly string[];
  /** The evidence by CPU and number, as lines. */
  readonly evidence: readonly string[];
  readonly reached: readonly string[];
  readonly expected: readonly string[];
  readonly tasks: readonly Fields[];
  readonly harts: readonly Fields[];
  readonly requests: readonly Fields[];
  /** From the start of the machine to the last marker that was reached, by the host's clock; null before the first. */
  readonly lastMarkerMilliseconds: number | null;
}

/** Reads the run to its end or to its verdict. */
export async function proveRun(run: MachineRun, options: ProofRunOptions): Promise<ProofRunReport> {
  const gate = new Gate(options);
  const console: string[] = [];
  const started = performance.now();
  let lastMarkerMilliseconds: number | null = null;
  let timedOut = false;

  const stop = (): void => run.stop();
  const timer = setTimeout(() => {
    timedOut = true;
    run.stop();
  }, options.timeoutMilliseconds);
  options.signal.addEventListener("abort", stop);
  if (options.signal.aborted) run.stop();

  let ending: Ending;
  try {
    for await (const text of run.lines) {
      console.push(text);
      const height = gate.reached.length;
      const line = gate.feed(text);
      const rung = gate.reached[height] ?? null;
      if (rung !== null) lastMarkerMilliseconds = performance.now() - started;
      options.onLine(text, line, rung);
      if (gate.isDecided) break;
    }
    if (gate.isDecided) run.stop();
    // After the last line the machine may still be on its way down: its own ending counts, not our stop.
    const outcome = await run.outcome;
    ending = timedOut ? timeOut(options.timeoutMilliseconds) : outcome;
  } finally {
    run.stop();
    clearTimeout(timer);
    options.signal.removeEventListener("abort", stop);
  }

  return {
    verdict: gate.conclude(ending),
    console,
    evidence: gate.evidence.toLines(),
    reached: gate.reached.map((rung) => rung.marker),
    expected: gate.ladder.map((rung) => rung.marker),
    tasks: gate.summary.tasks,
    harts: gate.summary.harts,
    requests: gate.summary.requests,
    lastMarkerMilliseconds,
  };
}

function timeOut(milliseconds: number): Ending {
  return { kind: "timed-out", after: milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms` };
}
