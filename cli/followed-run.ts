// Followed run: one run of a machine read to its end: its lines as they come, stopped by a time-out or by the user.
//
// Owner: the command that started the run. Partners: boot.ts, run.ts; interruption.ts.

import type { MachineRun, RunOutcome } from "../machines/machine-run.ts";
import { watchInterruption } from "./interruption.ts";

export interface RunEnd {
  readonly outcome: RunOutcome | "timed-out";
  /** The user has ended it. */
  readonly isInterrupted: boolean;
}

/** timeoutMilliseconds: the run is stopped when it takes longer; undefined: it may take as long as it does. */
export async function followRun(
  run: MachineRun,
  timeoutMilliseconds: number | undefined,
  take: (line: string) => void,
): Promise<RunEnd> {
  const interruption = watchInterruption();
  let isTimedOut = false;
  const onTimeout = (): void => {
    isTimedOut = true;
    run.stop();
  };
  const timer = timeoutMilliseconds === undefined ? undefined : setTimeout(onTimeout, timeoutMilliseconds);
  interruption.signal.addEventListener("abort", () => run.stop());
  try {
    for await (const line of run.lines) take(line);
    const outcome = await run.outcome;
    return { outcome: isTimedOut ? "timed-out" : outcome, isInterrupted: interruption.signal.aborted };
  } finally {
    run.stop();
    clearTimeout(timer);
    interruption.release();
  }
}

/** Why a run that did not power off ended, in one line. */
export function complaintOfEnd(outcome: Exclude<RunOutcome, { kind: "powered-off" }>): string {
  switch (outcome.kind) {
    case "stopped":
      return "the machine was stopped";
    case "deadlocked":
      return `deadlock: ${outcome.reason}`;
    case "hung":
      return `the machine hung: ${outcome.reason}`;
    case "crashed":
      return `the machine failed: ${outcome.reason}`;
    default:
      return outcome satisfies never;
  }
}
