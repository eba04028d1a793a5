// Trial: one broken kernel before the checks of its clause.
//
// Invariants: red means that a check refuted the kernel, or that the kernel trapped in it; an error of a check, an
// edit that does not fit or a break that does not compile is never red.
// Partners: table.ts, edit.ts; verify/clauses, which know nothing of the breaks.

import { readFile, rm } from "node:fs/promises";
import type { Case } from "../rig/case.ts";
import { allChecks } from "../clauses/index.ts";
import { KernelImage } from "../rig/kernel-image.ts";
import { hasCrossCompiler } from "../rig/printed-graph.ts";
import { isRefutation } from "../rig/refutation.ts";
import { type AscJob, compile, kernelJob } from "../../toolchain/asc.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import type { ClauseId } from "../clause-id.ts";
import { breakCopy, type Edit } from "./edit.ts";
import type { Counterfactual } from "./table.ts";

export type TrialOutcome =
  /** A check found it out: its title, and what it said. */
  | { readonly kind: "red"; readonly check: string; readonly reason: string }
  /** Every check of the clause passed: they prove less than they claim. */
  | { readonly kind: "green" }
  /** The break itself is at fault, or a tool is. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The checks that could decide cannot run here. */
  | { readonly kind: "skipped"; readonly reason: string };

/** The checks of a clause; those that would need a missing tool are kept apart. */
export async function checksOf(
  clause: ClauseId,
): Promise<{ readonly possible: readonly Case[]; readonly impossible: readonly Case[] }> {
  const all = allChecks.filter((check) => check.clause === clause);
  const canCompile = await hasCrossCompiler();
  const isPossible = (check: Case): boolean => check.needs === undefined || canCompile;
  return { possible: all.filter(isPossible), impossible: all.filter((check) => !isPossible(check)) };
}

/** Breaks a copy of the kernel, compiles it and runs the checks of the clause until one is red. */
export async function tryCounterfactual(counterfactual: Counterfactual, root = packageRoot): Promise<TrialOutcome> {
  return tryEdits(counterfactual.clause, counterfactual.edits, root);
}

/** The same without a break: what the checks of a clause say to a copy that was compiled as broken ones are. */
export async function tryUnbroken(clause: ClauseId, root = packageRoot): Promise<TrialOutcome> {
  return tryEdits(clause, [], root);
}

/** Clauses whose checks look at the artifact itself: it is compiled as it ships. Others are compiled faster. */
const LOOK_AT_ARTIFACT: readonly ClauseId[] = ["Q1", "T4"];

/** A kernel compiled from a broken copy of the sources. The caller removes the copy once done. */
export interface Broken {
  readonly image: KernelImage;
  readonly remove: () => Promise<void>;
}

/** How a kernel has to be compiled for the checks of a clause. */
export function buildFor(clause: ClauseId): AscJob["build"] {
  return LOOK_AT_ARTIFACT.includes(clause) ? "optimized" : "debug";
}

/** Breaks a copy and compiles it; one line when it does not fit or compile. */
export async function compileBroken(
  edits: readonly Edit[],
  build: AscJob["build"],
  root = packageRoot,
): Promise<Broken | string> {
  const copy = await breakCopy(root, edits);
  if (copy.kind === "refused") return copy.reason;
  const remove = (): Promise<void> => rm(copy.folder, { recursive: true, force: true });
  let image: KernelImage | string | undefined;
  try {
    image = await compileCopy(copy.folder, build);
  } finally {
    if (!(image instanceof KernelImage)) await remove();
  }
  return typeof image === "string" ? image : { image, remove };
}

async function tryEdits(clause: ClauseId, edits: readonly Edit[], root: string): Promise<TrialOutcome> {
  const broken = await compileBroken(edits, buildFor(clause), root);
  if (typeof broken === "string") return { kind: "refused", reason: broken };
  try {
    return await runChecksOf(clause, broken.image);
  } finally {
    await broken.remove();
  }
}

async function compileCopy(folder: string, build: AscJob["build"]): Promise<KernelImage | string> {
  const shipped = await buildArtifacts();
  if (shipped.kind === "refused") return `${shipped.step}: ${shipped.lines.join("; ")}`;
  const outcome = await compile(kernelJob(folder, build));
  if (outcome.kind === "refused") return `it does not compile: ${outcome.diagnostics[0] ?? "no reason given"}`;
  return new KernelImage(outcome.wasm, await readFile(shipped.artifacts.userSim), outcome.sourceMap, folder);
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
