// Runner: one broken kernel against the proofs of its clause.
//
// Owner: the caller. Invariant: red means that a check refuted the kernel or an exploration found a violation; a break
// that does not fit or compile, and an exploration that stopped at a bound, are never red.
// Pairs with: ../breaks/ (patch.ts compiles, trial.ts runs checks), verify/scenarios/suite-run.ts (explores).

import { runSuite } from "../scenarios/suite-run.ts";
import type { Parts } from "../scenarios/parts.ts";
import { compileBroken } from "../breaks/patch.ts";
import { buildFor, imageOf, runChecksOf, type TrialOutcome } from "../breaks/trial.ts";
import type { Proof, Row } from "./plan.ts";

/** Bounds of one exploration of a broken kernel; most end with a violation long before. */
const TRANSITIONS_MAX = 3_000_000;
const MEMORY_MAX = 1024 * 1024 * 1024;

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
  const broken = await compileBroken(row.break.edits, buildFor([row.clause]));
  if (broken.kind === "refused") {
    for (const proof of proofs) onFinding(proof, { red: null, how: broken.reason });
    return;
  }
  try {
    const parts = { kernel: broken.wasm, harness };
    let next = 0;
    const drain = async (): Promise<void> => {
      for (let proof = proofs[next++]; proof !== undefined; proof = proofs[next++]) {
        onFinding(proof, await runProof(proof, parts, async () => runChecksOf(row.clause, await imageOf(broken))));
      }
    };
    await Promise.all(Array.from({ length: jobs }, drain));
  } finally {
    await broken.remove();
  }
}

async function runProof(proof: Proof, parts: Parts, check: () => Promise<TrialOutcome>): Promise<Finding> {
  if (proof.kind === "checks") return ofTrial(await check());
  try {
    const options = { tier: proof.tier, shortest: false, transitionsMax: TRANSITIONS_MAX, memoryMax: MEMORY_MAX };
    const [entry] = await runSuite([proof.scenario], parts, options);
    if (entry === undefined) return { red: null, how: "it was not run" };
    if (entry.result.kind === "violated") return { red: true, how: entry.result.words };
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
