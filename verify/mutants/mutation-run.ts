// Mutation run: many mutants, several at a time, each result kept as soon as it is known.
//
// Owner: the caller. Invariants: results come in any order and each once; a worker that breaks down costs its mutant a
// verdict and nobody else's.
// Pairs with: worker.ts (the other side), mutant-results.ts (what is kept).

import { Worker } from "node:worker_threads";
import type { Mutant } from "./mutant.ts";
import type { TrialOutcome } from "./mutant-trial.ts";
import type { WorkerJob } from "./worker.ts";

export interface MutationRunOptions {
  readonly jobs: number;
  readonly signal?: AbortSignal;
  readonly onResult: (mutant: Mutant, outcome: TrialOutcome) => void;
}

/** A worker that reports nothing for so long is given up. Its mutant has no verdict then: time kills nothing. */
const SILENCE_MS = 30 * 60_000;

/** Tries the mutants. Runs as JavaScript only: a worker is a file of its own. */
export async function runMutants(
  mutants: readonly Mutant[],
  job: WorkerJob,
  options: MutationRunOptions,
): Promise<void> {
  let next = 0;
  const drain = async (): Promise<void> => {
    let slot: Slot | undefined;
    try {
      for (let index = next++; index < mutants.length && options.signal?.aborted !== true; index = next++) {
        const mutant = mutants[index];
        if (mutant === undefined) return;
        slot ??= new Slot(job);
        const outcome = await slot.run(mutant, options.signal);
        if (outcome === "aborted") return;
        options.onResult(mutant, outcome.outcome);
        if (outcome.isOver) {
          await slot.end();
          slot = undefined;
        }
      }
    } finally {
      await slot?.end();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(options.jobs, mutants.length)) }, drain));
}

interface SlotResult {
  readonly outcome: TrialOutcome;
  /** The worker has to be replaced. */
  readonly isOver: boolean;
}

class Slot {
  private readonly worker: Worker;

  constructor(job: WorkerJob) {
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: job });
    this.worker.setMaxListeners(0);
  }

  run(mutant: Mutant, signal?: AbortSignal): Promise<SlotResult | "aborted"> {
    const { worker } = this;
    return new Promise((resolve) => {
      const settle = (result: SlotResult | "aborted"): void => {
        clearTimeout(timer);
        worker.off("message", onMessage);
        worker.off("error", onError);
        worker.off("exit", onExit);
        signal?.removeEventListener("abort", onAbort);
        resolve(result);
      };
      const giveUp = (reason: string): void => settle({ outcome: { kind: "undecided", reason }, isOver: true });
      const onMessage = (outcome: TrialOutcome): void => settle({ outcome, isOver: false });
      const onError = (error: Error): void => giveUp(`the worker failed: ${error.message}`);
      const onExit = (code: number): void => giveUp(`the worker ended with code ${code}`);
      const onAbort = (): void => settle("aborted");
      const timer = setTimeout(() => giveUp("no verdict: the worker was given up"), SILENCE_MS);
      worker.on("message", onMessage);
      worker.on("error", onError);
      worker.on("exit", onExit);
      signal?.addEventListener("abort", onAbort, { once: true });
      worker.postMessage(mutant, []);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
