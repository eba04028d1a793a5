// Machine options: the flags that choose a machine, common to the verbs that run one.
//
// Invariants: a flag that the chosen machine does not know is refused, never ignored.
// Partners: prove.ts and boot.ts add these flags; open-machine.ts boots what they describe.

import { type Command, Option } from "commander";
import { CPUS_MAX } from "../abi/layout.ts";
import { parseDuration, parseSeed } from "./argument.ts";

export type MachineKind = "sim" | "virt";
export type IpiChoice = "firmware" | "sswi";

/** One machine, fully chosen. observe: its run has events. */
export type MachineSpec = { readonly harts: number; readonly ipi: IpiChoice; readonly observe?: boolean } & (
  { readonly kind: "sim"; readonly seed: number } | { readonly kind: "virt"; readonly icount: boolean }
);

/** The flags as commander hands them over. */
export interface MachineFlags {
  readonly machine: MachineKind;
  readonly seed?: number;
  readonly icount?: true;
  readonly ipi: IpiChoice;
  readonly timeout?: number;
  /** An image to run as it is. */
  readonly elf?: string;
}

export const FIRST_SEED = 1;

/** Adds the flags; `--smp` is each verb's own, since not all take a list. */
export function addMachineFlags(command: Command, timeout: string | null): Command {
  const ipi = new Option(
    "--ipi <path>",
    "how an IPI travels: by the firmware, or by the SSWI device (on virt: aclint=on)",
  );
  const timeLimit = new Option("--timeout <time>", "end a run that takes longer, such as 90s or 500ms").argParser(
    parseDuration,
  );
  return command
    .addOption(new Option("--machine <machine>", "where to run").choices(["sim", "virt"]).default("sim"))
    .addOption(new Option("--seed <seed>", `sim: which order of steps (default: ${FIRST_SEED})`).argParser(parseSeed))
    .option("--icount", "virt: count instructions, so that a run repeats exactly (harts then share one thread)")
    .addOption(ipi.choices(["firmware", "sswi"]).default("firmware"))
    .option("--elf <file>", "virt: run this image as it is, instead of the one built from the sources")
    .addOption(timeout === null ? timeLimit : timeLimit.default(parseDuration(timeout), timeout));
}

/** What is wrong with the flags taken together, in one line; null when nothing is. */
export function conflictOf(flags: MachineFlags): string | null {
  if (flags.machine === "virt" && flags.seed !== undefined) {
    return "--seed belongs to --machine sim; on virt, --icount makes a run repeat";
  }
  if (flags.machine === "sim" && flags.elf !== undefined) return "--elf belongs to --machine virt";
  if (flags.machine === "sim" && flags.icount === true) {
    return "--icount belongs to --machine virt; on sim, every run repeats by its --seed";
  }
  return null;
}

export function specOf(flags: MachineFlags, harts: number, seed: number): MachineSpec {
  return flags.machine === "sim"
    ? { kind: "sim", harts, ipi: flags.ipi, seed }
    : { kind: "virt", harts, ipi: flags.ipi, icount: flags.icount === true };
}

/** The flags that choose this machine again, for a command line. */
export function flagsOf(spec: MachineSpec): string {
  const flags = [`--machine ${spec.kind}`, `--smp ${spec.harts}`];
  if (spec.kind === "sim") flags.push(`--seed ${spec.seed}`);
  if (spec.kind === "virt" && spec.icount) flags.push("--icount");
  if (spec.ipi !== "firmware") flags.push(`--ipi ${spec.ipi}`);
  return flags.join(" ");
}

/** The help text of `--smp`. */
export const SMP_RANGE = `1 to ${CPUS_MAX}`;
