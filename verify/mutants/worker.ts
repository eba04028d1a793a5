// Worker: tries mutants in a thread of its own, one after the other, as they are handed to it.
//
// Owner: itself. Pairs with: mutation-run.ts, which starts it.

import { parentPort, workerData } from "node:worker_threads";
import { readArtifact } from "./artifact.ts";
import type { Baseline } from "./baseline.ts";
import { firstLine } from "./check.ts";
import type { Mutant } from "./mutant.ts";
import type { Surroundings } from "./subject.ts";
import { type TrialOptions, type TrialOutcome, Trials } from "./mutant-trial.ts";

export interface WorkerJob {
  readonly wasm: Uint8Array;
  readonly sourceMap: string;
  readonly root: string;
  readonly surroundings: Surroundings;
  readonly baseline: Baseline;
  readonly options: TrialOptions;
}

const job = workerData as WorkerJob;
const artifact = readArtifact(job.wasm, job.sourceMap, job.root);
const trials = new Trials(artifact, job.surroundings, job.baseline, job.options);

async function tryOne(mutant: Mutant): Promise<TrialOutcome> {
  try {
    return await trials.run(mutant);
  } catch (thrown) {
    return { kind: "undecided", reason: firstLine(thrown) };
  }
}

parentPort?.on("message", (mutant: Mutant) => {
  void tryOne(mutant).then((outcome) => parentPort?.postMessage(outcome, []));
});
