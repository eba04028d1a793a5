// Trial: one broken kernel before what has to find it: the scenarios that plant the break, or, where none does, the
// checks of its clauses.
//
// Invariants: red means that a check or an exploration refuted the kernel, or that the kernel trapped in it; an error
// of a check, an edit that does not fit, a break that does not compile and an exploration that stopped are never red.
// Pairs with: table.ts, patch.ts, plants.ts; verify/clauses and verify/scenarios, which know nothing of the edits.

import { readFile } from "node:fs/promises";
import type { Case } from "../rig/case.ts";
import { allChecks } from "../clauses/index.ts";
import { KernelImage } from "../rig/kernel-image.ts";
import { hasCrossCompiler } from "../rig/printed-graph.ts";
import { isRefutation } from "../rig/refutation.ts";
import { harness } from "../scenarios/harness-build.ts";
import { runScenario } from "../scenarios/run.ts";
import type { AscJob } from "../../toolchain/asc.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import type { ClauseId } from "../clause-id.ts";
import type { Break } from "./break.ts";
import { type BrokenKernel, withBroken } from "./patch.ts";
import { type Plant, plantsOf } from "./plants.ts";

export type TrialOutcome =
  /** Found: by which check or scenario, and what it reported. */
  | { readonly kind: "red"; readonly check: string; readonly reason: string }
  /** Everything that should find it passed. */
  | { readonly kind: "green" }
  /** The break itself is at fault, or a tool is. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The checks that could find it cannot run here. */
  | { readonly kind: "skipped"; readonly reason: string };

/** Clauses whose checks look at the artifact itself: it is compiled as it ships. Others are compiled faster. */
const LOOK_AT_ARTIFACT: readonly ClauseId[] = ["Q1", "T4"];

/** How a kernel has to be compiled for the checks of some clauses. */
export function buildFor(clauses: readonly ClauseId[]): AscJob["build"] {
  return clauses.some((clause) => LOOK_AT_ARTIFACT.includes(clause)) ? "optimized" : "debug";
}

/** Red when each scenario that plants it, or, where none does, some check of each of its clauses finds it. */
export async function tryBreak(one: Break, root = packageRoot): Promise<TrialOutcome> {
  const plants = plantsOf(one);
  if (plants.length === 0) return withBroken(one.edits, buildFor(one.clauses), root, checksOn(one.clauses));
  return withBroken(one.edits, "debug", root, async (broken) =>
    firstNotRed(plants.map((plant) => () => tryPlant(plant, broken.wasm))),
  );
}

/** What the checks of a clause find in a copy without a break, compiled as broken ones are. */
export async function tryUnbroken(clause: ClauseId, root = packageRoot): Promise<TrialOutcome> {
  return withBroken([], buildFor([clause]), root, checksOn([clause]));
}

function checksOn(clauses: readonly ClauseId[]): (broken: BrokenKernel) => Promise<TrialOutcome> {
  return async (broken) => {
    const image = await imageOf(broken);
    return firstNotRed(clauses.map((clause) => () => runChecksOf(clause, image)));
  };
}

/** The last outcome where all are red. */
async function firstNotRed(trials: readonly (() => Promise<TrialOutcome>)[]): Promise<TrialOutcome> {
  let outcome: TrialOutcome = { kind: "refused", reason: "nothing is to find it" };
  for (const trial of trials) {
    outcome = await trial();
    if (outcome.kind !== "red") return outcome;
  }
  return outcome;
}

/** Bounds of the exploration of a broken kernel, far more than any takes: what is not found within is not found. */
export const BROKEN_BOUNDS = { shortest: false, transitionsMax: 3_000_000, memoryMax: 2 ** 30 } as const;

/** A broken kernel in the scenario that plants the break, which names the violation that is to be seen first. */
export async function tryPlant({ scenario, fault }: Plant, kernel: Uint8Array): Promise<TrialOutcome> {
  const tier = scenario.fast === undefined ? "full" : "fast";
  const result = await runScenario(scenario, tier, { kernel, harness: await harness() }, BROKEN_BOUNDS);
  switch (result.kind) {
    case "passed":
      return { kind: "green" };
    case "incomplete":
      return { kind: "refused", reason: `scenario ${scenario.name} stopped: ${result.reason}` };
    case "violated": {
      const { violation } = result.counterexample;
      const found = "result" in violation ? violation.result : undefined;
      if (violation.kind !== fault.reported || (fault.broken !== undefined && found !== fault.broken))
        return {
          kind: "refused",
          reason: `scenario ${scenario.name} reports another violation than it names: ${violation.kind}: ${result.message}`,
        };
      return { kind: "red", check: `scenario ${scenario.name}`, reason: result.message };
    }
    default:
      return result satisfies never;
  }
}

/** A broken kernel as the checks take it. */
export async function imageOf({ wasm, sourceMap, folder }: BrokenKernel): Promise<KernelImage> {
  const shipped = await buildArtifacts();
  if (shipped.kind === "refused") throw new Error(`${shipped.step}: ${shipped.lines.join("; ")}`);
  return new KernelImage(wasm, await readFile(shipped.artifacts.userSim), sourceMap, folder);
}

/** The checks of a clause; those that would need a missing tool are kept apart. */
async function checksOf(
  clause: ClauseId,
): Promise<{ readonly possible: readonly Case[]; readonly impossible: readonly Case[] }> {
  const all = allChecks.filter((check) => check.clause === clause);
  const canCompile = await hasCrossCompiler();
  const isPossible = (check: Case): boolean => check.needs === undefined || canCompile;
  return { possible: all.filter(isPossible), impossible: all.filter((check) => !isPossible(check)) };
}

/** The checks of a clause on a kernel, until one is red. */
export async function runChecksOf(clause: ClauseId, image: KernelImage): Promise<TrialOutcome> {
  const { possible, impossible } = await checksOf(clause);
  for (const check of possible) {
    try {
      await check.run(image);
    } catch (thrown) {
      if (isRefutation(thrown)) return { kind: "red", check: check.title, reason: firstLine(thrown.message) };
      return { kind: "refused", reason: `"${check.title}" failed: ${firstLine(String(thrown))}` };
    }
  }
  if (impossible.length > 0)
    return { kind: "skipped", reason: "a check of this clause needs the RISC-V cross compiler" };
  return { kind: "green" };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
