// Matrix run: one broken kernel against the proofs of its clause.
//
// Owner: the caller. Invariant: red means that a check refuted the kernel or an exploration found a violation; a break
// that does not fit or compile, and an exploration that stopped at a bound, are never red.
// Pairs with: ../breaks/ (patch.ts compiles, trial.ts runs checks), verify/scenarios/suite-run.ts (explores).

import { runSuite } from "../scenarios/suite-run.ts";
import type { Parts } from "../scenarios/parts.ts";
import { withBroken } from "../breaks/patch.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { BROKEN_BOUNDS, buildFor, imageOf, runChecksOf, type TrialOutcome } from "../breaks/trial.ts";
import type { Proof, Row } from "./plan.ts";

export interface Finding {
  readonly red: boolean | null;
  readonly how: string;
}

/** Runs the proofs of a row that are asked for; `onFinding` is called once for each. */
export async function runRow(
  row: Row,
  proofs: readonly Proof[],
  harness: Uint8Array,
  jobs: number,
  onFinding: (proof: Proof, finding: Finding) => void,
): Promise<void> {
  const outcome = await withBroken(row.break.edits, buildFor([row.clause]), packageRoot, async (broken) => {
    const parts = { kernel: broken.wasm, harness };
    let next = 0;
    const drain = async (): Promise<void> => {
      for (let proof = proofs[next++]; proof !== undefined; proof = proofs[next++]) {
        onFinding(proof, await runProof(proof, parts, async () => runChecksOf(row.clause, await imageOf(broken))));
      }
    };
    await Promise.all(Array.from({ length: jobs }, drain));
    return { kind: "done" as const };
  });
  if (outcome.kind === "refused") for (const proof of proofs) onFinding(proof, { red: null, how: outcome.reason });
}

async function runProof(proof: Proof, parts: Parts, check: () => Promise<TrialOutcome>): Promise<Finding> {
  if (proof.kind === "checks") return ofTrial(await check());
  try {
    const options = { ...BROKEN_BOUNDS, tier: proof.tier };
    const [entry] = await runSuite([proof.scenario], parts, options);
    if (entry === undefined) return { red: null, how: "it was not run" };
    if (entry.result.kind === "violated") return { red: true, how: entry.result.message };
    if (entry.result.kind === "passed") return { red: false, how: "explored to its end" };
    return { red: null, how: `stopped: ${entry.result.reason}` };
  } catch (thrown) {
    // A kernel that the explorer refuses cannot be explored; its checks are what has to find it.
    return { red: null, how: `cannot be explored: ${String(thrown).split("\n", 1)[0] ?? ""}` };
  }
}

function ofTrial(outcome: TrialOutcome): Finding {
  switch (outcome.kind) {
    case "red":
      return { red: true, how: `${outcome.check}: ${outcome.reason}` };
    case "green":
      return { red: false, how: "every check passed" };
    case "refused":
    case "skipped":
      return { red: null, how: outcome.reason };
    default:
      return outcome satisfies never;
  }
}
