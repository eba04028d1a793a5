// hartbeat mutate --layer virt: small changes of the machine layer's sources, each built and booted on QEMU.
//
// Partners: mutate.ts has the flags; verify/mutants/virt-trial.ts does the work.

import { createHash } from "node:crypto";
import { buildArtifacts } from "../toolchain/build.ts";
import { machineFolder } from "../toolchain/gcc.ts";
import { type SourceMutant, sourceMutants } from "../verify/mutants/source-mutants.ts";
import { NoToolchain, type VirtOutcome, VirtTrials } from "../verify/mutants/virt-trial.ts";
import type { CommandEnding } from "./exit-code.ts";
import { watchInterruption } from "./interruption.ts";

export interface VirtFlags {
  readonly files: readonly string[];
  readonly kinds: readonly string[];
  readonly mutant?: string;
  readonly sample?: number;
  readonly seed: number;
  readonly list?: true;
}

const OUTCOMES = ["killed", "endless", "equivalent", "invalid", "survived"] as const;

export async function mutateVirt(flags: VirtFlags): Promise<CommandEnding> {
  const mutants = choose(await sourceMutants(machineFolder), flags);
  if (mutants.length === 0) return { kind: "nothing-selected", message: "no mutant is selected; see mutate --list" };
  if (flags.list === true) {
    for (const mutant of mutants) process.stdout.write(`${format(mutant)}\n`);
    return { kind: "done" };
  }
  const built = await buildArtifacts();
  if (built.kind === "refused") return { kind: "usage", message: built.lines.join("; ") };
  const interruption = watchInterruption();
  try {
    const trials = await VirtTrials.open(built.artifacts);
    const tried: { readonly mutant: SourceMutant; readonly outcome: VirtOutcome }[] = [];
    for (const mutant of mutants) {
      if (interruption.signal.aborted) break;
      const outcome = await trials.run(mutant);
      tried.push({ mutant, outcome });
      process.stdout.write(`${outcome.kind}: ${format(mutant)}${"by" in outcome ? ` (${outcome.by})` : ""}\n`);
    }
    const files = [...new Set(tried.map(({ mutant }) => mutant.file))];
    process.stdout.write(`${["file", "mutants", ...OUTCOMES].join("\t")}\n`);
    for (const file of [...files, "total"]) {
      const own = tried.filter(({ mutant }) => file === "total" || mutant.file === file);
      const counts = OUTCOMES.map((kind) => own.filter(({ outcome }) => outcome.kind === kind).length);
      process.stdout.write(`${[file, own.length, ...counts].join("\t")}\n`);
    }
    if (interruption.signal.aborted) return { kind: "interrupted" };
    return tried.some(({ outcome }) => outcome.kind === "survived" || outcome.kind === "endless")
      ? { kind: "red" }
      : { kind: "done" };
  } catch (thrown) {
    if (thrown instanceof NoToolchain) return { kind: "missing-tool", message: thrown.message };
    throw thrown;
  } finally {
    interruption.release();
  }
}

function choose(mutants: readonly SourceMutant[], { files, kinds, mutant, sample, seed }: VirtFlags): SourceMutant[] {
  const possible = mutants.filter(
    ({ id, file, kind }) =>
      (mutant === undefined || id === mutant) &&
      (files.length === 0 || files.includes(file)) &&
      (kinds.length === 0 || kinds.includes(kind)),
  );
  if (sample === undefined) return possible;
  const rank = ({ id }: SourceMutant): string => createHash("sha256").update(`${seed}\0${id}`).digest("hex");
  const chosen = new Set(possible.toSorted((a, b) => rank(a).localeCompare(rank(b))).slice(0, sample));
  return possible.filter((one) => chosen.has(one));
}

function format({ id, text, replacement }: SourceMutant): string {
  return `${id}: ${text} becomes ${replacement.trim() === "" ? "nothing" : replacement.trim()}`;
}
