// Open machine: the interface between the command line and the machines. It prepares what a machine needs once, then boots
// as often as asked.
//
// Partners: machines/sim, machines/virt and toolchain/build.ts, loaded only when their machine is asked for, so
// that a missing tool of one never hinders the other.

import type { MachineRun } from "../machines/machine-run.ts";
import type { CommandEnding } from "./exit-code.ts";
import type { MachineKind, MachineSpec } from "./machine-options.ts";
import type { ProgramRequest } from "./program-request.ts";

/** Boots one machine; may throw where the machine cannot even begin. */
export type MachineInterface = (spec: MachineSpec) => MachineRun;

export type Opening =
  | {
      readonly kind: "open";
      readonly start: MachineInterface;
      /** SHA-256 of the kernel's artifact that it boots, hexadecimal; null: which one that is, is not known. */
      readonly kernel: string | null;
      /** Names of the programs that it boots besides the built-in ones, in the order of their numbers. */
      readonly programs?: readonly string[];
    }
  | CommandEnding;

/** Prepares a kind of machine: artifacts built (unless an image is given), tools found; programs instead of the default tasks. */
export type OpenMachine = (kind: MachineKind, elf?: string, programs?: readonly ProgramRequest[]) => Promise<Opening>;

/** A run in any case: what keeps a machine from beginning becomes its outcome. */
export function bootOrCrash(start: MachineInterface, spec: MachineSpec): MachineRun {
  try {
    return start(spec);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      lines: (async function* (): AsyncGenerator<string> {})(),
      outcome: Promise.resolve({ kind: "crashed", reason }),
      stop: () => undefined,
    };
  }
}
