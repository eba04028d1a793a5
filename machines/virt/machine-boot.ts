// Machine boot: one run of an image on QEMU's board, in the form that every machine's runs have.
//
// Invariants: nothing is thrown; what keeps the board from starting is the run's outcome, with its one line.
// Partners: machines/machine-run.ts; qemu.ts; cli/ and proof/, which read the run.

import type { MachineRun, RunOutcome } from "../machine-run.ts";
import { type QemuExit, type QemuOptions, type QemuStart, startQemu } from "./qemu.ts";

/** Starts the board; the run begins at once. */
export function bootVirt(options: Omit<QemuOptions, "signal">): MachineRun {
  const stop = new AbortController();
  const started = startQemu({ ...options, signal: stop.signal });
  return {
    lines: linesOf(started),
    outcome: outcomeOf(started),
    stop: () => stop.abort(),
  };
}

async function* linesOf(started: Promise<QemuStart>): AsyncGenerator<string> {
  const start = await started;
  if (start.kind === "started") yield* start.run.lines;
}

async function outcomeOf(started: Promise<QemuStart>): Promise<RunOutcome> {
  const start = await started;
  if (start.kind !== "started") return { kind: "crashed", reason: start.message };
  return toOutcome(await start.run.exit);
}

function toOutcome(exit: QemuExit): RunOutcome {
  switch (exit.kind) {
    case "powered-off":
    case "stopped":
      return exit;
    case "broken":
      return { kind: "crashed", reason: exit.message };
    default:
      return exit satisfies never;
  }
}
