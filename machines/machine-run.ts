// Machine run: what every machine hands back when it boots, so that the command line and the proof treat the
// embedded machine and QEMU alike.
//
// Invariants: a run ends exactly once; `outcome` settles after the last line can be read; it never rejects, because
// how a run ended is a value and not an exception.
// Partners: machines/sim/machine-boot.ts and machines/virt, which produce runs; cli/ and proof/, which read them.

import type { PowerOff } from "../abi/results.ts";
import type { TraceEvent } from "../trace/event.ts";

/** How a run ended. `reason` is one line of plain text, fit to be shown to a person. */
export type RunOutcome =
  /** The kernel called powerOff with this result. */
  | { readonly kind: "powered-off"; readonly result: PowerOff }
  /** `stop()` was called before the run had ended by itself. */
  | { readonly kind: "stopped" }
  /** No hart can ever run again: every one waits, and no interrupt or timer is on its way. */
  | { readonly kind: "deadlocked"; readonly reason: string }
  /** The limit of steps or of time was reached before the end. */
  | { readonly kind: "hung"; readonly reason: string }
  /** The machine itself failed, or could not begin. */
  | { readonly kind: "crashed"; readonly reason: string };

/** One run of one kernel on one machine. */
export interface MachineRun {
  /** Console lines without their line ends, in order, as they come; to be read once. Ends when the run ends. */
  readonly lines: AsyncIterable<string>;
  /** Settles once, when the run has ended. */
  readonly outcome: Promise<RunOutcome>;
  /** Asks the run to end; harmless when it already has. */
  stop(): void;
  /** Of a run that was asked to observe: what it observed, in order of time; to be read once, after `outcome`. */
  readonly events?: () => Iterable<TraceEvent>;
}
